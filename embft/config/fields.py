"""Fields of the configuration that carry their limits."""

from __future__ import annotations

from dataclasses import field
from typing import Any

ANSWER_METRICS = ("answer@256", "answer@512", "answer@1024", "answer@2048", "answer@4096")
"""Share of questions answered within the first so many tokens that are handed over: what jobs of unlike chunks share."""
RANK_METRICS = ("hit_rate@1", "hit_rate@3", "hit_rate@5", "hit_rate@10", "mrr@10", "ndcg@10", "map@100")
"""Metrics that count chunks."""
OBJECTIVE_METRICS = (*RANK_METRICS, *ANSWER_METRICS)
"""Metrics that are reported with intervals, compared, and open to a sweeper."""
DEV_METRICS = ("ndcg@10", "mrr@10", "map@100", "hit_rate@5", "hit_rate@1")
"""Metrics that may choose on dev."""


def choice(default: Any, *choices: str) -> Any:
    """A value out of a few."""
    return field(default=default, metadata={"choices": choices})


def number(default: Any, low: float | None = None, high: float | None = None, *, above: float | None = None) -> Any:
    """A number between ``low`` and ``high``, or greater than ``above``."""
    return field(default=default, metadata={"low": low, "high": high, "above": above})
