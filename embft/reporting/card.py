"""The tuned model's card: model/README.md."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from embft.files import write_text
from embft.records import HELD_OUT_FOLDER, MODEL_FOLDER
from embft.reporting.audit_phrases import cost_markdown, general_sentence, warnings_of
from embft.reporting.card_search import search_section
from embft.reporting.markdown import systems_table, training_sentence
from embft.reporting.markdown_text import fenced, plain
from embft.reporting.phrases import comparisons_of, origin_words, sentence, test_questions
from embft.results import DatasetReport, Outcome
from embft.training.report import TrainingReport


def write_card(model_folder: Path, outcome: Outcome, load_example: str, *, held_out: bool = False) -> None:
    """Writes the card: what was trained on what, figures with intervals, limits, how to load.

    Args:
        model_folder: The run's ``model`` folder, or that of the model that was judged.
        outcome: The run's result, with a tuned model.
        load_example: Python that loads and searches as the evaluation did.
        held_out: The model that was judged, where another one ships.
    """
    write_text(model_folder / "README.md", render_card(outcome, load_example, held_out=held_out))


def render_card(outcome: Outcome, load_example: str, *, held_out: bool = False) -> str:
    """The card as Markdown, with the front matter that model hubs read."""
    assert outcome.tuned is not None
    refitted = None if held_out else outcome.refitted
    data, training = outcome.dataset, (refitted or outcome.tuned).report
    source = outcome.config.corpus.name if outcome.corpus else outcome.config.dataset.name
    # A folder's path says nothing to others, and may say too much: its name does.
    base_model = outcome.model_name
    name = Path(base_model).name if Path(base_model).is_absolute() else base_model
    tuned = [row for row in comparisons_of(outcome, outcome.verdict.metric) if "tuned" in (row.system, row.baseline)]
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
        f"{_examples(data, training, everything=refitted is not None)} "
        f"{training.chunks:,} chunks of {plain(source)}, {_method(training)} "
        f"{training_sentence(training)}",
        "",
        *([plain(data.context.sentence), ""] if data.context else []),
        "## Figures",
        "",
        f"{plain(test_questions(outcome))}. {_whose(outcome, refitted is not None)}95% intervals in brackets.",
        "",
        systems_table(outcome),
        "",
        *(f"- {sentence(row)}" for row in tuned),
        "",
        f"Verdict of the run: {plain(outcome.verdict.headline)}",
        "",
        "## What it takes to run, measured once",
        "",
        *cost_markdown(outcome),
        "",
        "## How to load",
        "",
        fenced(load_example, "python"),
        "",
        "## The system that won, in production",
        "",
        *search_section(outcome),
        "",
        "## Limits",
        "",
        f"- {_elsewhere(outcome)}",
        "- The figures hold for questions of the kind above; expect other results on other kinds of questions.",
        f"- The licence of {plain(name)} still applies; that of the documents may apply to the weights too.",
        *(f"- {plain(note.text)}" for note in outcome.notes if note.level == "warning"),
        *(f"- {plain(finding.text)}" for finding in warnings_of(outcome)),
        "",
    ]
    return "\n".join(lines)


def _whose(outcome: Outcome, refitted: bool) -> str:
    """Which model the figures are of, and what it had not seen."""
    if refitted:
        windows = outcome.tuned is not None and outcome.tuned.report.learned_from == "windows"
        learned = (
            "on the chunks that answer test questions too" if windows else "on everything, test questions included"
        )
        return (
            f"**The figures are not this model's: they are those of the one in `{HELD_OUT_FOLDER}`**, which was trained by the "
            f"same recipe and saw no chunk of theirs. This one was trained afterwards {learned}, so no question is left to test "
            "it. "
        )
    ships = f" The model that ships is in `{MODEL_FOLDER}`: the same recipe on everything." if outcome.refitted else ""
    trained_on = outcome.config.dataset.train_on == "all"
    seen = "No question of theirs was trained on" if trained_on else "No chunk of theirs was trained on"
    return f"{seen}.{ships} "


def _examples(data: DatasetReport, training: TrainingReport, *, everything: bool) -> str:
    """The beginning of a sentence: what stood in the batches."""
    if training.learned_from == "windows":
        return "Trained without questions, on windows that ask for their neighbours in"
    if everything:
        return f"Trained on all {sum(data.questions.values()):,} questions, those of dev and test included, about"
    return f"Trained on {data.questions['train']:,} questions ({plain(origin_words(data.origins['train']))}) about"


LOSSES = {
    "ranking": "the multiple negatives ranking loss",
    "gist": "a guided multiple negatives ranking loss (GISTEmbed)",
    "distillation": "the multiple negatives ranking loss and, in equal part, distillation of a teacher's scores",
}


def _method(training: TrainingReport) -> str:
    """What was trained, and against which negatives."""
    if training.part == "adapter":
        return (
            f"with {LOSSES[training.loss]}: a map of question vectors alone, all other train passages being a "
            "question's negatives. Passages keep the base model's vectors."
        )
    return f"with {LOSSES[training.loss]} in batches by chunk: the other chunks of a batch are a question's negatives."


def _elsewhere(outcome: Outcome) -> str:
    general = outcome.general
    if general is None:
        return "Tuned for the documents above; what that costs on other text was not measured (evaluation.general=...)."
    # A folder's path says nothing to others, and may say too much: its name does.
    named = replace(general, name=Path(general.name).name)
    return plain(general_sentence(named, outcome.verdict.metric))
