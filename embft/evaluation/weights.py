"""How much each question counts: all alike, or as often as people asked it.

A query log says how often each question was asked. A mean over askings is what a searcher meets on the average; a mean over
questions is what the system can answer. The first rests on fewer questions than were asked: a third of all askings may be ten
questions. So a weighted mean m = sum w_i x_i (weights that add up to 1) has the variance of its linearised values

    z_i = m + n w_i (x_i - m) / sqrt((1 - w_i) n / (n - 1))

which are the scores themselves where all weights are equal: Taylor's linearisation of a ratio (Kish, "Survey Sampling",
1965, section 6.6), each remainder scaled up by what a question with so much weight pulls the mean towards itself (MacKinnon
and White, "Some heteroskedasticity-consistent covariance matrix estimators", Journal of Econometrics 29(3), 1985: HC2). The
degrees of freedom are those of Bell and McCaffrey ("Bias reduction in standard errors for linear regression with multi-stage
samples", Survey Methodology 28(2), 2002). What questions share by their chunks is estimated from the same values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_PARTS = 3
_FEWEST = 20
"""Questions that head and torso have at least: fewer are not shown as a slice."""
TRAIT = "how often asked"


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights of questions.

    Attributes:
        size: Questions.
        shares: float64 [n_questions], adding up to 1; None where all are equal.
    """

    size: int
    shares: Floats | None = None

    @classmethod
    def of(cls, question_ids: Sequence[str], counts: Mapping[str, int], kind: str) -> Weights:
        """By ``evaluation.weights``: ``none``, or ``count``; a question without a count was asked once."""
        numbers = np.array([counts.get(key, 1) for key in question_ids], np.float64)
        if kind == "none" or not len(numbers) or numbers.min() == numbers.max():
            return cls(len(numbers))
        return cls(len(numbers), numbers / numbers.sum())

    def mean(self, scores: Floats) -> Floats:
        """Of scores [..., n_questions] over their last axis."""
        return np.asarray(scores.mean(axis=-1) if self.shares is None else (scores * self.shares).sum(axis=-1))

    @property
    def worth(self) -> float:
        """Questions of equal weight that these are worth (Kish)."""
        return float(self.size) if self.shares is None else float(1 / (self.shares**2).sum())

    @property
    def penalty(self) -> float:
        """By how much fewer they are worth than they are, squared: what one supposed question weighs among them."""
        return 1.0 if self.shares is None else (self.size / self.worth) ** 2

    def linearised(self, scores: Floats) -> Floats:
        """Values whose plain mean spreads as the weighted mean does; float64 [n_questions]."""
        if self.shares is None or self.size < 2:
            return scores
        mean = self.mean(scores)
        pull = np.sqrt(np.maximum(1 - self.shares, 1e-12) * self.size / (self.size - 1))
        values = mean + self.size * self.shares * (scores - mean) / pull
        # Centred again: the scaling moves the mean a little.
        return np.asarray(values - values.mean() + mean)

    @cached_property
    def freedom(self) -> float:
        """Degrees of freedom of the variance of the mean of independent questions."""
        if self.shares is None:
            return max(1.0, self.size - 1.0)
        w = self.shares
        d = w**2 / np.maximum(1 - w, 1e-12)
        whole, dw, ww, dd = d.sum(), d @ w, w @ w, d @ d
        # A = M'DM with M = I - 1w': the trace of A, and of its square.
        trace = whole - 2 * dw + whole * ww
        square = (
            dd
            - 4 * (d**2 @ w)
            + 2 * whole * (d @ w**2)
            + 2 * dd * ww
            + 2 * dw**2
            - 4 * whole * dw * ww
            + (whole * ww) ** 2
        )
        return max(1.0, float(trace**2 / square)) if square > 0 else 1.0

    def restricted(self, where: npt.NDArray[np.bool_]) -> Weights:
        """Of some of the questions."""
        if self.shares is None:
            return Weights(int(where.sum()))
        some = self.shares[where]
        return Weights(len(some), some / some.sum())


def how_often(counts: Sequence[int]) -> list[str | None]:
    """Head, torso and tail: the most asked questions that make up a third of all askings; half of what is left; the rest.

    Questions that were asked equally often are in one part, and head and torso have 20 questions at least.

    Args:
        counts: Of each question.

    Returns:
        The label of each question; None for all where all were asked equally often.
    """
    if len(set(counts)) < 2:
        return [None] * len(counts)
    names = ("head", "torso", "tail")
    left = sum(counts)
    part_of: dict[int, int] = {}
    part = questions = askings = 0
    for count in sorted(set(counts), reverse=True):
        part_of[count] = part
        questions += counts.count(count)
        askings += count * counts.count(count)
        if part < _PARTS - 1 and questions >= _FEWEST and askings >= left / (_PARTS - part):
            left -= askings
            part, questions, askings = part + 1, 0, 0
    labels = {}
    for count, number in part_of.items():
        same = [other for other, own in part_of.items() if own == number]
        labels[count] = f"{names[number]}: asked {_times(min(same), max(same))}"
    return [labels[count] for count in counts]


def _times(low: int, high: int) -> str:
    if low == high:
        return "once" if low == 1 else f"{low:,} times"
    return f"{low:,} to {high:,} times"
