"""BM25 as the reference retriever of the question filters, and the realism of a dataset's questions."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from embft.records import RetrievalDataset, Splits

_MOST = 1000
"""Questions of one kind that are looked at: enough for figures in percent, and quick whatever the size."""
_BLOCK = 64


def best_ranks(
    questions: Sequence[str], relevant: Sequence[Sequence[str]], corpus: Mapping[str, str]
) -> list[int | None]:
    """Rank, from 1, of each question's best relevant chunk by BM25; ties go to the chunk that stands first in the corpus.

    None where no relevant chunk shares a word with the question.
    """
    from embft.retrieval.bm25 import BM25Scorer

    scorer = BM25Scorer(corpus, questions)
    column = {chunk_id: place for place, chunk_id in enumerate(corpus)}
    ranks: list[int | None] = []
    for start in range(0, len(questions), _BLOCK):
        end = min(start + _BLOCK, len(questions))
        for scores, ids in zip(scorer.scores(start, end), relevant[start:end], strict=True):
            # Highest score first, then lowest column.
            best = min((column[chunk_id] for chunk_id in ids), key=lambda place: (-scores[place], place))
            ahead = int(np.sum(scores > scores[best]) + np.sum(scores[:best] == scores[best]))
            ranks.append(ahead + 1 if scores[best] > 0 else None)
    return ranks


def realism(splits: Splits) -> list[dict[str, Any]]:
    """A row of figures for each split and origin that there is; see `embft.questions.realism.describe`.

    Test and dev questions search what they search in the evaluation, train questions the chunks of train.
    """
    from embft.questions.realism import describe

    groups: list[tuple[str, str, list[str], int]] = []
    asked: dict[tuple[str, ...], list[int]] = defaultdict(list)
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
            asked[tuple(corpus)].append(len(groups))
            groups.append((split, origin, ids, len(every)))
    rows: dict[int, dict[str, Any]] = {}
    for key, places in asked.items():  # dev and test mostly search the same chunks: these are indexed once
        corpus = corpora[key]
        texts, relevant = [], []
        for place in places:
            split, _, ids, _ = groups[place]
            part = getattr(splits, split)
            texts.append([part.queries[question_id] for question_id in ids])
            relevant.append([part.relevant_docs[question_id] for question_id in ids])
        ranks = iter(best_ranks(list(chain(*texts)), list(chain(*relevant)), corpus))
        for place, questions, found in zip(places, texts, relevant, strict=True):
            split, origin, ids, count = groups[place]
            passages = ["\n".join(corpus[chunk_id] for chunk_id in chunk_ids) for chunk_ids in found]
            figures = describe(questions, passages, [next(ranks) for _ in questions])
            rows[place] = {"split": split, "origin": origin, **figures, "questions": count, "looked_at": len(ids)}
    return [rows[place] for place in range(len(groups))]


def realism_warnings(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a reader of the figures must know: test questions that nobody would type."""
    return [
        f"{row['passage_dependent']} of {row['looked_at']} test questions lean on a passage that the asker has not seen "
        '("according to the document"): people do not ask so, and a retriever cannot use the words.'
        for row in rows
        if row["split"] == "test" and row["passage_dependent"] >= 0.05 * row["looked_at"]
    ]
