"""The tuned model's card: model/README.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embft.reporting.markdown import systems_table
from embft.reporting.wording import comparisons_of, sentence, test_questions


def write_card(model_folder: Path, metrics: Mapping[str, Any], base_model: str, load_example: str) -> None:
    """Writes the card: what was trained on what, figures with intervals, limits, how to load.

    Args:
        model_folder: The run's ``model`` folder.
        metrics: As in metrics.json.
        base_model: The base model's name.
        load_example: Python that loads and searches as the evaluation did.
    """
    data, training = metrics["dataset"], metrics["training"]
    kinds = ", ".join(f"{count} {kind}" for kind, count in data["origins"]["train"].items())
    tuned = [
        row
        for row in comparisons_of(metrics, metrics["verdict"]["metric"])
        if "tuned" in (row["system"], row["baseline"])
    ]
    lines = [
        "---",
        "library_name: sentence-transformers",
        "pipeline_tag: sentence-similarity",
        f"base_model: {base_model}",
        "tags: [sentence-transformers, feature-extraction, embft]",
        "---",
        "",
        f"# {base_model}, tuned by embft",
        "",
        f"Trained on {data['questions']['train']} questions ({kinds}) about {training['chunks']} chunks of "
        f"{data['corpus'] or data['name']}: epoch {training['best_epoch']} of {training['epochs']}, chosen on "
        f"{data['questions']['dev']} dev questions; batches by chunk, multiple negatives ranking loss.",
        "",
        "## Figures",
        "",
        f"{test_questions(metrics)}. No chunk of theirs was trained on.",
        "",
        systems_table(metrics),
        "",
        *(f"- {sentence(row)}" for row in tuned),
        "",
        f"Verdict of the run: {metrics['verdict']['headline']}",
        "",
        "## How to load",
        "",
        "```python",
        load_example,
        "```",
        "",
        "## Limits",
        "",
        "- Tuned for the documents above; what it costs on other text was not measured.",
        *(f"- {note['text']}" for note in metrics["notes"] if note["level"] == "warning"),
        "",
    ]
    (model_folder / "README.md").write_text("\n".join(lines), encoding="utf-8")
