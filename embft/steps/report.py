"""Stage ``report``: everything that the run found out, to metrics.json, per_query.jsonl, report and tracker.

Never cached: it is quick, and it describes this run.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from embft.config import ExperimentConfig
from embft.corpus.context import ContextChoice, UntriedTitles
from embft.evaluation.costs import MeasuredCosts, Rates
from embft.evaluation.figures import SystemResult
from embft.files import write_json, write_jsonl
from embft.judging.judgements import Judged
from embft.prices import embedding_price, rerank_prices
from embft.ranking.bench import SystemFacts, ranker_of
from embft.records import HELD_OUT_FOLDER, MODEL_FOLDER
from embft.reporting.card import write_card
from embft.reporting.html import write_html
from embft.reporting.language import corpus_languages, in_the_readers_words, report_language
from embft.reporting.load_example import load_example
from embft.reporting.markdown import write_markdown
from embft.reporting.metrics_file import metrics_of, per_query_rows, question_table, tracker_keys
from embft.reporting.notes import index_notes, log_notes, notes_of, title_notes
from embft.reporting.text import print_summary
from embft.reporting.verdict_words import verdict_of
from embft.results import (
    Asked,
    Audits,
    Corpus,
    Dataset,
    Evaluated,
    General,
    Outcome,
    QuestionSet,
    Rankings,
    Seeds,
    Timing,
    Tuned,
)
from embft.runs.folder import RunFolder
from embft.steps.products import products_of
from embft.tracking import Tracker
from embft.wording import speaking

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stages:
    """What the run's stages gave; None for a stage that there was not."""

    corpus: Corpus | None
    asked: Asked | None
    questions: QuestionSet | None
    dataset: Dataset
    audits: Audits
    tuned: Tuned | None
    rankings: Rankings
    evaluated: Evaluated
    measured: MeasuredCosts
    general: General | None
    seeds: Seeds | None
    model_notes: Sequence[str] = ()
    refitted: Tuned | None = None
    judged: Judged | None = None
    context_choice: ContextChoice | UntriedTitles | None = None


def make_outcome(
    config: ExperimentConfig, run: RunFolder, model_name: str, stages: Stages, timings: Mapping[str, Timing]
) -> Outcome:
    """Joins what the stages gave: descriptions, costs, verdict, notes, objective."""
    training = stages.tuned.report if stages.tuned else None
    whitened = bool(training and training.whitening and training.whitening.left_out is None)
    facts = SystemFacts(
        model_name,
        config.retrieval,
        config.evaluation.openai.model,
        stages.rankings.fusion,
        whitened,
        stages.rankings.reranking,
        corpus_languages(stages.dataset.splits.searched("test").corpus, config.retrieval.bm25_language),
    )
    systems = {
        name: replace(result, description=ranker_of(name).describe(facts))
        for name, result in stages.evaluated.systems.items()
    }
    rates = _rates(config)
    costs = {name: ranker_of(name).costs(stages.measured, rates) for name in systems}
    evaluated = replace(stages.evaluated, systems=systems)
    data = stages.dataset.report
    return Outcome(
        experiment=run.describe(),
        config=config,
        model_name=model_name,
        corpus=stages.corpus,
        asked=stages.asked,
        questions=stages.questions,
        dataset=data,
        searched=stages.dataset.splits.searched("test").corpus,
        contexts=stages.dataset.splits.test.contexts,
        audits=stages.audits,
        tuned=stages.tuned,
        fusion=stages.rankings.fusion,
        reranking=stages.rankings.reranking,
        index=stages.rankings.index,
        evaluated=evaluated,
        measured=stages.measured,
        general=stages.general,
        seeds=stages.seeds,
        judged=stages.judged.report if stages.judged else None,
        verdict=verdict_of(
            config,
            data,
            evaluated,
            costs,
            stages.measured,
            stages.general,
            stages.judged.report if stages.judged else None,
        ),
        notes=[
            *notes_of(data, training, _warnings(config, stages)),
            *log_notes(evaluated.askings),
            *title_notes(config.corpus.context, stages.corpus, data, stages.context_choice),
            *index_notes(stages.rankings.index),
        ],
        refitted=stages.refitted,
        objective=_objective(config, systems),
        timings=dict(timings),
    )


def _warnings(config: ExperimentConfig, stages: Stages) -> list[str]:
    """What the stages found out that a reader of the figures must know."""
    stands_in = config.questions.stands_in if stages.questions else None
    reading = stages.corpus.reading.warnings if stages.corpus else ()
    return [
        *([stands_in] if stands_in else ()),
        *reading,
        *_without_pages(config, stages.corpus),
        *stages.model_notes,
        *stages.rankings.notes,
    ]


def _without_pages(config: ExperimentConfig, corpus: Corpus | None) -> list[str]:
    """What ``retrieval.expand=page`` cannot do for files that have no pages."""
    if corpus is None or config.retrieval.expand != "page":
        return []
    alone = sum(chunk.page is None for chunk in corpus.chunks)
    if not alone:
        return []
    return [
        f"retrieval.expand=page: {alone:,} of {len(corpus.chunks):,} chunks are of files that have no pages, and are handed over "
        "alone. retrieval.expand=neighbours hands over the chunks beside them."
    ]


def write_report(outcome: Outcome, run: RunFolder, tracker: Tracker) -> None:
    """Writes the run's results, tracks them, prints the summary."""
    started = time.perf_counter()
    folder, rows = run.folder, outcome.evaluated.rows
    write_jsonl(folder / "per_query.jsonl", per_query_rows(rows))
    # What programs read, and what people send each other from one language to another, stays English.
    language = report_language(outcome)
    with speaking(language):
        reworded = in_the_readers_words(outcome)
        write_html(folder / "report.html", reworded)
        write_markdown(folder / "report.md", reworded)
    if outcome.tuned is not None:
        example = load_example(outcome.config, outcome.tuned, bool(outcome.contexts))
        write_card(folder / MODEL_FOLDER, outcome, example)
        if outcome.config.training.refit:
            write_card(folder / HELD_OUT_FOLDER, outcome, example, held_out=True)
    outcome.timings["report"] = Timing(round(time.perf_counter() - started, 3), cached=False)
    metrics = metrics_of(outcome)
    write_json(folder / "metrics.json", metrics)
    tracker.summary(tracker_keys(metrics))
    tracker.table("per_query", *question_table(rows, list(outcome.evaluated.systems)))
    for name in ("metrics.json", "report.html"):
        tracker.file(folder / name)
    for product in products_of(outcome, folder):
        tracker.product(product)
    with speaking(language):
        print_summary(reworded, folder)


def _rates(config: ExperimentConfig) -> Rates:
    def price(model: str, own: float | None) -> float | None:
        return embedding_price(model) if own is None else own

    model, api = config.model, config.evaluation.openai
    base = price(model.endpoint.model, model.endpoint.price_per_million_tokens) if model.kind == "endpoint" else 0.0
    rerank = config.evaluation.reranker.api
    by_request, by_token = rerank_prices(rerank.model)
    return Rates(
        base,
        price(api.model, api.price_per_million_tokens),
        api.model,
        by_token if rerank.price_per_million_tokens is None else rerank.price_per_million_tokens,
        by_request if rerank.price_per_thousand_requests is None else rerank.price_per_thousand_requests,
    )


def _objective(config: ExperimentConfig, systems: Mapping[str, SystemResult]) -> float:
    system, _, metric = config.evaluation.objective.partition("/")
    dev = systems[system].dev
    if not dev:
        logger.warning("There are no dev questions, so the objective %s is NaN.", config.evaluation.objective)
        return float("nan")
    return dev[metric]
