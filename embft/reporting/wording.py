"""The words and rows that the report's forms share: terminal, Markdown, HTML and model card say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

HEADLINES = ("hit_rate@5", "ndcg@10", "mrr@10", "map@100")
LABELS = {
    "hit_rate@1": "hit rate@1",
    "hit_rate@3": "hit rate@3",
    "hit_rate@5": "hit rate@5",
    "hit_rate@10": "hit rate@10",
    "ndcg@10": "nDCG@10",
    "mrr@10": "MRR@10",
    "map@100": "MAP@100",
}
_ORIGINS = {
    "human": "asked by people",
    "extractive": "cut out of the passages",
    "openai": "written by an LLM from the passages",
    "local_llm": "written by a local LLM from the passages",
    "file": "from the given file",
}


def label(metric: str) -> str:
    """A metric's name as people write it."""
    return LABELS.get(metric, metric)


def headline_metrics(metrics: Mapping[str, Any]) -> list[str]:
    """The metrics shown first: those that have intervals, in a fixed order."""
    first = next(iter(metrics["systems"].values()))
    return [name for name in LABELS if name in first["intervals"]] or list(HEADLINES)


def comparisons_of(metrics: Mapping[str, Any], metric: str) -> list[Mapping[str, Any]]:
    """The comparisons by one metric."""
    return [row for row in metrics["comparisons"] if row["metric"] == metric]


def sentence(row: Mapping[str, Any]) -> str:
    """A comparison in one sentence, with its interval, p-value and counts."""
    delta, (low, high) = 100 * row["delta"], (100 * value for value in row["ci95"])
    sense = "beats" if low > 0 else "loses to" if high < 0 else "is not distinguishable from"
    return (
        f"{row['system']} {sense} {row['baseline']}: {delta:+.1f} points of {label(row['metric'])} "
        f"[{low:+.1f}, {high:+.1f}], {p_value(row['p_value'])}; {row['wins']} won, {row['losses']} lost, {row['ties']} tied"
    )


def p_value(value: float) -> str:
    """``p=0.012``, or ``p<0.001``."""
    return "p<0.001" if value < 0.001 else f"p={value:.3f}"


def test_questions(metrics: Mapping[str, Any]) -> str:
    """What the test questions are and what they search."""
    data = metrics["dataset"]
    kinds = ", ".join(f"{count} {_ORIGINS.get(name, name)}" for name, count in data["origins"]["test"].items())
    return f"{data['questions']['test']} test questions ({kinds}), searching {data['searched']['test']} chunks"


def dataset_rows(metrics: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Split, questions, chunks, what the questions are."""
    data = metrics["dataset"]
    return [
        (
            name,
            str(data["questions"][name]),
            str(data["chunks"][name]),
            ", ".join(f"{count} {_ORIGINS.get(kind, kind)}" for kind, count in data["origins"].get(name, {}).items()),
        )
        for name in ("train", "dev", "test")
    ]


def timing_rows(metrics: Mapping[str, Any]) -> list[tuple[str, float, bool]]:
    """Stage, seconds, from the cache."""
    return [(name, timing["seconds"], timing["cached"]) for name, timing in metrics["timings"].items()]


def interval(values: Sequence[float]) -> str:
    """``[.812, .874]``."""
    return "[" + ", ".join(number(value) for value in values) + "]"


def number(value: float) -> str:
    """Three decimals without the leading zero, as tables of IR papers have it."""
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0.") else text
