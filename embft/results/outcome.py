"""A whole run's result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from embft.config import ExperimentConfig
from embft.evaluation.costs import MeasuredCosts, SystemCosts
from embft.evaluation.figures import Evaluated, General, Seeds
from embft.judging.judgements import JudgingReport
from embft.ranking.bench import Fusion
from embft.ranking.reranking import Reranking
from embft.results.stages import Asked, Audits, Corpus, DatasetReport, QuestionSet, Tuned
from embft.retrieval.approximate import IndexFacts


@dataclass(frozen=True)
class Verdict:
    """What to ship.

    Attributes:
        decision: A system's name, or ``cannot_tell``.
        margin, expected_loss, chance_best, meanwhile: As in `embft.evaluation.verdict.Decision`.
        costs: By system.
        with_pool: What the decision is with the pool judged; None where it was not.
    """

    decision: str
    headline: str
    reasons: list[str]
    metric: str
    costs: dict[str, SystemCosts] = field(default_factory=dict)
    margin: float = 0.0
    expected_loss: dict[str, float] = field(default_factory=dict)
    chance_best: dict[str, float] = field(default_factory=dict)
    meanwhile: str | None = None
    with_pool: str | None = None


@dataclass(frozen=True)
class Note:
    """A sentence for the reader; ``level`` is ``warning`` or ``info``."""

    level: str
    text: str


@dataclass(frozen=True)
class Timing:
    """What a stage took in this run, and when it was built."""

    seconds: float
    cached: bool
    built_seconds: float | None = None


@dataclass(frozen=True)
class RunFacts:
    """Who ran what, with which versions; the report's "how to reproduce"."""

    name: str
    command: str
    seed: int
    embft_version: str
    commit: str | None
    python: str
    platform: str
    choices: dict[str, str]
    overrides: list[str]


@dataclass(frozen=True)
class Outcome:
    """A run's whole result.

    Attributes:
        corpus, asked, questions: None where the dataset was read from files.
        searched: Chunk id to text, of what test questions search.
        contexts: Chunk id to what stands before it where it is embedded and indexed.
        tuned: None where nothing was tuned.
        refitted: The model that ships, trained on everything; None where the tuned one ships.
        general, seeds, judged: None where they were not asked for.
        index: What each system's approximate index is worth; empty where all search is exact.
        objective: The dev figure that a sweeper may optimise; NaN without dev questions.
    """

    experiment: RunFacts
    config: ExperimentConfig
    model_name: str
    corpus: Corpus | None
    asked: Asked | None
    questions: QuestionSet | None
    dataset: DatasetReport
    searched: Mapping[str, str]
    audits: Audits
    tuned: Tuned | None
    fusion: Fusion | None
    evaluated: Evaluated
    measured: MeasuredCosts
    general: General | None
    seeds: Seeds | None
    verdict: Verdict
    notes: list[Note]
    objective: float
    timings: dict[str, Timing]
    refitted: Tuned | None = None
    contexts: Mapping[str, str] = field(default_factory=dict)
    reranking: Reranking | None = None
    judged: JudgingReport | None = None
    index: Mapping[str, IndexFacts] = field(default_factory=dict)
