"""What anyone wants to know besides what to ship: did tuning help, are vectors better than words, is a mix better than both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from embft.evaluation.figures import ComparisonRow
from embft.evaluation.names import label
from embft.systems import system_of
from embft.wording import say

_SINGLE = ("bm25", "base", "tuned")


class Pairs:
    """The comparisons by one metric, looked up in either direction."""

    def __init__(self, comparisons: Sequence[ComparisonRow], metric: str) -> None:
        self.metric = metric
        self._rows = {(row.system, row.baseline): row for row in comparisons if row.metric == metric}

    def find(self, system: str, baseline: str) -> tuple[float, float, float] | None:
        """Delta and its interval's ends, system minus baseline; None where the two were not compared."""
        if row := self._rows.get((system, baseline)):
            return row.delta, *row.ci95
        if row := self._rows.get((baseline, system)):
            return -row.delta, -row.ci95[1], -row.ci95[0]
        return None

    def identical(self, system: str, baseline: str) -> bool:
        """Whether every question scored the same: a fine-tune that kept the base model."""
        row = self._rows.get((system, baseline)) or self._rows.get((baseline, system))
        return row is not None and row.delta == 0 and row.wins == row.losses == 0


@dataclass(frozen=True)
class Facts:
    """The sentences about pairs of systems.

    Attributes:
        pairs: The comparisons by the metric that decides.
        means: Of the systems, by that metric; without a tuned model that is the base model.
        margin: Differences within it count as none.
    """

    pairs: Pairs
    means: Mapping[str, float]
    margin: float

    def sentences(self) -> list[str]:
        """One for each question that the systems which were measured can answer."""
        dense = "tuned" if "tuned" in self.means else "base"
        single = max((name for name in _SINGLE if name in self.means), key=self.means.__getitem__, default=dense)
        questions = [
            ("tuned", "base", say("Tuning, against the base model")),
            (dense, "bm25", say("{System} against BM25", System=start(dense))),
            ("fused", single, say("The fusion against the best single system, {system}", system=phrase(single))),
            ("openai", dense, say("The API's embeddings against {system}", system=phrase(dense))),
            ("reranked", "fused", say("Reordering the fusion's first chunks, against the fusion")),
        ]
        facts = []
        if self.pairs.identical("tuned", "base"):
            facts.append(
                say("Tuning gained nothing: the tuned model answers every test question as the base model does.")
            )
        for system, baseline, what in questions:
            difference = self.pairs.find(system, baseline)
            if difference is not None and system in self.means:
                delta, low, high = map(_points, difference)
                facts.append(
                    say(
                        "{what}: {delta} points [{low}, {high}] of {metric}, {meaning}.",
                        what=what,
                        delta=delta,
                        low=low,
                        high=high,
                        metric=label(self.pairs.metric),
                        meaning=self._meaning(*difference[1:]),
                    )
                )
        return facts

    def _meaning(self, low: float, high: float) -> str:
        if low > 0:
            return say("a gain")
        if high < 0:
            return say("a loss")
        if -self.margin <= low and high <= self.margin:
            return say("equal to within {points} points", points=unsigned(self.margin))
        return say("which could be a gain or a loss")


def phrase(system: str) -> str:
    """A system in a sentence."""
    return say(system_of(system).phrase)


def start(system: str) -> str:
    """The same where a sentence begins."""
    words = phrase(system)
    return words[0].upper() + words[1:]


def unsigned(value: float) -> str:
    """A difference in points, without its sign."""
    return f"{100 * value:.1f}"


def _points(value: float) -> str:
    return f"{round(100 * value, 1) + 0.0:+.1f}"  # + 0.0 turns -0.0 into 0.0
