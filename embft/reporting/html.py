"""report.html: one file, no network, for a person who has ten seconds, and for one who has an hour."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from embft.evaluation.names import label
from embft.files import write_text
from embft.reporting.audit_phrases import (
    COST_COLUMNS,
    audit_name,
    clean_sentence,
    cost_rows,
    power_sentences,
    slice_rows,
    warnings_of,
)
from embft.reporting.explorer import embedded_json, explorer_data
from embft.reporting.markdown import learned_sentence, training_sentence
from embft.reporting.phrases import (
    REALISM,
    comparisons_of,
    dataset_rows,
    fact_rows,
    headline_metrics,
    interval,
    metric_table,
    number,
    p_value,
    points,
    points_interval,
    realism_rows,
    seeds_sentence,
    sentence,
    settings_rows,
    test_questions,
    timing_rows,
)
from embft.reporting.plots import curve, differences, dots

_FILTERS = (audit_name, label, number, interval, p_value, points, points_interval, sentence)


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
    write_text(path, render_html(metrics, rows, passages))


def render_html(metrics: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], passages: Mapping[str, str]) -> str:
    """The report as HTML. All text is escaped: what stands in a corpus is shown, never run."""
    shown, systems, primary = headline_metrics(metrics), metrics["systems"], metrics["verdict"]["metric"]
    comparisons = comparisons_of(metrics, primary)
    columns, every_metric = metric_table(metrics)
    chosen = metrics["verdict"]["decision"]
    slice_heads, slices = slice_rows(metrics)
    return render_page(
        "report.html",
        script="report.js",
        metrics=metrics,
        systems=systems,
        shown=shown,
        chosen=chosen,
        best={name: max(figures[name] for figures in systems.values()) for name in shown},
        test_questions=test_questions(metrics),
        comparisons=comparisons,
        difference_plot=differences(comparisons),
        dot_plots=[(name, dots(systems, name, chosen)) for name in shown],
        curves=[found for found in (_fusion_curve(metrics), *_training_curves(metrics)) if found[1] is not None],
        findings=metrics["audits"]["findings"],
        alarms=list(dict.fromkeys(audit_name(found["audit"]) for found in warnings_of(metrics))),
        clean=clean_sentence(metrics),
        power=power_sentences(metrics),
        slice_heads=slice_heads,
        slices=slices,
        cost_columns=COST_COLUMNS,
        cost_rows=cost_rows(metrics),
        dataset_rows=dataset_rows(metrics),
        realism_columns=REALISM,
        realism_rows=realism_rows(metrics),
        facts=[
            (title, found)
            for title, found in (
                ("What was read", fact_rows(metrics["dataset"].get("reading"))),
                ("How questions were made", fact_rows(metrics["dataset"].get("generation"))),
            )
            if found
        ],
        seeds=seeds_sentence(metrics),
        metric_columns=columns,
        every_metric=every_metric,
        settings=settings_rows(metrics),
        training_settings=fact_rows((metrics["training"] or {}).get("settings")),
        timings=timing_rows(metrics),
        trained="".join(
            said(metrics["training"]) for said in (training_sentence, learned_sentence) if metrics["training"]
        ),
        data=embedded_json(explorer_data(metrics, rows, passages)),
    )


def render_page(template: str, script: str, **values: Any) -> str:
    """Renders a page of ``templates/`` with its script and the shared style in it.

    The page's policy names the hash of that one script: whatever else might get into the page, the browser neither
    runs it nor lets it load anything (Content Security Policy Level 3, section 6.7).
    """
    environment = Environment(
        loader=PackageLoader("embft.reporting"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {function.__name__: function for function in _FILTERS}
    assert environment.loader is not None
    code = environment.loader.get_source(environment, script)[0]
    script_hash = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    return environment.get_template(template).render(script=Markup(code), script_hash=script_hash, **values)


def _fusion_curve(metrics: Mapping[str, Any]) -> tuple[str, Markup | None]:
    fusion = metrics["fusion"]
    if not fusion:
        return "", None
    title = f"{label(fusion['metric'])} on dev by weight of {fusion['dense']}"
    return title, curve(
        [(weight, value) for weight, value in fusion["curve"]],
        title=title,
        x_label=f"weight of {fusion['dense']} (0 = BM25 alone)",
        mark=fusion["weight"],
    )


def _training_curves(metrics: Mapping[str, Any]) -> list[tuple[str, Markup | None]]:
    training = metrics["training"]
    if not training:
        return []
    selected = training.get("settings", {}).get("select_by", "ndcg@10")
    curves = []
    for name, title in ((f"dev_{selected}", f"{label(selected)} on dev by epoch"), ("loss", "Mean loss by epoch")):
        values = [(epoch["epoch"], epoch[name]) for epoch in training["history"] if epoch.get(name) is not None]
        mark = training["best_epoch"] if name != "loss" else None
        curves.append((title, curve(values, title=title, x_label="epoch (0 = base model)", mark=mark)))
    if merge := training.get("merge"):
        title = f"{label(merge['metric'])} on dev by share of the tuned weights"
        curves.append(
            (title, curve(merge["curve"], title=title, x_label="share of tuned (0 = base model)", mark=merge["alpha"]))
        )
    return curves
