"""Judgements, and what is known of the judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from embft.records import Ranking, RetrievalDataset

TOP = 3
"""The highest grade of a judge."""


@dataclass(frozen=True, order=True)
class Pair:
    """A question and a chunk."""

    question_id: str
    chunk_id: str


@dataclass(frozen=True)
class Judgement:
    """A grade that somebody gave.

    Attributes:
        grade: 0 nothing to do with the question, 1 on its topic, 2 answers it in part, 3 answers it.
        judge: Who: a person's name, or the LLM's.
    """

    question_id: str
    chunk_id: str
    grade: int
    judge: str

    @property
    def pair(self) -> Pair:
        """What was judged."""
        return Pair(self.question_id, self.chunk_id)


@dataclass(frozen=True)
class Agreement:
    """A judge against the given labels, relevant or not.

    Attributes:
        pairs: Judged by both.
        presumed: Of these, pairs that the dataset does not label and that are taken for not relevant: chunks drawn at random.
        given, judge: Share that each calls relevant.
        agreement: Share on which both say the same.
        kappa: Cohen's; None where one of them never varies.
        ci95: Its interval.
        kappa_grades: The same over all grades; None where the given ones are 0 and 1.
    """

    pairs: int
    presumed: int
    given: float
    judge: float
    agreement: float
    kappa: float | None
    ci95: tuple[float, float] | None
    kappa_grades: float | None


@dataclass(frozen=True)
class JudgeOfSystem:
    """What a judge says of one system's first chunks.

    Attributes:
        judged: Share of them that the dataset labels.
        judged_with_pool: The same with the judge's grades.
        unjudged: Chunks, over all questions, that only the judge graded.
        found: Share of these that the judge calls relevant.
        pairs: Chunks that both graded.
        excess: On these, the judge's share of relevant ones less the given one.
        ci95: Its interval; None with fewer than two pairs.
    """

    judged: float
    judged_with_pool: float
    unjudged: int
    found: float | None
    pairs: int
    excess: float | None
    ci95: tuple[float, float] | None


@dataclass(frozen=True)
class JudgingReport:
    """What was judged, by whom, and how far that judge can be trusted.

    Attributes:
        judge: The LLM's name, or the file's.
        kind: ``llm`` or ``people``.
        first: Chunks of every system that were pooled.
        relevant_from: Grade from which a chunk counts as relevant.
        pool: Pairs in the pool.
        unjudged: Of these, pairs without a label.
        graded: Of the unjudged ones, pairs that have a grade now.
        relevant: Of the graded ones, pairs that count as relevant.
        failed: Requests without a reply.
        unread: Replies without a grade in them.
        tokens: Paid for by this run.
        usd: What all judgements cost, earlier runs included; None where the price is not known.
        agreement: None where the judge graded nothing that has a label.
        systems: By system.
        favours: A sentence where the judge favours a system; else None.
        notes: What else a reader should know.
    """

    judge: str
    kind: str
    first: int
    relevant_from: int
    pool: int
    unjudged: int
    graded: int
    relevant: int
    failed: int
    unread: int
    tokens: int
    usd: float | None
    agreement: Agreement | None
    systems: Mapping[str, JudgeOfSystem]
    favours: str | None
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Judged:
    """Stage ``judging``."""

    judgements: Sequence[Judgement]
    report: JudgingReport

    @property
    def grades(self) -> dict[Pair, int]:
        """Pair to grade."""
        return {one.pair: one.grade for one in self.judgements}


@dataclass(frozen=True)
class Pool:
    """The first chunks of every system.

    Attributes:
        pairs: Each once; by question, then by the best rank that a system gives the chunk.
        labelled: Those of which the dataset says whether they are relevant.
    """

    pairs: Sequence[Pair]
    labelled: frozenset[Pair] = field(default_factory=frozenset)

    @property
    def unjudged(self) -> list[Pair]:
        """Those without a label."""
        return [pair for pair in self.pairs if pair not in self.labelled]

    @classmethod
    def of(cls, rankings: Mapping[str, Ranking], dataset: RetrievalDataset, first: int) -> Pool:
        """Pools the first chunks of every system's ranking."""
        pairs: list[Pair] = []
        for question_id in dataset.queries:
            tops = [ranking.chunk_ids.get(question_id, ())[:first] for ranking in rankings.values()]
            ordered = [top[rank] for rank in range(first) for top in tops if rank < len(top)]
            pairs += [Pair(question_id, chunk_id) for chunk_id in dict.fromkeys(ordered)]
        return cls(pairs, frozenset(pair for pair in pairs if label_of(dataset, pair) is not None))


def label_of(dataset: RetrievalDataset, pair: Pair) -> int | None:
    """The given grade, 0 where the dataset says not relevant; None: the dataset says nothing."""
    if pair.chunk_id in dataset.relevant_docs.get(pair.question_id, ()):
        return dataset.grade(pair.question_id, pair.chunk_id)
    return 0 if pair.chunk_id in dataset.not_relevant.get(pair.question_id, ()) else None


def judged_share(
    ranking: Ranking, dataset: RetrievalDataset, first: int, more: Mapping[Pair, int] | None = None
) -> float:
    """judged@k: the mean share of a system's first chunks that have a label, or one of ``more``; 1.0 where it finds nothing."""
    shares = []
    for question_id in dataset.queries:
        top = [Pair(question_id, chunk_id) for chunk_id in ranking.chunk_ids.get(question_id, ())[:first]]
        known = sum(label_of(dataset, pair) is not None or (more is not None and pair in more) for pair in top)
        shares.append(known / len(top) if top else 1.0)
    return sum(shares) / len(shares) if shares else 1.0


def with_pool(dataset: RetrievalDataset, grades: Mapping[Pair, int], relevant_from: int) -> RetrievalDataset:
    """The dataset with the judge's grades where it had none; a given label stays what it is.

    Where the given labels are 0 and 1, so are the new ones; else a judge's grade counts as far as the given scale goes.
    """
    given = max((grade for own in dataset.grades.values() for grade in own.values()), default=1)
    relevant = {key: list(ids) for key, ids in dataset.relevant_docs.items()}
    own_grades = {key: dict(own) for key, own in dataset.grades.items()}
    for pair, grade in sorted(grades.items()):
        if grade < relevant_from or pair.question_id not in relevant or label_of(dataset, pair) is not None:
            continue
        relevant[pair.question_id].append(pair.chunk_id)
        if given > 1 and min(grade, given) > 1:
            own_grades.setdefault(pair.question_id, {})[pair.chunk_id] = min(grade, given)
    return replace(dataset, relevant_docs={key: tuple(ids) for key, ids in relevant.items()}, grades=own_grades)
