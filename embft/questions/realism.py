"""How like real questions a set of questions is: the same few figures for what was generated and for what people asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from embft.questions.filters import near_duplicates
from embft.questions.traits import KINDS, copied_run, kind_of, terms
from embft.text.content_words import word_count, words_shared
from embft.text.languages import languages_of
from embft.text.passage_dependence import passage_dependence

SIMILARITY = 90.0
"""Percent from which two questions count as near-duplicates."""
_COPIED = 0.5


@dataclass(frozen=True)
class Realism:
    """Figures of a set of questions; shares are of the questions.

    Attributes:
        looked_at: How many questions.
        words: Median length.
        overlap: Mean share of the content words that also stand in the passage.
        copied: Share of questions half of which is one run of the passage.
        bm25_at_1: Share of questions whose chunk BM25 ranks first.
        passage_dependent: Questions that refer to a passage which the asker has not seen.
        duplicates: Questions with equal words.
        near_duplicates: Those, and questions with nearly equal words.
        kinds: Shares by kind of question.
    """

    looked_at: int
    words: float
    overlap: float
    copied: float
    bm25_at_1: float
    passage_dependent: int
    duplicates: int
    near_duplicates: int
    kinds: Mapping[str, float]


def describe(questions: Sequence[str], passages: Sequence[str], ranks: Sequence[int | None]) -> Realism:
    """Works out the figures of a set of questions.

    Args:
        questions: At least one.
        passages: Each question's relevant chunks, as one text.
        ranks: Each question's best rank by BM25, from 1; None where it finds none.
    """
    spoken = languages_of(list(passages)).each
    plain = ["".join(terms(text)) for text in questions]
    kinds = Counter(kind_of(text, language) for text, language in zip(questions, spoken, strict=True))
    pairs = list(zip(questions, passages, strict=True))
    return Realism(
        looked_at=len(questions),
        words=median(word_count(text) for text in questions),
        overlap=round(fmean(words_shared(*pair, own) for pair, own in zip(pairs, spoken, strict=True)), 3),
        copied=round(fmean(copied_run(*pair, _COPIED) is not None for pair in pairs), 3),
        bm25_at_1=round(fmean(rank == 1 for rank in ranks), 3),
        passage_dependent=sum(passage_dependence(text) is not None for text in questions),
        duplicates=len(plain) - len(set(plain)),
        near_duplicates=len(near_duplicates(questions, SIMILARITY)),
        kinds={kind: round(kinds[kind] / len(questions), 3) for kind in KINDS if kinds[kind]},
    )
