"""Grades: nDCG as trec_eval has it, and all else by a threshold; with grades of 1 everything is as it was."""

from __future__ import annotations

import random

import numpy as np
import pytest

from embft.evaluation.metrics import dataset_scores, per_question
from embft.records import Ranking, RetrievalDataset
from embft.retrieval.excluding import excluding, without_excluded
from embft.retrieval.scoring import FusedScorer, TableScorer, rank


def random_case(seed: int, highest: int) -> tuple[Ranking, RetrievalDataset]:
    draw = random.Random(seed)
    corpus = {f"c{at:03d}": "x" for at in range(150)}
    relevant, grades, ids, scores = {}, {}, {}, {}
    for at in range(40):
        chosen = draw.sample(sorted(corpus), draw.randrange(1, 30))
        relevant[f"q{at}"] = tuple(chosen)
        grades[f"q{at}"] = {key: draw.randrange(1, highest + 1) for key in chosen}
        ids[f"q{at}"] = tuple(draw.sample(sorted(corpus), draw.randrange(1, 100)))
        scores[f"q{at}"] = tuple(float(1000 - place) for place in range(len(ids[f"q{at}"])))
    dataset = RetrievalDataset(dict.fromkeys(relevant, "?"), corpus, relevant, grades)
    return Ranking("base", "cosine", ids, scores), dataset


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("relevant_from", [1, 2, 3])
def test_figures_are_those_of_pytrec_eval(seed: int, relevant_from: int) -> None:
    pytrec_eval = pytest.importorskip("pytrec_eval")
    ranking, dataset = random_case(seed, 4)
    names = {"ndcg_cut_10": "ndcg@10", "recall_10": "recall@10", "P_5": "precision@5", "success_10": "accuracy@10"}
    evaluator = pytrec_eval.RelevanceEvaluator(
        {key: dict(own) for key, own in dataset.grades.items()},
        {"ndcg_cut.10", "recall.10", "P.5", "success.10"},
        relevance_level=relevant_from,
    )
    run = {key: dict(zip(ids, ranking.scores[key], strict=True)) for key, ids in ranking.chunk_ids.items()}
    theirs = evaluator.evaluate(run)
    mine = dataset_scores(ranking, dataset, relevant_from)
    for at, question_id in enumerate(dataset.queries):
        for name, own in names.items():
            assert mine[own][at] == pytest.approx(theirs[question_id][name], abs=1e-6), (name, question_id)


def test_grades_of_1_change_no_bit() -> None:
    ranking, dataset = random_case(9, 1)
    plain = per_question(ranking, dataset.relevant_docs, list(dataset.queries))
    graded = per_question(ranking, dataset.relevant_docs, list(dataset.queries), grades=dataset.grades)
    assert all(np.array_equal(plain[name], graded[name]) for name in plain)


def test_a_case_worked_out_on_paper() -> None:
    ranking = Ranking("base", "cosine", {"q": ("a", "b", "c")}, {"q": (3.0, 2.0, 1.0)})
    dataset = RetrievalDataset({"q": "?"}, {"a": "", "b": "", "c": ""}, {"q": ("a", "c")}, {"q": {"c": 3}})
    assert dataset_scores(ranking, dataset)["ndcg@10"][0] == pytest.approx((1 + 3 / 2) / (3 + 1 / np.log2(3)))
    assert dataset_scores(ranking, dataset, 2)["recall@1"][0] == 0
    assert dataset_scores(ranking, dataset, 2)["recall@3"][0] == 1
    assert dataset_scores(ranking, dataset, 4)["recall@3"][0] == dataset_scores(ranking, dataset, 4)["map@100"][0] == 0


def test_all_of_many_relevant_chunks_found_is_1_and_a_repeated_id_counts_once() -> None:
    ids = tuple(f"c{at}" for at in range(10))
    ranking = Ranking("base", "cosine", {"q": ids}, {"q": tuple(float(-at) for at in range(10))})
    dataset = RetrievalDataset({"q": "?"}, dict.fromkeys(ids, ""), {"q": (*ids, *ids)})
    assert {
        name: values[0] for name, values in dataset_scores(ranking, dataset).items() if name in {"ndcg@10", "recall@10"}
    } == {
        "ndcg@10": 1.0,
        "recall@10": 1.0,
    }


def test_a_question_s_own_copy_is_neither_ranked_nor_does_it_move_a_mix() -> None:
    table = np.array([[9.0, 0.5, 0.2, 0.1], [0.1, 0.9, 0.3, 0.2]], np.float32)
    other = np.array([[0.9, 0.1, 0.3, 0.0], [0.1, 0.9, 0.3, 0.2]], np.float32)
    ids = ["c0", "c1", "c2", "c3"]
    corpus = dict.fromkeys(ids, "x")
    dataset = RetrievalDataset({"q0": "x", "q1": "y"}, corpus, {"q0": ("c1",), "q1": ("c1",)}, excluded={"q0": ("c0",)})
    mix = FusedScorer(excluding(TableScorer(table), dataset), excluding(TableScorer(other), dataset), 0.5)
    ranking = rank(mix, ["q0", "q1"], ids, system="fused", score_name="fused", depth=10)
    ranking = without_excluded(ranking, dataset)
    alone = FusedScorer(TableScorer(table[:1, 1:]), TableScorer(other[:1, 1:]), 0.5)
    expected = rank(alone, ["q0"], ids[1:], system="fused", score_name="fused", depth=10)
    assert ranking.chunk_ids["q0"] == expected.chunk_ids["q0"]
    assert ranking.scores["q0"] == pytest.approx(expected.scores["q0"])
    assert ranking.chunk_ids["q1"][0] == "c1"
    plain = TableScorer(table)
    assert excluding(plain, RetrievalDataset({}, corpus, {})) is plain
