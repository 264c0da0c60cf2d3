"""Results by kind of question, length of chunk and the like: where a mean hides two different stories.

A slice with few questions has an interval that says nothing, and of many small slices one always shines by chance: so
slices below a sensible count are not shown, and each has its interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from embft.evaluation.dependence import Dependence
from embft.evaluation.figures import SliceDifference, SliceMean, SliceRow
from embft.evaluation.significance import compare, mean_interval
from embft.evaluation.weights import Weights

FEWEST = 20
"""Questions in a slice that is shown."""
_PARTS = 3
_SHARE_BOUND = 1.0

Floats = npt.NDArray[np.float64]


def slices(
    scores: Mapping[str, Floats],
    dependence: Dependence,
    traits: Sequence[Mapping[str, str | float]],
    pairs: Sequence[tuple[str, str]],
    *,
    confidence: float = 0.95,
    fewest: int = FEWEST,
    weights: Weights | None = None,
) -> list[SliceRow]:
    """Means and differences in each slice.

    Args:
        scores: By system, float64 [n_questions]: the metric that the verdict is about.
        dependence: Of the questions.
        traits: Of each question, name to a label or a number; numbers are cut into three parts of equal count.
        pairs: (system, baseline) to compare in each slice.
        confidence: Of the intervals.
        fewest: Questions in the smallest slice shown.
        weights: Of the questions; None: all alike.

    Returns:
        One row per slice. A trait that puts all questions into one slice is left out.
    """
    rows = []
    weights = weights or Weights(len(traits))
    for name in dict.fromkeys(name for labels in traits for name in labels):
        labels = _labels([labels.get(name) for labels in traits])
        order = list(dict.fromkeys(sorted(label for label in labels if label is not None)))
        if len(order) < 2:
            continue
        for label in order:
            where = np.array([other == label for other in labels])
            if where.sum() < fewest:
                continue
            some, shares = dependence.restricted(where), weights.restricted(where)
            inside = {system: values[where] for system, values in scores.items()}
            means = {
                system: SliceMean(float(shares.mean(values)), mean_interval(values, some, confidence, shares))
                for system, values in inside.items()
            }
            differences = []
            for system, baseline in pairs:
                comparison = compare(inside[system], inside[baseline], some, confidence, shares)
                differences.append(SliceDifference(system, baseline, comparison.delta, comparison.ci95))
            rows.append(SliceRow(name, label[1], int(where.sum()), means, differences))
    return rows


def _labels(values: Sequence[str | float | None]) -> list[tuple[int, str] | None]:
    """A label for each value, with its place in the order; None where there is no value."""
    numbers = [value for value in values if isinstance(value, (int, float))]
    if not numbers:
        counts: dict[str, int] = {}
        for value in values:
            if value is not None:
                counts[str(value)] = counts.get(str(value), 0) + 1
        return [None if value is None else (-counts[str(value)], str(value)) for value in values]
    edges = np.unique(np.quantile(numbers, [part / _PARTS for part in range(1, _PARTS)]))
    names = _names(edges, max(numbers) <= _SHARE_BOUND)
    return [
        None if value is None else (place, names[place])
        for value in values
        for place in [int(np.searchsorted(edges, float(value or 0), side="left"))]
    ]


def _names(edges: Sequence[float] | Floats, is_share: bool) -> list[str]:
    texts = [f"{edge:.0%}" if is_share else f"{edge:,.0f}" for edge in edges]
    middle = [f"over {low} to {high}" for low, high in pairwise(texts)]
    return [f"up to {texts[0]}", *middle, f"over {texts[-1]}"]
