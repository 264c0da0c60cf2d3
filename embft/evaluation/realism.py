"""How real a dataset's questions are, split by split: what they share with their passages, and how easily BM25 finds them."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from embft.questions.realism import Realism, describe
from embft.records import RetrievalDataset, Splits
from embft.retrieval.best_ranks import best_ranks

_MOST = 1000
"""Questions of one kind that are looked at: enough for figures in percent, and quick at any size."""
_MANY = 0.05
"""Share of passage-dependent test questions from which the reader is warned."""


@dataclass(frozen=True)
class RealismRow(Realism):
    """The figures of the questions of one split and origin.

    Attributes:
        questions: All of them; where there are very many, the figures are of a random draw.
    """

    split: str
    origin: str
    questions: int


@dataclass(frozen=True)
class _Kind:
    """Questions of one split and origin that are looked at, of so many."""

    split: str
    origin: str
    ids: Sequence[str]
    count: int


def realism(splits: Splits) -> list[RealismRow]:
    """A row of figures for each split and origin that there is.

    Test and dev questions search what they search in the evaluation, train questions the chunks of train.
    """
    kinds: list[_Kind] = []
    by_corpus: dict[tuple[str, ...], list[int]] = defaultdict(list)
    corpora: dict[tuple[str, ...], Mapping[str, str]] = {}
    for split in RetrievalDataset.SPLITS:
        part: RetrievalDataset = getattr(splits, split)
        corpus = part.corpus if split == "train" else splits.searched(split).corpus
        by_origin: dict[str, list[str]] = defaultdict(list)
        for question_id in part.queries:
            by_origin[splits.origins[question_id]].append(question_id)
        for origin, every in sorted(by_origin.items()):
            ids = every if len(every) <= _MOST else random.Random(0).sample(every, _MOST)
            corpora.setdefault(tuple(corpus), corpus)
            by_corpus[tuple(corpus)].append(len(kinds))
            kinds.append(_Kind(split, origin, ids, len(every)))
    rows: dict[int, RealismRow] = {}
    for key, places in by_corpus.items():  # dev and test mostly search the same chunks: these are indexed once
        rows |= zip(places, _rows([kinds[place] for place in places], splits, corpora[key]), strict=True)
    return [rows[place] for place in range(len(kinds))]


def _rows(kinds: Sequence[_Kind], splits: Splits, corpus: Mapping[str, str]) -> list[RealismRow]:
    texts, relevant = [], []
    for kind in kinds:
        part: RetrievalDataset = getattr(splits, kind.split)
        texts.append([part.queries[question_id] for question_id in kind.ids])
        relevant.append([part.relevant_docs[question_id] for question_id in kind.ids])
    ranks = iter(best_ranks(list(chain(*texts)), list(chain(*relevant)), corpus))
    rows = []
    for kind, questions, chunk_ids in zip(kinds, texts, relevant, strict=True):
        passages = ["\n".join(corpus[chunk_id] for chunk_id in ids) for ids in chunk_ids]
        figures = describe(questions, passages, [next(ranks) for _ in questions])
        rows.append(RealismRow(**vars(figures), split=kind.split, origin=kind.origin, questions=kind.count))
    return rows


def realism_warnings(rows: Sequence[RealismRow]) -> list[str]:
    """What a reader of the figures must know: test questions that people would not type."""
    return [
        f"{row.passage_dependent} of {row.looked_at} test questions lean on a passage that the asker has not seen "
        '("according to the document"): people do not ask so, and a retriever cannot use the words.'
        for row in rows
        if row.split == "test" and row.passage_dependent >= _MANY * row.looked_at
    ]
