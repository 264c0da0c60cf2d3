"""A made-up run, as the pipeline would give it: an `Outcome`, and the files of a run folder."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from plain_config import plain_config

from embft.corpus.reading import ReadingReport
from embft.dataset.findings import Finding
from embft.dataset.holding_back import HeldBack
from embft.evaluation.costs import MeasuredCosts, MeasuredDense, MeasuredLexical, SystemCosts
from embft.evaluation.figures import (
    ComparisonRow,
    Evaluated,
    General,
    QuestionResult,
    QuestionRow,
    SliceMean,
    SliceRow,
    SystemResult,
)
from embft.evaluation.power import Power
from embft.questions import Unmapped
from embft.ranking.bench import Fusion
from embft.reporting.metrics_file import metrics_of, per_query_rows
from embft.results import (
    Asked,
    Audits,
    Corpus,
    DatasetReport,
    Note,
    Outcome,
    QuestionSet,
    RunFacts,
    Timing,
    Tuned,
    Verdict,
)
from embft.training.report import Epoch, TrainingReport

HEADLINES = ("hit_rate@5", "ndcg@10", "mrr@10", "map@100")
SYSTEMS = ("bm25", "base", "tuned", "fused")
_MEANS = {"bm25": 0.62, "base": 0.66, "tuned": 0.71, "fused": 0.74, "openai": 0.72}
_BOTH = {"base", "tuned", "openai"}
_NAMES = [
    *(f"{name}@{k}" for name in ("accuracy", "precision", "recall") for k in (1, 3, 5, 10)),
    "ndcg@10",
    "mrr@10",
    "map@100",
]
TRAINING = TrainingReport(
    part="full",
    loss="ranking",
    epochs=2,
    best_epoch=2,
    last_epoch=2,
    steps=52,
    history=[
        Epoch(0, None, {"ndcg@10": 0.61}),
        Epoch(1, 0.9, {"ndcg@10": 0.66}),
        Epoch(2, 0.5, {"ndcg@10": 0.68}),
    ],
    chunks=210,
    questions=391,
    passages=420,
    device="cpu",
    precision="bf16",
    seconds=27.0,
    query_prompt="",
    document_prompt="",
    settings={"select_by": "ndcg@10", "epochs": 2},
)


def make_outcome(
    systems: Sequence[str] = SYSTEMS, *, origins: Mapping[str, int] | None = None, shift: float = 0.0, **changes: Any
) -> Outcome:
    """A whole result. ``shift`` is added to every mean but BM25's; ``changes`` replace fields of the outcome."""
    origins = dict(origins or {"human": 182})
    means = {name: _MEANS[name] + (0 if name == "bm25" else shift) for name in systems}
    outcome = Outcome(
        experiment=RunFacts(
            name="2026-01-02_03-04-05",
            command="python run.py training.epochs=3",
            seed=42,
            embft_version="0.1.0",
            commit="0123456789ab",
            python="3.11.7",
            platform="Linux x86_64, 2 cores",
            choices={"model": "minilm", "corpus": "python_reference"},
            overrides=["training.epochs=3"],
        ),
        config=plain_config(),
        model_name="sentence-transformers/all-MiniLM-L6-v2",
        corpus=Corpus(
            [], [], ReadingReport(78, 78, 400_000, skipped=tuple({"document": f"page-{at}"} for at in range(50)))
        ),
        asked=Asked(
            HeldBack({"dev": [], "test": []}), {}, [Unmapped("what is a walrus", "its quote is not in the corpus")]
        ),
        questions=QuestionSet([], {"asked": 882, "made": 851}),
        dataset=DatasetReport(
            questions={"train": 391, "dev": 85, "test": sum(origins.values())},
            chunks={"train": 210, "dev": 66, "test": 165},
            searched={"dev": 441, "test": 441},
            origins={"train": {"extractive": 391}, "dev": {"human": 85}, "test": origins},
        ),
        searched=make_passages(),
        audits=Audits(
            [
                Finding(
                    "truncation",
                    "warning",
                    412,
                    441,
                    "Most chunks are truncated: 412 of 441.",
                    "retrieval=windows reads all of it.",
                    [{"question": "what is cut off", "unread sentence": "The end of it."}],
                )
            ],
            ["leaks", "language"],
            Power(182, 91, 140.0, 0.04, 0.09),
            {},
        ),
        tuned=Tuned(Path("model"), TRAINING),
        fusion=Fusion(0.6, "tuned", "ndcg@10", [(at / 10, 0.7 - (at / 10 - 0.6) ** 2) for at in range(11)]),
        evaluated=Evaluated(
            systems={name: _system(name, mean) for name, mean in means.items()},
            comparisons=_comparisons(systems, means),
            slices=[
                SliceRow(
                    "kind of question",
                    value,
                    61,
                    {name: SliceMean(mean, (mean - 0.1, mean + 0.1)) for name, mean in means.items()},
                    [],
                )
                for value in ("how", "what or which")
            ],
            rows=make_rows(systems),
        ),
        measured=MeasuredCosts(
            "cpu", 2, 441, 98_000, MeasuredDense(1203, 384, 98_000, 85.0, 9.3), MeasuredLexical(1, 0.4)
        ),
        general=General(
            "data/scifact",
            300,
            5183,
            {},
            [ComparisonRow("tuned", "base", "ndcg@10", -0.021, (-0.034, -0.008), 0.001, 20, 41, 239)],
        ),
        seeds=None,
        verdict=Verdict(
            systems[-1],
            "Ship the fusion of BM25 and embeddings.",
            ["The fusion of BM25 and embeddings has the highest ndcg@10: 0.740."],
            "ndcg@10",
            {name: _costs(name) for name in systems},
        ),
        notes=[Note("warning", "412 of 441 chunks are longer than the model reads.")],
        objective=0.7,
        timings={"corpus": Timing(0.02, True, 3.4), "training": Timing(27.1, False, 27.0)},
    )
    return replace(outcome, **changes)


def with_rows(outcome: Outcome, rows: list[QuestionRow], passages: Mapping[str, str]) -> Outcome:
    """The same with other questions and other texts."""
    return replace(outcome, evaluated=replace(outcome.evaluated, rows=rows), searched=passages)


def with_evaluated(outcome: Outcome, **changes: Any) -> Outcome:
    """The same with other systems, comparisons, slices or rows."""
    return replace(outcome, evaluated=replace(outcome.evaluated, **changes))


def with_training(outcome: Outcome, **changes: Any) -> Outcome:
    """The same with another training."""
    assert outcome.tuned is not None
    return replace(outcome, tuned=replace(outcome.tuned, report=replace(outcome.tuned.report, **changes)))


def make_metrics(systems: Sequence[str] = SYSTEMS, **changes: Any) -> dict[str, Any]:
    """metrics.json of such a run."""
    return metrics_of(make_outcome(systems, **changes))


def make_rows(systems: Sequence[str], count: int = 182, chunks: int = 441) -> list[QuestionRow]:
    """Test questions: of every four tuned wins one, loses one, and ties two."""
    dice = random.Random(0)
    rows = []
    for at in range(count):
        ranks: dict[str, int | None] = dict.fromkeys(systems, 2)
        if at % 4 == 0:
            ranks["tuned"] = 1
        elif at % 4 == 1:
            ranks["tuned"] = None
        relevant = f"chunk-{at % chunks}"
        results = {name: _result(ranks[name], relevant, dice.randrange(chunks)) for name in systems}
        rows.append(QuestionRow(f"q{at}", f"how do I do thing {at}", "human", [relevant], results))
    return rows


def make_row_lines(systems: Sequence[str], count: int = 182) -> list[dict[str, Any]]:
    """The lines of per_query.jsonl."""
    return per_query_rows(make_rows(systems, count))


def make_passages(count: int = 441, text: str = "Passage {} says how.") -> dict[str, str]:
    """Chunk id to text."""
    return {f"chunk-{at}": text.replace("{}", str(at)) for at in range(count)}


def write_job(folder: Path, metrics: Mapping[str, Any] | None = None, **status: Any) -> Path:
    """A run folder with status.json, and metrics.json where there are metrics."""
    folder.mkdir(parents=True)
    found = {"status": "ok", "stage": None, "command": "python run.py -m", "overrides": [], "seconds": 12.34, **status}
    (folder / "status.json").write_text(json.dumps(found), encoding="utf-8")
    if metrics is not None:
        (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    return folder


def _comparisons(systems: Sequence[str], means: Mapping[str, float]) -> list[ComparisonRow]:
    rows = []
    for at, baseline in enumerate(systems):
        for system in systems[at + 1 :]:
            delta = means[system] - means[baseline]
            rows += [
                ComparisonRow(
                    system,
                    baseline,
                    metric,
                    delta,
                    (delta - 0.035, delta + 0.035),
                    p_value=0.012,
                    wins=21,
                    losses=8,
                    ties=153,
                    p_mcnemar=0.024 if metric.startswith("hit_rate@") else None,
                    detectable=0.05,
                    questions_needed=558,
                    p_holm=0.048,
                )
                for metric in HEADLINES
            ]
    return rows


def _costs(name: str) -> SystemCosts:
    if name == "bm25":
        return SystemCosts(0, None, 0, None, 0.0, 300_000, 0.4, 0.0)
    return SystemCosts(1203, 384, 98_000, 85.0, 14.2, 1_847_808, 9.3, 0.0)


def _system(name: str, mean: float) -> SystemResult:
    scores = ("cosine", "dot") if name in _BOTH else (name,)
    means = {f"hit_rate@{k}": min(1.0, mean + 0.01 * k) for k in (1, 3, 5, 10)}
    means |= {"ndcg@10": mean, "mrr@10": mean - 0.03, "map@100": mean - 0.02}
    return SystemResult(
        means,
        {metric: (means[metric] - 0.05, means[metric] + 0.05) for metric in HEADLINES},
        scores[0],
        {metric: value - 0.01 for metric, value in means.items()},
        {f"{score}_{key}": mean for score in scores for key in _NAMES},
        f"{name}, as described",
    )


def _result(rank: int | None, relevant: str, other: int) -> QuestionResult:
    score = 0.0 if rank is None else {1: 1.0, 2: 0.63}[rank]
    top = [relevant, f"chunk-{other}"] if rank == 1 else [f"chunk-{other}", relevant]
    scores = {"hit_rate@5": float(rank is not None), "ndcg@10": score, "mrr@10": score, "map@100": score}
    return QuestionResult(rank, scores, top)
