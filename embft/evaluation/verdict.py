"""What to ship, in plain sentences, with the figures that say so.

A decision under uncertainty: a system that is not shown to be worse is not therefore as good, and the one with the highest
mean may owe it to chance. So each system is judged by what shipping it is expected to cost (Berger, "Statistical Decision
Theory and Bayesian Analysis", 1985, section 4.4), and simplicity is worth a stated margin. benchmarks/results/regret.md
compares this rule with others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from embft.evaluation.figures import ComparisonRow, Prospects
from embft.evaluation.names import label
from embft.systems import cost_rank, system_of

CANNOT_TELL = "cannot_tell"
MARGIN = 0.01
"""A point."""
_SINGLE = ("bm25", "base", "tuned")
_FEWEST_QUESTIONS = 30
_FROM_FILE = "file"
_NOT_FROM_PASSAGES = {"human", _FROM_FILE}


@dataclass(frozen=True)
class Evidence:
    """What was measured on the test questions.

    Attributes:
        means: Of each system by ``primary``; at least one.
        comparisons: Of every pair of systems, in either direction; rows of other metrics are passed over.
        test_origins: What made the test questions (``human``, ``file``, ``extractive``, ``openai``...), with counts.
        primary: The metric that decides.
        prospects: What each system may cost, by that metric.
    """

    means: Mapping[str, float]
    comparisons: Sequence[ComparisonRow]
    test_origins: Mapping[str, int]
    primary: str
    prospects: Prospects


@dataclass(frozen=True)
class Decision:
    """What to ship. Differences are in points: hundredths of the metric.

    Attributes:
        decision: A system's name, or ``cannot_tell``.
        headline: In a few words.
        reasons: Sentences.
        metric: The metric that decided.
        margin: What simplicity was worth.
        expected_loss: By system, what shipping it is expected to cost; a tuned model that is the base model is left out.
        chance_best: By system, the chance that it is the best.
        meanwhile: What to use until there are more questions; None where the verdict stands, and where these questions
            allow none.
    """

    decision: str
    headline: str
    reasons: list[str]
    metric: str
    margin: float
    expected_loss: dict[str, float]
    chance_best: dict[str, float]
    meanwhile: str | None = None


def cheapest_within(losses: Mapping[str, float], margin: float, rank: Callable[[str], int] = cost_rank) -> str:
    """The cheapest system whose expected loss is within ``margin``; where none is, the one with the least."""
    least = min(losses, key=lambda name: (losses[name], rank(name)))
    return min((name for name in losses if losses[name] <= margin), key=rank, default=least)


def decide(evidence: Evidence, margin: float = MARGIN) -> Decision:
    """Says which system to ship, or that this test cannot tell.

    The cheapest system whose expected loss is within ``margin`` is shipped. Where no system's is, the one with the least is
    a choice for now, and the reasons say how many questions would settle it. There is no verdict where

    - most test questions were made from the passages: they repeat their words, which flatters BM25;
    - there are fewer than 30 test questions: the reasons say what to use until there are more.

    Args:
        evidence: What was measured.
        margin: What simplicity is worth: the expected loss that is accepted for it, 0.01 for a point of the metric.
    """
    return _Verdict(evidence, margin).reached()


class _Verdict:
    """One decision, put together."""

    def __init__(self, evidence: Evidence, margin: float) -> None:
        self.evidence, self.margin = evidence, margin
        self.metric = evidence.primary
        self.total = sum(evidence.test_origins.values())
        from_passages = {
            origin: count for origin, count in evidence.test_origins.items() if origin not in _NOT_FROM_PASSAGES
        }
        self.from_passages, self.backends = sum(from_passages.values()), ", ".join(sorted(from_passages))
        self.pairs = _Pairs(evidence.comparisons, self.metric)
        self.same = self.pairs.identical("tuned", "base")
        self.means = {name: mean for name, mean in evidence.means.items() if not (self.same and name == "tuned")}
        prospects = evidence.prospects
        self.loss, self.chance = (
            {name: values[name] for name in self.means if name in values}
            for values in (prospects.expected_loss, prospects.chance_best)
        )

    def reached(self) -> Decision:
        if self.from_passages * 2 > self.total:
            return self._verdict(
                CANNOT_TELL,
                "No verdict: the test questions were made from the passages.",
                [
                    f"{self.from_passages} of {self.total} test questions ({self.backends}) were made "
                    "from the passages and repeat their words. That flatters BM25; questions that people ask do not.",
                    "Collect 50 or more questions that people asked, each with a quote that answers it, and give them with "
                    "questions.human=FILE.",
                ],
            )
        if not self.total or not self.loss:
            return self._verdict(CANNOT_TELL, "Cannot tell: there are no test questions.", ["Add test questions."])
        choice = cheapest_within(self.loss, self.margin)
        reasons = [self._why(choice), *self._costs_of_choices()]
        if self.total < _FEWEST_QUESTIONS:
            advice = (
                f"With fewer than {_FEWEST_QUESTIONS} test questions the order of systems is mostly chance, and so is what is "
                f"said of it here: add some. Until then use {_phrase(choice)}."
            )
            headline = f"Cannot tell yet: {_count(self.total, 'test question')} {_is(self.total)} too few."
            return self._verdict(CANNOT_TELL, headline, [advice, *reasons], meanwhile=choice)
        if len(self.means) > 1 and min(self.loss.values()) > self.margin:
            headline = f"Use {_phrase(choice)} for now: {self.total} test questions do not settle it."
            return self._verdict(choice, headline, [*reasons, self._more(), *self._doubts()], meanwhile=choice)
        return self._verdict(choice, f"Ship {_phrase(choice)}.", [*reasons, *self._doubts()])

    def _verdict(self, decision: str, headline: str, reasons: Sequence[str], meanwhile: str | None = None) -> Decision:
        return Decision(
            decision,
            headline,
            [*reasons, *self._facts()],
            self.metric,
            self.margin,
            {name: round(loss, 6) for name, loss in self.loss.items()},
            {name: round(chance, 6) for name, chance in self.chance.items()},
            meanwhile,
        )

    def _why(self, choice: str) -> str:
        # Of equal means the cheaper one is the best.
        best = max(self.means, key=lambda name: (self.means[name], -cost_rank(name)))
        mean, start = f"{self.means[best]:.3f}", _start(best)
        if len(self.means) == 1:
            return f"{start} is the only system that was measured: its {label(self.metric)} is {mean}."
        cost = f"{_unsigned(self.loss[choice])} points on average against the best of these systems, whichever that is"
        if choice == best:
            return (
                f"{start} has the highest {label(self.metric)}: {mean}. Choosing it is expected to cost {cost}; with a chance "
                f"of {_percent(self.chance[choice])} it is the best itself."
            )
        return (
            f"{start} has the highest {label(self.metric)} ({mean}), but {_phrase(choice)} "
            f"({self.means[choice]:.3f}) is cheaper to run. Choosing it is expected to cost {cost}: no more than the "
            f"{_unsigned(self.margin)} that simplicity is worth (evaluation.margin)."
        )

    def _costs_of_choices(self) -> list[str]:
        """The sentence that lays all choices side by side."""
        if len(self.means) == 1:
            return []
        parts = [
            f"{_phrase(name)} {_unsigned(self.loss[name])} points, {_percent(self.chance[name])}"
            for name in sorted(self.loss, key=cost_rank)
        ]
        return [f"What each choice is expected to cost, and its chance of being the best: {'; '.join(parts)}."]

    def _more(self) -> str:
        least, goal = min(self.loss.values()), self.margin
        questions = self.evidence.prospects.questions_for(goal) if goal > 0 else None
        start = f"Every choice is expected to cost {_unsigned(least)} points or more, because {self.total} questions tell little"
        if questions is None:
            return (
                f"{start}, and so would fifty times as many: the systems are too close for questions to separate them."
            )
        return (
            f"{start}. About {questions - self.total:,} more questions like these, if the means stay as they are, would bring "
            f"that down to {_unsigned(goal)}."
        )

    def _doubts(self) -> list[str]:
        """What the test questions leave open although there is a verdict."""
        doubts = []
        if self.from_passages:
            doubts.append(
                f"{self.from_passages} of {self.total} test questions ({self.backends}) were made from "
                "the passages, which flatters BM25."
            )
        if self.evidence.test_origins.get(_FROM_FILE):
            doubts.append(
                "Who wrote the questions of the dataset file is unknown: if they were made from the passages, they flatter "
                "BM25, and so does this verdict."
            )
        return doubts

    def _facts(self) -> list[str]:
        """What anyone wants to know besides: did tuning help, are vectors better than words, is a mix better than both."""
        dense = "tuned" if "tuned" in self.means else "base"
        single = max((name for name in _SINGLE if name in self.means), key=self.means.__getitem__, default=dense)
        questions = [
            ("tuned", "base", "Tuning, against the base model"),
            (dense, "bm25", f"{_start(dense)} against BM25"),
            ("fused", single, f"The fusion against the best single system, {_phrase(single)}"),
            ("openai", dense, f"The API's embeddings against {_phrase(dense)}"),
            ("reranked", "fused", "Reordering the fusion's first chunks, against the fusion"),
        ]
        same = "Tuning gained nothing: the tuned model answers every test question as the base model does."
        facts = [same] if self.same else []
        for system, baseline, what in questions:
            difference = self.pairs.find(system, baseline)
            if difference is not None and system in self.means:
                delta, low, high = map(_points, difference)
                meaning = self._meaning(*difference[1:])
                facts.append(f"{what}: {delta} points [{low}, {high}] of {label(self.metric)}, {meaning}.")
        return facts

    def _meaning(self, low: float, high: float) -> str:
        if low > 0:
            return "a gain"
        if high < 0:
            return "a loss"
        if -self.margin <= low and high <= self.margin:
            return f"equal to within {_unsigned(self.margin)} points"
        return "which could be a gain or a loss"


class _Pairs:
    """The comparisons by one metric, looked up in either direction."""

    def __init__(self, comparisons: Sequence[ComparisonRow], metric: str) -> None:
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


def _phrase(system: str) -> str:
    return system_of(system).phrase


def _start(system: str) -> str:
    words = _phrase(system)
    return words[0].upper() + words[1:]


def _points(value: float) -> str:
    return f"{round(100 * value, 1) + 0.0:+.1f}"  # + 0.0 turns -0.0 into 0.0


def _unsigned(value: float) -> str:
    return f"{100 * value:.1f}"


def _percent(chance: float) -> str:
    return "under 1%" if chance < 0.005 else "over 99%" if chance > 0.995 else f"{chance:.0%}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
