"""What the stages up to the ranking give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from embft.corpus.context import ContextReport
from embft.corpus.reading import ReadingReport
from embft.dataset.findings import Finding
from embft.dataset.holding_back import HeldBack
from embft.dataset.traits import Trait
from embft.evaluation.power import Power
from embft.evaluation.realism import RealismRow
from embft.questions.human import Unmapped
from embft.ranking.bench import Fusion
from embft.ranking.reranking import Reranking
from embft.records import Chunk, Page, Question, Ranking, Splits
from embft.retrieval.approximate import IndexFacts
from embft.training.report import TrainingReport

Facts = Mapping[str, object]
"""Name to anything that JSON has: what a question backend says of itself, shown as it is."""


@dataclass(frozen=True)
class Reading:
    """Stage ``reading``: pages, the chunks where they exist already, and what was read, skipped, dropped and joined."""

    pages: list[Page]
    chunks: list[Chunk] | None
    report: ReadingReport


@dataclass(frozen=True)
class Corpus:
    """Stages ``reading`` and ``corpus``: pages, chunks, and what was read, skipped, dropped and joined.

    Attributes:
        context: What stands before the chunks; None where nothing does.
    """

    pages: list[Page]
    chunks: list[Chunk]
    reading: ReadingReport
    context: ContextReport | None = None


@dataclass(frozen=True)
class QuestionSet:
    """Stage ``questions``.

    Attributes:
        questions: To train on.
        report: Counts of the generation.
    """

    questions: list[Question]
    report: Facts


@dataclass(frozen=True)
class Asked:
    """Stage ``held_back``.

    Attributes:
        held: Dev and test questions, with the chunks that answer them.
        report: Counts of the generation, where an LLM or rules wrote them.
        unmapped: Questions whose evidence is not in the corpus.
    """

    held: HeldBack
    report: Facts
    unmapped: list[Unmapped]


@dataclass(frozen=True)
class DatasetReport:
    """Counts by split, what was left out and why, and how real the questions are.

    Attributes:
        questions, chunks: By split.
        searched: Chunks that dev and test questions search.
        origins: By split, what made the questions.
        left_out: Reason to count.
        warnings: What a reader must know.
        realism: One row for each split and origin.
        asked: By split, a digest of its questions: runs that ask the same have the same.
        cut: Digest of the chunks that test questions search.
        context: What stands before the chunks where they are embedded and indexed; None where nothing does.
    """

    questions: Mapping[str, int]
    chunks: Mapping[str, int]
    searched: Mapping[str, int]
    origins: Mapping[str, Mapping[str, int]]
    left_out: Mapping[str, int] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    realism: Sequence[RealismRow] = ()
    asked: Mapping[str, str] = field(default_factory=dict)
    cut: str = ""
    context: ContextReport | None = None


@dataclass(frozen=True)
class Dataset:
    """Stage ``dataset``."""

    splits: Splits
    report: DatasetReport


@dataclass(frozen=True)
class Audits:
    """Stage ``audits``.

    Attributes:
        findings: Worst first.
        clean: Names of the audits that found nothing.
        power: What differences this test set can tell.
        traits: Test question id to what is known of it.
    """

    findings: list[Finding]
    clean: list[str]
    power: Power
    traits: dict[str, dict[str, Trait]]


@dataclass(frozen=True)
class Tuned:
    """Stages ``training`` and ``whitening``.

    Attributes:
        folder: The tuned model; loads with ``SentenceTransformer(folder)``.
        report: Recipe, history, best epoch, seconds.
        unwhitened: The same model without its last layer, where that whitens.
    """

    folder: Path
    report: TrainingReport
    unwhitened: Tuned | None = None

    @property
    def fingerprint(self) -> str:
        """Hash of the weights."""
        return self.report.fingerprint


@dataclass(frozen=True)
class Rankings:
    """Stage ``ranking``.

    Attributes:
        by_split: For ``dev`` and ``test``, rankings by system, then by score function; the first one stands for the system.
        fusion: None where nothing is fused.
        notes: What a reader must know.
        reranking: None where nothing is reordered.
        index: What each system's approximate index is worth; empty where all search is exact.
    """

    by_split: dict[str, dict[str, dict[str, Ranking]]]
    fusion: Fusion | None
    notes: list[str]
    reranking: Reranking | None = None
    index: Mapping[str, IndexFacts] = field(default_factory=dict)
