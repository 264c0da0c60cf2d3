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
from embft.evaluation.names import NOT_FROM_PASSAGES, label
from embft.evaluation.verdict_facts import Facts, Pairs, phrase, start, unsigned
from embft.systems import cost_rank
from embft.wording import counted, say

CANNOT_TELL = "cannot_tell"
MARGIN = 0.01
"""A point."""
_FEWEST_QUESTIONS = 30
_FROM_FILE = "file"


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
            origin: count for origin, count in evidence.test_origins.items() if origin not in NOT_FROM_PASSAGES
        }
        self.from_passages, self.backends = sum(from_passages.values()), ", ".join(sorted(from_passages))
        self.pairs = Pairs(evidence.comparisons, self.metric)
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
                say("No verdict: the test questions were made from the passages."),
                [
                    say(
                        "{made} of {count} test questions ({backends}) were made from the passages and repeat their words. "
                        "That flatters BM25; questions that people ask do not.",
                        made=self.from_passages,
                        count=self.total,
                        backends=self.backends,
                    ),
                    say(
                        "Collect 50 or more questions that people asked, each with a quote that answers it, and give them "
                        "with questions.human=FILE."
                    ),
                ],
            )
        if not self.total or not self.loss:
            headline = say("Cannot tell: there are no test questions.")
            return self._verdict(CANNOT_TELL, headline, [say("Add test questions.")])
        choice = cheapest_within(self.loss, self.margin)
        reasons = [self._why(choice), *self._costs_of_choices()]
        if self.total < _FEWEST_QUESTIONS:
            advice = say(
                "With fewer than {least} test questions the order of systems is mostly chance, and so is what is said of it "
                "here: add some. Until then use {system}.",
                least=_FEWEST_QUESTIONS,
                system=phrase(choice),
            )
            headline = counted(
                self.total,
                "Cannot tell yet: {n} test question is too few.",
                "Cannot tell yet: {n} test questions are too few.",
            )
            return self._verdict(CANNOT_TELL, headline, [advice, *reasons], meanwhile=choice)
        if len(self.means) > 1 and min(self.loss.values()) > self.margin:
            headline = say(
                "Use {system} for now: {count} test questions do not settle it.",
                system=phrase(choice),
                count=self.total,
            )
            return self._verdict(choice, headline, [*reasons, self._more(), *self._doubts()], meanwhile=choice)
        return self._verdict(choice, say("Ship {system}.", system=phrase(choice)), [*reasons, *self._doubts()])

    def _verdict(self, decision: str, headline: str, reasons: Sequence[str], meanwhile: str | None = None) -> Decision:
        return Decision(
            decision,
            headline,
            [*reasons, *Facts(self.pairs, self.means, self.margin).sentences()],
            self.metric,
            self.margin,
            {name: round(loss, 6) for name, loss in self.loss.items()},
            {name: round(chance, 6) for name, chance in self.chance.items()},
            meanwhile,
        )

    def _why(self, choice: str) -> str:
        # Of equal means the cheaper one is the best.
        best = max(self.means, key=lambda name: (self.means[name], -cost_rank(name)))
        mean, metric = f"{self.means[best]:.3f}", label(self.metric)
        if len(self.means) == 1:
            return say(
                "{System} is the only system that was measured: its {metric} is {mean}.",
                System=start(best),
                metric=metric,
                mean=mean,
            )
        cost = say(
            "{points} points on average against the best of these systems, whichever that is",
            points=unsigned(self.loss[choice]),
        )
        if choice == best:
            return say(
                "{System} has the highest {metric}: {mean}. Choosing it is expected to cost {cost}; with a chance of {chance} "
                "it is the best itself.",
                System=start(best),
                metric=metric,
                mean=mean,
                cost=cost,
                chance=_percent(self.chance[choice]),
            )
        return say(
            "{System} has the highest {metric} ({mean}), but {cheaper} ({its_mean}) is cheaper to run. Choosing it is expected "
            "to cost {cost}: no more than the {margin} that simplicity is worth (evaluation.margin).",
            System=start(best),
            metric=metric,
            mean=mean,
            cheaper=phrase(choice),
            its_mean=f"{self.means[choice]:.3f}",
            cost=cost,
            margin=unsigned(self.margin),
        )

    def _costs_of_choices(self) -> list[str]:
        """The sentence that lays all choices side by side."""
        if len(self.means) == 1:
            return []
        parts = [
            say(
                "{system} {points} points, {chance}",
                system=phrase(name),
                points=unsigned(self.loss[name]),
                chance=_percent(self.chance[name]),
            )
            for name in sorted(self.loss, key=cost_rank)
        ]
        return [
            say(
                "What each choice is expected to cost, and its chance of being the best: {choices}.",
                choices=say("; ").join(parts),
            )
        ]

    def _more(self) -> str:
        least, goal = min(self.loss.values()), self.margin
        questions = self.evidence.prospects.questions_for(goal) if goal > 0 else None
        if questions is None:
            return say(
                "Every choice is expected to cost {points} points or more, because {count} questions tell little, and so would "
                "fifty times as many: the systems are too close for questions to separate them.",
                points=unsigned(least),
                count=self.total,
            )
        return say(
            "Every choice is expected to cost {points} points or more, because {count} questions tell little. About {more:,} "
            "more questions like these, if the means stay as they are, would bring that down to {goal}.",
            points=unsigned(least),
            count=self.total,
            more=questions - self.total,
            goal=unsigned(goal),
        )

    def _doubts(self) -> list[str]:
        """What the test questions leave open although there is a verdict."""
        doubts = []
        if self.from_passages:
            doubts.append(
                say(
                    "{made} of {count} test questions ({backends}) were made from the passages, which flatters BM25.",
                    made=self.from_passages,
                    count=self.total,
                    backends=self.backends,
                )
            )
        if self.evidence.test_origins.get(_FROM_FILE):
            doubts.append(
                say(
                    "Who wrote the questions of the dataset file is unknown: if they were made from the passages, they flatter "
                    "BM25, and so does this verdict."
                )
            )
        return doubts


def _percent(chance: float) -> str:
    return say("under 1%") if chance < 0.005 else say("over 99%") if chance > 0.995 else f"{chance:.0%}"
