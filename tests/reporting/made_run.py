"""A made-up run, as the pipeline would write it: metrics.json, the rows of per_query.jsonl, and passages."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HEADLINES = ("hit_rate@5", "ndcg@10", "mrr@10", "map@100")
_MEANS = {"bm25": 0.62, "base": 0.66, "tuned": 0.71, "fused": 0.74, "openai": 0.72}
_BOTH = {"base", "tuned", "openai"}
_NAMES = [
    *(f"{name}@{k}" for name in ("accuracy", "precision", "recall") for k in (1, 3, 5, 10)),
    "ndcg@10",
    "mrr@10",
    "map@100",
]


def make_metrics(
    systems: Sequence[str] = ("bm25", "base", "tuned", "fused"),
    *,
    origins: Mapping[str, int] | None = None,
    shift: float = 0.0,
    **changes: Any,
) -> dict[str, Any]:
    """metrics.json. ``shift`` is added to every mean but BM25's; ``changes`` replace its entries."""
    origins = origins or {"human": 182}
    means = {name: _MEANS[name] + (0 if name == "bm25" else shift) for name in systems}
    metrics: dict[str, Any] = {
        "schema_version": 1,
        "status": "ok",
        "experiment": {
            "name": "2026-01-02_03-04-05",
            "command": "python run.py training.epochs=3",
            "seed": 42,
            "embft_version": "0.1.0",
            "commit": "0123456789ab",
            "python": "3.11.7",
            "platform": "Linux x86_64, 2 cores",
            "choices": {"model": "minilm", "corpus": "python_reference"},
            "overrides": ["training.epochs=3"],
        },
        "systems": {name: _system(name, mean) for name, mean in means.items()},
        "comparisons": [
            {
                "system": system,
                "baseline": baseline,
                "metric": metric,
                "delta": means[system] - means[baseline],
                "ci95": [means[system] - means[baseline] - 0.035, means[system] - means[baseline] + 0.035],
                "p_value": 0.012,
                "wins": 21,
                "losses": 8,
                "ties": 153,
                "p_holm": 0.048,
                "p_mcnemar": 0.024 if metric.startswith("hit_rate@") else None,
                "detectable": 0.05,
                "questions_needed": 558,
            }
            for at, baseline in enumerate(systems)
            for system in systems[at + 1 :]
            for metric in HEADLINES
        ],
        "timings": {
            "corpus": {"seconds": 0.02, "cached": True, "built_seconds": 3.4},
            "training": {"seconds": 27.1, "cached": False, "built_seconds": 27.0},
        },
        "dataset": {
            "name": "generated",
            "corpus": "python_reference",
            "questions": {"train": 391, "dev": 85, "test": sum(origins.values())},
            "chunks": {"train": 210, "dev": 66, "test": 165},
            "searched": {"dev": 441, "test": 441},
            "origins": {"train": {"extractive": 391}, "dev": {"human": 85}, "test": dict(origins)},
            "reading": {"documents": 78, "skipped": [f"page-{page}" for page in range(50)]},
            "generation": {"asked": 882, "made": 851},
            "unmapped": [{"question": "what is a walrus", "reason": "its quote is not in the corpus"}],
        },
        "fusion": {
            "weight": 0.6,
            "dense": "tuned",
            "metric": "ndcg@10",
            "curve": [[step / 10, 0.7 - (step / 10 - 0.6) ** 2] for step in range(11)],
        },
        "training": {
            "epochs": 2,
            "best_epoch": 2,
            "seconds": 27.0,
            "history": [
                {"epoch": 0, "dev_ndcg@10": 0.61},
                {"epoch": 1, "loss": 0.9, "dev_ndcg@10": 0.66},
                {"epoch": 2, "loss": 0.5, "dev_ndcg@10": 0.68},
            ],
            "device": "cpu",
            "precision": "bf16",
        },
        "notes": [{"level": "warning", "text": "412 of 441 chunks are longer than the model reads."}],
        "verdict": {
            "decision": systems[-1],
            "headline": "Ship the fusion of BM25 and embeddings.",
            "reasons": ["The fusion of BM25 and embeddings has the highest ndcg@10: 0.740."],
            "metric": "ndcg@10",
            "costs": {
                name: {
                    "vectors": 0 if name == "bm25" else 1203,
                    "dimension": None if name == "bm25" else 384,
                    "tokens": 0 if name == "bm25" else 98_000,
                    "vectors_per_second": None if name == "bm25" else 85.0,
                    "embed_seconds": 0.0 if name == "bm25" else 14.2,
                    "index_bytes": 300_000 if name == "bm25" else 1_847_808,
                    "query_ms": 0.4 if name == "bm25" else 9.3,
                    "dollars": 0.0,
                }
                for name in systems
            },
        },
        "audits": {
            "findings": [
                {
                    "audit": "truncation",
                    "level": "warning",
                    "count": 412,
                    "total": 441,
                    "text": "Most chunks are truncated: 412 of 441.",
                    "remedy": "retrieval=windows reads all of it.",
                    "examples": [{"question": "what is cut off", "unread sentence": "The end of it."}],
                }
            ],
            "clean": ["leaks", "language"],
            "power": {"questions": 182, "chunks": 91, "effective": 140.0, "similar": 0.04, "unlike": 0.09},
            "precision": 0.02,
        },
        "general": {
            "name": "data/scifact",
            "questions": 300,
            "chunks": 5183,
            "systems": {},
            "comparisons": [
                {
                    "system": "tuned",
                    "baseline": "base",
                    "metric": "ndcg@10",
                    "delta": -0.021,
                    "ci95": [-0.034, -0.008],
                    "p_value": 0.001,
                    "wins": 20,
                    "losses": 41,
                    "ties": 239,
                }
            ],
        },
        "slices": [
            {
                "trait": "kind of question",
                "value": value,
                "questions": 61,
                "systems": {name: {"mean": mean, "ci95": [mean - 0.1, mean + 0.1]} for name, mean in means.items()},
                "differences": [],
            }
            for value in ("how", "what or which")
        ],
    }
    return metrics | changes


def make_rows(systems: Sequence[str], count: int = 182, chunks: int = 441) -> list[dict[str, Any]]:
    """Rows of per_query.jsonl: of every four questions tuned wins one, loses one, and ties two."""
    dice = random.Random(0)
    rows = []
    for at in range(count):
        ranks: dict[str, int | None] = dict.fromkeys(systems, 2)
        if at % 4 == 0:
            ranks["tuned"] = 1
        elif at % 4 == 1:
            ranks["tuned"] = None
        relevant = f"chunk-{at % chunks}"
        rows.append(
            {
                "question_id": f"q{at}",
                "question": f"how do I do thing {at}",
                "origin": "human",
                "relevant": [relevant],
                "systems": {name: _found(ranks[name], relevant, dice.randrange(chunks)) for name in systems},
            }
        )
    return rows


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


def _system(name: str, mean: float) -> dict[str, Any]:
    scores = ("cosine", "dot") if name in _BOTH else (name,)
    means = {f"hit_rate@{k}": min(1.0, mean + 0.01 * k) for k in (1, 3, 5, 10)}
    means |= {"ndcg@10": mean, "mrr@10": mean - 0.03, "map@100": mean - 0.02}
    return {
        **means,
        "intervals": {metric: [means[metric] - 0.05, means[metric] + 0.05] for metric in HEADLINES},
        "score_name": scores[0],
        "description": f"{name}, as described",
        "dev": {metric: value - 0.01 for metric, value in means.items()},
        "metrics": {f"{score}_{key}": mean for score in scores for key in _NAMES},
    }


def _found(rank: int | None, relevant: str, other: int) -> dict[str, Any]:
    score = 0.0 if rank is None else {1: 1.0, 2: 0.63}[rank]
    top = [relevant, f"chunk-{other}"] if rank == 1 else [f"chunk-{other}", relevant]
    return {
        "rank": rank,
        "hit_rate@5": float(rank is not None),
        "ndcg@10": score,
        "mrr@10": score,
        "map@100": score,
        "top": top,
    }
