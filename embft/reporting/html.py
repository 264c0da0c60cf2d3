"""report.html: one file, no network, for a person who has ten seconds, and for one who has an hour."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from embft.evaluation.names import label
from embft.files import write_text
from embft.reporting.audit_phrases import (
    audit_name,
    clean_sentence,
    cost_columns,
    cost_rows,
    example_rows,
    power_sentences,
    slice_rows,
    warnings_of,
)
from embft.reporting.explorer import embedded_json, explorer_data, explorer_words
from embft.reporting.judging_phrases import judge_sentences, judged_columns, judged_rows
from embft.reporting.markdown import learned_sentence, refit_sentences, training_sentence, versions_sentence
from embft.reporting.phrases import (
    answer_metrics,
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
    realism_columns,
    realism_rows,
    seeds_sentence,
    sentence,
    settings_rows,
    test_questions,
    timing_rows,
    training_rows,
)
from embft.reporting.plots import curve, differences, dots
from embft.results import Outcome
from embft.training.report import TrainingReport
from embft.wording import counted, joined, listed, retold, say, spoken

_FILTERS = (audit_name, example_rows, label, number, interval, p_value, points, points_interval, retold, sentence)
PAGE_LANGUAGES = {"en": "en", "zh": "zh-Hans"}
"""What the page says it is written in (BCP 47): browsers choose letter forms and line breaks by it."""


def write_html(path: Path, outcome: Outcome) -> None:
    """Writes the report."""
    write_text(path, render_html(outcome))


def render_html(outcome: Outcome) -> str:
    """The report as HTML. All text is escaped: what stands in a corpus is shown, never run."""
    shown, systems, primary = headline_metrics(outcome), outcome.evaluated.systems, outcome.verdict.metric
    training = outcome.tuned.report if outcome.tuned else None
    comparisons = comparisons_of(outcome, primary)
    columns, every_metric = metric_table(outcome)
    chosen = outcome.verdict.decision
    slice_heads, slices = slice_rows(outcome)
    context = outcome.dataset.context
    return render_page(
        "report.html",
        script="report.js",
        outcome=outcome,
        training=training,
        systems=systems,
        shown=shown,
        answers=answer_metrics(outcome),
        chosen=chosen,
        best={name: max(result.means[name] for result in systems.values()) for name in shown},
        test_questions=test_questions(outcome),
        comparisons=comparisons,
        difference_plot=differences(comparisons),
        dot_plots=[(name, _dots(outcome, name)) for name in shown],
        curves=[
            curve
            for curve in (_fusion_curve(outcome), _reranking_curve(outcome), *_training_curves(training))
            if curve[1] is not None
        ],
        findings=outcome.audits.findings,
        alarms=list(dict.fromkeys(audit_name(finding.audit) for finding in warnings_of(outcome))),
        clean=clean_sentence(outcome),
        power=power_sentences(outcome),
        slice_heads=slice_heads,
        slices=slices,
        judged_columns=judged_columns(outcome),
        judged_rows=judged_rows(outcome),
        judge_sentences=judge_sentences(outcome.judged) if outcome.judged else [],
        cost_columns=cost_columns(),
        cost_rows=cost_rows(outcome),
        dataset_rows=dataset_rows(outcome),
        realism_columns=realism_columns(),
        realism_rows=realism_rows(outcome),
        facts=[
            (title, facts)
            for title, facts in (
                (say("What was read"), fact_rows(asdict(outcome.corpus.reading) if outcome.corpus else None)),
                (say("What stands before each chunk"), fact_rows(asdict(context) if context else None)),
                (say("How questions were made"), fact_rows(outcome.questions.report if outcome.questions else None)),
                (
                    say("How dev and test questions were made"),
                    fact_rows(outcome.asked.report if outcome.asked else None),
                ),
            )
            if facts
        ],
        seeds=seeds_sentence(outcome),
        metric_columns=columns,
        figure_counts=[f"{name} {len(result.metrics)}" for name, result in systems.items()],
        every_metric=every_metric,
        settings=settings_rows(outcome),
        training_settings=training_rows(training),
        timings=timing_rows(outcome),
        trained=joined([training_sentence(training), learned_sentence(training), *refit_sentences(outcome)])
        if training
        else "",
        versions=versions_sentence(outcome),
        data=embedded_json({**explorer_data(outcome), "words": explorer_words()}),
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
    environment.globals |= {function.__name__: function for function in (counted, joined, listed, say)}
    assert environment.loader is not None
    code = environment.loader.get_source(environment, script)[0]
    script_hash = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    page = environment.get_template(template)
    return page.render(script=Markup(code), script_hash=script_hash, language=PAGE_LANGUAGES[spoken()], **values)


def _dots(outcome: Outcome, metric: str) -> Markup:
    means = [
        (name, result.means[metric], result.intervals[metric]) for name, result in outcome.evaluated.systems.items()
    ]
    return dots(means, metric, outcome.verdict.decision)


def _fusion_curve(outcome: Outcome) -> tuple[str, Markup | None]:
    fusion = outcome.fusion
    if fusion is None:
        return "", None
    metric = label(fusion.metric)
    title = say("{metric} on dev by weight of {system}", metric=metric, system=fusion.dense)
    x_label = say("weight of {system} (0 = BM25 alone)", system=fusion.dense)
    mark = fusion.weight
    if fusion.late:
        title = say("{metric} on dev by weight of {system} against BM25", metric=metric, system=fusion.dense)
        x_label += say("; beside {share:.0%} token vectors", share=fusion.late)
        mark = fusion.weight / (1 - fusion.late) if fusion.late < 1 else 0.0
    return title, curve(fusion.curve, title=title, x_label=x_label, mark=round(mark, 6))


def _reranking_curve(outcome: Outcome) -> tuple[str, Markup | None]:
    reranking = outcome.reranking
    if reranking is None or not reranking.curve:
        return "", None
    title = say("{metric} on dev by weight of the reranker", metric=label(reranking.metric))
    x_label = say("weight of the reranker (0 = the fusion)")
    return title, curve(reranking.curve, title=title, x_label=x_label, mark=reranking.weight)


def _training_curves(training: TrainingReport | None) -> list[tuple[str, Markup | None]]:
    if training is None:
        return []
    selected = str(training.settings.get("select_by", "ndcg@10"))
    on_dev = [(epoch.epoch, epoch.dev[selected]) for epoch in training.history if selected in epoch.dev]
    losses = [(epoch.epoch, epoch.loss) for epoch in training.history if epoch.loss is not None]
    x_label = say("epoch (0 = base model)")
    titles = say("{metric} on dev by epoch", metric=label(selected)), say("Mean loss by epoch")
    return [
        (titles[0], curve(on_dev, title=titles[0], x_label=x_label, mark=training.best_epoch)),
        (titles[1], curve(losses, title=titles[1], x_label=x_label)),
    ]
