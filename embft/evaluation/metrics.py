"""Ranking metrics, question by question first; means come last.

Definitions are those of sentence-transformers' InformationRetrievalEvaluator, so that figures can be held against it:
15 of them a score function. Relevance is binary, but for nDCG, whose gains are the grades (linear, as trec_eval has them);
with grades of 1 that is the same. Equal scores are no matter here: a `Ranking` is in order already, by
score, then by chunk id, as that evaluator orders its hits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from embft.evaluation.weights import Weights
from embft.records import Ranking, RetrievalDataset

PerQuestion = dict[str, npt.NDArray[np.float64]]

CUTS = (1, 3, 5, 10)
_TOP = 10
"""Where MRR and nDCG stop."""
_DEPTH = 100
"""Where MAP stops, and so all that is looked at."""
_HIT_RATE = "hit_rate@"


def dataset_scores(ranking: Ranking, dataset: RetrievalDataset, relevant_from: int = 1) -> PerQuestion:
    """`per_question` for all questions of a dataset with its grades, and `with_hit_rates`."""
    scores = per_question(
        ranking, dataset.relevant_docs, list(dataset.queries), grades=dataset.grades, relevant_from=relevant_from
    )
    return with_hit_rates(scores)


def per_question(
    ranking: Ranking,
    relevant_docs: Mapping[str, Sequence[str]],
    question_ids: Sequence[str],
    *,
    grades: Mapping[str, Mapping[str, int]] | None = None,
    relevant_from: int = 1,
) -> PerQuestion:
    """Scores every question by 15 metrics.

    A question that the ranking lacks scores 0; it is not left out of the mean (as in ir_measures; trec_eval needs -c
    for it, without which a system gains by leaving a hard question unanswered).

    Names:
        accuracy@k: 1 if a relevant chunk is in the top k, else 0. Also called hit rate or success@k; it is not recall
            once a question has several relevant chunks.
        precision@k: Relevant chunks in the top k, over k, even where the corpus is smaller than k.
        recall@k: Relevant chunks in the top k, over all relevant ones.
        mrr@10: 1 / rank of the first relevant chunk in the top 10, else 0.
        ndcg@10: Discounted cumulative gain of the top 10, a chunk's gain its grade, with discount log2(rank + 1), over that
            of the best possible ranking; trec_eval's ndcg_cut.10 (Jarvelin and Kekalainen, "Cumulated gain-based evaluation
            of IR techniques", TOIS 20(4), 2002).
        map@100: Sum of the precisions at each relevant chunk in the top 100, over min(100, relevant chunks); trec_eval
            divides by all relevant chunks, which differs only beyond 100 of them.

    Args:
        ranking: Best first; chunks beyond the first 100 are not looked at.
        relevant_docs: Question id to its relevant chunks, at least one each.
        question_ids: The order of the arrays.
        grades: Question id to chunk id to grade; a relevant chunk that is not named has grade 1.
        relevant_from: Grade from which a chunk is relevant to all metrics but nDCG. A question that has no chunk of that
            grade scores 0 by them, as in trec_eval with -l.

    Returns:
        float64 [n_questions] for each metric.

    Raises:
        ValueError: A question has no relevant chunk, so that recall is undefined. `embft.dataset.validation` names such
            questions before anything is ranked.
    """
    gains = np.zeros((len(question_ids), _DEPTH))  # (Q, 100): the grade of the chunk of that rank
    ideal = np.zeros((len(question_ids), _TOP))  # (Q, 10): the highest grades
    relevant = np.zeros(len(question_ids), np.int64)  # (Q,)
    for row, question_id in enumerate(question_ids):
        wanted = dict.fromkeys(relevant_docs.get(question_id, ()), 1)
        if not wanted:
            raise ValueError(f"question '{question_id}' has no relevant chunk: it cannot be scored")
        own = grades.get(question_id, {}) if grades else {}
        wanted |= {chunk_id: grade for chunk_id, grade in own.items() if chunk_id in wanted}
        relevant[row] = sum(grade >= relevant_from for grade in wanted.values())
        best_gains = sorted(wanted.values(), reverse=True)[:_TOP]
        ideal[row, : len(best_gains)] = best_gains
        ranked = ranking.chunk_ids.get(question_id, ())[:_DEPTH]
        gains[row, : len(ranked)] = [wanted.get(chunk_id, 0) for chunk_id in ranked]
    hits = (gains >= relevant_from).astype(np.float64)  # (Q, 100): 1 where the chunk of that rank is relevant
    any_relevant = np.maximum(relevant, 1)  # no division by zero where nothing reaches ``relevant_from``
    hits_by_depth = hits.cumsum(axis=1)  # (Q, 100): relevant chunks in the top k
    ranks = np.arange(1, _DEPTH + 1)

    scores: PerQuestion = {f"accuracy@{cut}": (hits_by_depth[:, cut - 1] > 0).astype(np.float64) for cut in CUTS}
    scores |= {f"precision@{cut}": hits_by_depth[:, cut - 1] / cut for cut in CUTS}
    scores |= {f"recall@{cut}": hits_by_depth[:, cut - 1] / any_relevant for cut in CUTS}
    top = hits[:, :_TOP]
    discounts = 1 / np.log2(ranks[:_TOP] + 1)
    # Sums of products, not `@`: the linear algebra library may round a perfect ranking to just below 1.
    best = (ideal * discounts).cumsum(axis=1)[:, -1]
    scores["ndcg@10"] = (gains[:, :_TOP] * discounts).cumsum(axis=1)[:, -1] / best
    scores["mrr@10"] = np.where(top.any(axis=1), 1 / (top.argmax(axis=1) + 1), 0.0)
    scores["map@100"] = (hits * hits_by_depth / ranks).sum(axis=1) / np.minimum(any_relevant, _DEPTH)
    return scores


def with_hit_rates(scores: PerQuestion) -> PerQuestion:
    """Adds ``hit_rate@k``, this project's name for accuracy@k."""
    return {**scores, **{f"{_HIT_RATE}{cut}": scores[f"accuracy@{cut}"] for cut in CUTS}}


def summarise(scores: PerQuestion, score_name: str, weights: Weights | None = None) -> dict[str, float]:
    """Means of the 15 metrics under InformationRetrievalEvaluator's names, such as ``cosine_map@100``.

    Hit rates are passed over, accuracy@k says the same. NaN where there are no questions.
    """
    return {
        f"{score_name}_{name}": _mean(values, weights)
        for name, values in scores.items()
        if not name.startswith(_HIT_RATE)
    }


def _mean(values: npt.NDArray[np.float64], weights: Weights | None) -> float:
    return float((weights or Weights(len(values))).mean(values)) if len(values) else float("nan")
