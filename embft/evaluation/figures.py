"""Figures of systems: means with intervals, comparisons, slices, questions one by one, another dataset, other seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Interval = tuple[float, float]


@dataclass(frozen=True)
class SystemResult:
    """One system's figures on the test questions.

    Attributes:
        means: By metric (``ndcg@10``).
        intervals: Of those means that have one.
        score_name: Of the ranking that stands for the system.
        dev: Means on the dev questions; empty without any.
        dev_intervals: Of those of them that have one.
        metrics: The 15 or 30 metrics by their full names (``cosine_ndcg@10``).
        description: What the system is, in one line.
        judged: Share of its first chunks that the dataset labels (judged@k); None where that was not looked at.
    """

    means: dict[str, float]
    intervals: dict[str, Interval]
    score_name: str
    dev: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    description: str = ""
    judged: float | None = None
    dev_intervals: dict[str, Interval] = field(default_factory=dict)


@dataclass(frozen=True)
class ComparisonRow:
    """A system against a baseline by one metric; see `embft.evaluation.significance.Comparison`.

    Attributes:
        effective: Independent questions that these are worth for this difference.
        p_mcnemar: Exact, of hit rates alone.
        detectable: Least difference that would be seen with a chance of 80%.
        questions_needed: For the interval that was wished for.
        p_holm: The p-value, adjusted for all pairs of systems.
    """

    system: str
    baseline: str
    metric: str
    delta: float
    ci95: Interval
    p_value: float
    wins: int
    losses: int
    ties: int
    effective: float | None = None
    p_mcnemar: float | None = None
    detectable: float | None = None
    questions_needed: int | None = None
    p_holm: float | None = None


@dataclass(frozen=True)
class SliceMean:
    """A system's mean in a slice."""

    mean: float
    ci95: Interval


@dataclass(frozen=True)
class SliceDifference:
    """A system against a baseline in a slice."""

    system: str
    baseline: str
    delta: float
    ci95: Interval


@dataclass(frozen=True)
class SliceRow:
    """Results of the test questions that share a trait."""

    trait: str
    value: str
    questions: int
    systems: dict[str, SliceMean]
    differences: list[SliceDifference]


@dataclass(frozen=True)
class QuestionResult:
    """One question by one system: rank of the first relevant chunk (None: not found), scores, first chunks."""

    rank: int | None
    scores: dict[str, float]
    top: list[str]


@dataclass(frozen=True)
class QuestionRow:
    """One test question; a line of per_query.jsonl. ``count`` is how often it was asked."""

    question_id: str
    question: str
    origin: str
    relevant: list[str]
    systems: dict[str, QuestionResult]
    count: int = 1


@dataclass(frozen=True)
class Prospects:
    """What shipping each system may cost, seen from these questions.

    Attributes:
        expected_loss: By system, how far it is expected to be below the best system, whichever that is: hundredths are
            points. 0 only for a system that no draw of questions puts below another.
        chance_best: By system, the chance that no other has a higher mean; they add up to 1.
        foreseen: Questions, and the least expected loss of any system with so many, if the means stay as they are.
    """

    expected_loss: Mapping[str, float]
    chance_best: Mapping[str, float]
    foreseen: tuple[tuple[int, float], ...]

    @property
    def least_loss(self) -> float:
        """The expected loss of the system that has the least."""
        return min(self.expected_loss.values())

    def questions_for(self, loss: float) -> int | None:
        """Questions at which some system's expected loss would be as low as that; None where fifty times are too few."""
        return next((questions for questions, foreseen in self.foreseen if foreseen <= loss), None)


@dataclass(frozen=True)
class PooledFigures:
    """A system's figures with the judge's grades beside the given labels."""

    means: dict[str, float]
    intervals: dict[str, Interval]


@dataclass(frozen=True)
class PooledReading:
    """The same test questions with the pool judged: figures by system, comparisons by the primary metric, prospects."""

    systems: dict[str, PooledFigures]
    comparisons: list[ComparisonRow]
    prospects: Prospects


@dataclass(frozen=True)
class Askings:
    """What a query log says of the test questions.

    Attributes:
        questions: Different ones.
        askings: How often they were asked in all.
        weights: What each counts here: ``none`` (all alike) or ``count``.
        worth: Questions of equal weight that they are worth.
    """

    questions: int
    askings: int
    weights: str
    worth: float


@dataclass(frozen=True)
class Evaluated:
    """Stage ``evaluation``: figures by system, comparisons of every pair, slices, a row for each question, what shipping each
    system may cost by the primary metric, how often questions were asked where that is known, and the same with the pool
    judged, where it was.
    """

    systems: dict[str, SystemResult]
    comparisons: list[ComparisonRow]
    slices: list[SliceRow]
    rows: list[QuestionRow]
    prospects: Prospects = field(default_factory=lambda: Prospects({}, {}, ()))
    askings: Askings | None = None
    pooled: PooledReading | None = None


@dataclass(frozen=True)
class General:
    """Stage ``general``: base against tuned on another dataset."""

    name: str
    questions: int
    chunks: int
    systems: dict[str, SystemResult]
    comparisons: list[ComparisonRow]


@dataclass(frozen=True)
class Spread:
    """One metric over several seeds; ``sd`` has n - 1 in its denominator."""

    values: list[float]
    mean: float
    sd: float
    min: float
    max: float


@dataclass(frozen=True)
class Seeds:
    """How far the seed of the training alone moves the result.

    Attributes:
        base_kept: Trainings of which dev said that they did harm.
    """

    n: int
    seeds: list[int]
    base_kept: int
    metrics: dict[str, Spread]
