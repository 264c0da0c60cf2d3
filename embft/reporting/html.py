"""report.html: one file, no network, for a person who has ten seconds, and for one who has an hour."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from embft.reporting.plots import curve, dots
from embft.reporting.wording import (
    comparisons_of,
    dataset_rows,
    headline_metrics,
    interval,
    label,
    number,
    p_value,
    sentence,
    test_questions,
    timing_rows,
)

_PASSAGE_CHARACTERS = 1200
"""Of a passage shown in the report: keeps 5,000 questions below 10 MB."""


def write_html(
    path: Path, metrics: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], passages: Mapping[str, str]
) -> None:
    """Writes the report.

    Args:
        path: The file.
        metrics: As in metrics.json.
        rows: As in per_query.jsonl.
        passages: Chunk id to text; those that the rows name are embedded.
    """
    path.write_text(render_html(metrics, rows, passages), encoding="utf-8")


def render_html(metrics: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], passages: Mapping[str, str]) -> str:
    """The report as HTML. All text is escaped: what stands in a corpus is shown, never run."""
    environment = Environment(
        loader=PackageLoader("embft.reporting"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "label": label,
        "number": number,
        "interval": interval,
        "p_value": p_value,
        "sentence": sentence,
    }
    shown = headline_metrics(metrics)
    systems = metrics["systems"]
    return environment.get_template("report.html").render(
        metrics=metrics,
        systems=systems,
        shown=shown,
        best={name: max(figures[name] for figures in systems.values()) for name in shown},
        test_questions=test_questions(metrics),
        primary_comparisons=comparisons_of(metrics, metrics["verdict"]["metric"]),
        dataset_rows=dataset_rows(metrics),
        timings=timing_rows(metrics),
        dot_plots=[(name, dots(systems, name)) for name in shown],
        fusion_curve=_fusion_curve(metrics),
        training_curves=_training_curves(metrics),
        data=embedded_json(_explorer(metrics, rows, passages)),
    )


def embedded_json(value: Any) -> Markup:
    """JSON that can stand in a script element: nothing in it can end the element or begin another."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _explorer(
    metrics: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], passages: Mapping[str, str]
) -> dict[str, Any]:
    """What the page's table of questions works on; each passage stands once."""
    systems = list(metrics["systems"])
    primary = metrics["verdict"]["metric"]
    numbers: dict[str, int] = {}

    def refer(chunk_id: str) -> int:
        return numbers.setdefault(chunk_id, len(numbers))

    questions = [
        [
            row["question"],
            row["origin"],
            [refer(chunk_id) for chunk_id in row["relevant"]],
            [
                [found["rank"], round(found[primary], 4), refer(found["top"][0]) if found["top"] else None]
                for found in (row["systems"][system] for system in systems)
            ],
        ]
        for row in rows
    ]
    texts = [[chunk_id, _shortened(passages.get(chunk_id, ""))] for chunk_id in numbers]
    return {"systems": systems, "metric": label(primary), "questions": questions, "passages": texts}


def _shortened(text: str) -> str:
    return text if len(text) <= _PASSAGE_CHARACTERS else text[:_PASSAGE_CHARACTERS] + " …"


def _fusion_curve(metrics: Mapping[str, Any]) -> Markup | None:
    fusion = metrics["fusion"]
    if not fusion or not fusion["curve"]:
        return None
    return curve(
        [(weight, value) for weight, value in fusion["curve"]],
        title=f"{label(fusion['metric'])} on dev by weight of {fusion['dense']}",
        x_label=f"weight of {fusion['dense']} (0 = BM25 alone)",
        mark=fusion["weight"],
    )


def _training_curves(metrics: Mapping[str, Any]) -> list[Markup]:
    training = metrics["training"]
    if not training:
        return []
    curves = []
    selected = training["settings"]["select_by"]
    for name, title in ((f"dev_{selected}", f"{label(selected)} on dev by epoch"), ("loss", "Mean loss by epoch")):
        points = [(epoch["epoch"], epoch[name]) for epoch in training["history"] if name in epoch]
        if len(points) > 1:
            best = training["best_epoch"] if name != "loss" else None
            curves.append(curve(points, title=title, x_label="epoch (0 = base model)", mark=best))
    return curves
