"""Ranking metrics, question by question first; means come last.

Definitions are those of sentence-transformers' InformationRetrievalEvaluator, so that figures can be held against it: 15
of them a score function. Relevance is binary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from embft.records import Ranking

PerQuestion = dict[str, npt.NDArray[np.float64]]

CUTS = (1, 3, 5, 10)
_DEPTH = 100


def per_question(ranking: Ranking, relevant_docs: Mapping[str, Sequence[str]], question_ids: Sequence[str]) -> PerQuestion:
    """Scores every question; float64 [n_questions] for each metric.

    A question that the ranking lacks scores 0 everywhere; it is not left out of the mean (as in ir_measures).

    Names:
        accuracy@k: 1 if a relevant chunk is in the top k. Also called hit rate or success@k; it is not recall once a
            question has several relevant chunks.
        precision@k: Relevant chunks in the top k, over k.
        recall@k: Relevant chunks in the top k, over all relevant ones.
        mrr@10: 1 / rank of the first relevant chunk in the top 10, else 0.
        ndcg@10: Discounted cumulative gain (Jarvelin and Kekalainen, 2002, with log2(rank + 1)), over that of the best
            possible ranking.
        map@100: Sum of the precisions at each relevant chunk in the top 100, over min(100, relevant chunks).

    Args:
        ranking: Best first.
        relevant_docs: Question id to its relevant chunks, at least one each.
        question_ids: The order of the arrays.
    """
    hits = np.zeros((len(question_ids), _DEPTH))  # (Q, 100): 1 where the chunk of that rank is relevant
    relevant = np.zeros(len(question_ids))
    for row, question_id in enumerate(question_ids):
        wanted = set(relevant_docs[question_id])
        relevant[row] = len(wanted)
        ranked = ranking.chunk_ids.get(question_id, ())[:_DEPTH]
        hits[row, : len(ranked)] = [chunk_id in wanted for chunk_id in ranked]
    ranks = np.arange(1, _DEPTH + 1)
    found = hits.cumsum(axis=1)  # (Q, 100): relevant chunks in the top k
    scores: PerQuestion = {}
    for cut in CUTS:
        scores[f"accuracy@{cut}"] = (found[:, cut - 1] > 0).astype(np.float64)
    for cut in CUTS:
        scores[f"precision@{cut}"] = found[:, cut - 1] / cut
        scores[f"recall@{cut}"] = found[:, cut - 1] / relevant
    discounts = 1 / np.log2(ranks[:10] + 1)
    best = discounts.cumsum()[np.minimum(relevant, 10).astype(int) - 1]
    scores["ndcg@10"] = hits[:, :10] @ discounts / best
    top = hits[:, :10]
    scores["mrr@10"] = np.where(top.any(axis=1), 1 / (top.argmax(axis=1) + 1), 0.0)
    scores["map@100"] = (hits * found / ranks).sum(axis=1) / np.minimum(relevant, _DEPTH)
    return scores


def with_hit_rates(scores: PerQuestion) -> PerQuestion:
    """Adds ``hit_rate@k``, this project's name for accuracy@k."""
    return {**scores, **{f"hit_rate@{cut}": scores[f"accuracy@{cut}"] for cut in CUTS}}


def summarise(scores: Mapping[str, npt.NDArray[np.float64]], score_name: str) -> dict[str, float]:
    """Means of the 15 metrics under the names of InformationRetrievalEvaluator, such as ``cosine_map@100``."""
    return {f"{score_name}_{name}": float(values.mean()) for name, values in scores.items() if "hit_rate" not in name}


def mean_metrics(
    ranking: Ranking, relevant_docs: Mapping[str, Sequence[str]], question_ids: Sequence[str]
) -> dict[str, float]:
    """Means of every metric, hit rates included, under plain names."""
    scores = with_hit_rates(per_question(ranking, relevant_docs, question_ids))
    return {name: float(values.mean()) for name, values in scores.items()}
