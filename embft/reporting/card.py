"""The tuned model's card: model/README.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embft.files import write_text
from embft.reporting.audit_phrases import cost_markdown, general_sentence, warnings_of
from embft.reporting.markdown import fenced, plain, systems_table, training_sentence
from embft.reporting.phrases import comparisons_of, origin_words, sentence, test_questions


def write_card(model_folder: Path, metrics: Mapping[str, Any], base_model: str, load_example: str) -> None:
    """Writes the card: what was trained on what, figures with intervals, limits, how to load.

    Args:
        model_folder: The run's ``model`` folder.
        metrics: As in metrics.json, with ``training``.
        base_model: The base model's id, or its folder.
        load_example: Python that loads and searches as the evaluation did.
    """
    write_text(model_folder / "README.md", render_card(metrics, base_model, load_example))


def render_card(metrics: Mapping[str, Any], base_model: str, load_example: str) -> str:
    """The card as Markdown, with the front matter that model hubs read."""
    data, training = metrics["dataset"], metrics["training"]
    source = data.get("corpus") or data["name"]
    # A folder's path says nothing to others, and may say too much: its name does.
    name = Path(base_model).name if Path(base_model).is_absolute() else base_model
    tuned = [
        row
        for row in comparisons_of(metrics, metrics["verdict"]["metric"])
        if "tuned" in (row["system"], row["baseline"])
    ]
    lines = [
        "---",
        "library_name: sentence-transformers",
        "pipeline_tag: sentence-similarity",
        f"base_model: {json.dumps(name, ensure_ascii=False)}",  # a JSON string is a YAML string, whatever is in it
        "tags: [sentence-transformers, sentence-similarity, feature-extraction, embft]",
        "---",
        "",
        f"# {plain(name)}, tuned by embft",
        "",
        f"{_examples(data, training)} "
        f"{training.get('chunks', data['chunks']['train']):,} chunks of {plain(source)}, {_method(training)} "
        f"{training_sentence(training)}",
        "",
        "## Figures",
        "",
        f"{plain(test_questions(metrics))}. No chunk of theirs was trained on. 95% intervals in brackets.",
        "",
        systems_table(metrics),
        "",
        *(f"- {sentence(row)}" for row in tuned),
        "",
        f"Verdict of the run: {plain(metrics['verdict']['headline'])}",
        "",
        "## What it takes to run, measured once",
        "",
        *cost_markdown(metrics),
        "",
        "## How to load",
        "",
        fenced(load_example, "python"),
        "",
        "## Limits",
        "",
        f"- {_elsewhere(metrics)}",
        "- The figures hold for questions of the kind above: other questions, other figures.",
        f"- The licence of {plain(name)} goes on to hold; that of the documents may bear on the weights too.",
        *(f"- {plain(note['text'])}" for note in metrics["notes"] if note["level"] == "warning"),
        *(f"- {plain(found['text'])}" for found in warnings_of(metrics)),
        "",
    ]
    return "\n".join(lines)


def _examples(data: Mapping[str, Any], training: Mapping[str, Any]) -> str:
    """The beginning of a sentence: what stood in the batches."""
    if training.get("learned_from") == "windows":
        return "Trained without questions, on windows that ask for their neighbours in"
    return (
        f"Trained on {data['questions']['train']:,} questions ({plain(origin_words(data['origins']['train']))}) about"
    )


def _method(training: Mapping[str, Any]) -> str:
    """What was trained, and against which negatives."""
    if training.get("part") == "adapter":
        return (
            "with the multiple negatives ranking loss: a map of question vectors alone, all other train passages being a "
            "question's negatives. Passages keep the base model's vectors."
        )
    return "with the multiple negatives ranking loss in batches by chunk: the other chunks of a batch are a question's negatives."


def _elsewhere(metrics: Mapping[str, Any]) -> str:
    general = metrics["general"]
    if general is None:
        return "Tuned for the documents above; what that costs on other text was not measured (evaluation.general=...)."
    # A folder's path says nothing to others, and may say too much: its name does.
    named = {**general, "name": Path(general["name"]).name}
    return plain(general_sentence(named, metrics["verdict"]["metric"]))
