import math
import random
from collections.abc import Mapping

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from embft.evaluation.metrics import CUTS, per_question, summarise, with_hit_rates
from embft.records import Ranking

NAMES = {f"{kind}@{cut}" for kind in ("accuracy", "precision", "recall") for cut in CUTS} | {
    "ndcg@10",
    "mrr@10",
    "map@100",
}


def ranked(chunk_ids: Mapping[str, tuple[str, ...]]) -> Ranking:
    scores = {key: tuple(float(-place) for place in range(len(ids))) for key, ids in chunk_ids.items()}
    return Ranking("base", "cosine", chunk_ids, scores)


def one(ids: tuple[str, ...], relevant: tuple[str, ...]) -> dict[str, float]:
    return {name: float(values[0]) for name, values in per_question(ranked({"q": ids}), {"q": relevant}, ["q"]).items()}


def test_there_are_fifteen_metrics_in_double_precision():
    scores = per_question(ranked({"q": ("a",)}), {"q": ("a",)}, ["q"])
    assert set(scores) == NAMES
    assert len(scores) == 15
    assert all(values.dtype == np.float64 and values.shape == (1,) for values in scores.values())


def test_one_relevant_chunk_at_rank_three():
    found = one(("x", "y", "a", "z"), ("a",))
    assert [found[f"accuracy@{k}"] for k in CUTS] == [0, 1, 1, 1]
    assert [found[f"precision@{k}"] for k in CUTS] == [0, 1 / 3, 1 / 5, 1 / 10]
    assert [found[f"recall@{k}"] for k in CUTS] == [0, 1, 1, 1]
    assert found["mrr@10"] == 1 / 3
    assert found["ndcg@10"] == pytest.approx(0.5)  # 1/log2(3 + 1) over 1/log2(1 + 1)
    assert found["map@100"] == 1 / 3


def test_three_relevant_chunks_of_which_two_are_found():
    found = one(("a", "x", "y", "b", "z"), ("a", "b", "c"))
    assert [found[f"accuracy@{k}"] for k in CUTS] == [1, 1, 1, 1]
    assert [found[f"precision@{k}"] for k in CUTS] == [1, 1 / 3, 2 / 5, 2 / 10]
    assert [found[f"recall@{k}"] for k in CUTS] == [1 / 3, 1 / 3, 2 / 3, 2 / 3]
    assert found["mrr@10"] == 1
    # DCG 1 + 1/log2(5) = 1.430677; the best is 1 + 1/log2(3) + 1/log2(4) = 2.130930; their quotient:
    assert found["ndcg@10"] == pytest.approx(0.671387, abs=1e-6)
    assert found["map@100"] == pytest.approx((1 / 1 + 2 / 4) / 3)


def test_a_relevant_chunk_at_rank_eleven_counts_for_map_alone():
    found = one((*(f"x{place}" for place in range(10)), "a"), ("a",))
    assert {name for name, value in found.items() if value} == {"map@100"}
    assert found["map@100"] == pytest.approx(1 / 11)


def test_nothing_beyond_rank_one_hundred_counts():
    found = one((*(f"x{place}" for place in range(100)), "a"), ("a",))
    assert not any(found.values())


def test_with_more_than_a_hundred_relevant_chunks_a_perfect_ranking_has_map_one():
    ids = tuple(f"c{place:03d}" for place in range(120))
    found = one(ids, ids)
    assert found["map@100"] == pytest.approx(1)  # over min(100, 120)
    assert found["recall@10"] == 10 / 120


def test_precision_divides_by_k_even_where_the_corpus_is_smaller():
    assert one(("a",), ("a",))["precision@10"] == 0.1


@pytest.mark.parametrize("count", [1, 2, 7, 10, 15])
def test_a_perfect_ranking_has_an_ndcg_of_exactly_one(count: int):
    ids = tuple(f"c{place}" for place in range(count))
    assert one(ids, ids)["ndcg@10"] == 1.0


def test_a_question_that_the_ranking_lacks_scores_zero_and_stays_in_the_mean():
    ranking = ranked({"answered": ("a",)})
    relevant = {"answered": ("a",), "missing": ("b",)}
    assert per_question(ranking, relevant, ["answered", "missing"])["accuracy@1"].tolist() == [1, 0]
    assert per_question(ranking, relevant, ["answered", "missing"])["ndcg@10"].mean() == 0.5


def test_arrays_are_in_the_order_asked_for():
    ranking = ranked({"p": ("a",), "q": ("x", "b")})
    relevant = {"p": ("a",), "q": ("b",)}
    assert per_question(ranking, relevant, ["q", "p"])["mrr@10"].tolist() == [0.5, 1]


def test_a_relevant_chunk_named_twice_counts_once():
    assert one(("a",), ("a", "a"))["recall@1"] == 1


@pytest.mark.parametrize("relevant", [{}, {"q": ()}])
def test_a_question_without_a_relevant_chunk_is_refused_by_name(relevant):
    with pytest.raises(ValueError, match="'q' has no relevant chunk"):
        per_question(ranked({"q": ("a",)}), relevant, ["q"])


def test_means_of_no_questions_are_nan_without_a_warning(recwarn):
    assert all(math.isnan(value) for value in summarise(per_question(ranked({}), {}, []), "cosine").values())
    assert not recwarn.list


def test_hit_rate_is_accuracy_under_this_project_s_name():
    scores = with_hit_rates(per_question(ranked({"q": ("x", "a")}), {"q": ("a",)}, ["q"]))
    assert all((scores[f"hit_rate@{k}"] == scores[f"accuracy@{k}"]).all() for k in CUTS)


def test_the_summary_has_the_evaluator_s_fifteen_names():
    scores = with_hit_rates(per_question(ranked({"q": ("a",)}), {"q": ("a",)}, ["q"]))
    assert set(summarise(scores, "cosine")) == {f"cosine_{name}" for name in NAMES}


@settings(max_examples=60, deadline=None)
@given(
    st.permutations([f"c{place}" for place in range(14)]), st.sets(st.integers(0, 13), min_size=1), st.integers(0, 14)
)
def test_every_score_is_a_share_and_deeper_cuts_never_lose(order, wanted, depth):
    found = one(tuple(order[:depth]), tuple(f"c{place}" for place in sorted(wanted)))
    assert all(0 <= value <= 1 + 1e-12 for value in found.values())
    for kind in ("accuracy", "recall"):
        values = [found[f"{kind}@{k}"] for k in CUTS]
        assert values == sorted(values)


def random_scores(seed: int) -> tuple[dict[str, dict[str, int]], dict[str, tuple[str, ...]]]:
    """Whole scores, so with many ties, of every chunk for every question; several relevant chunks a question."""
    draw = random.Random(seed)
    chunk_ids = [f"c{number:03d}" for number in range(draw.choice([1, 3, 8, 40, 250]))]
    draw.shuffle(chunk_ids)
    questions = [f"q{number}" for number in range(draw.randint(1, 12))]
    scores = {q: {c: draw.randint(0, draw.choice([2, 9, 900])) for c in chunk_ids} for q in questions}
    relevant = {q: tuple(draw.sample(chunk_ids, draw.randint(1, min(12, len(chunk_ids))))) for q in questions}
    return scores, relevant


def as_ranking(scores: Mapping[str, Mapping[str, int]]) -> Ranking:
    order = {q: tuple(sorted(found, key=lambda c: (-found[c], c)))[:100] for q, found in scores.items()}
    return Ranking("base", "dot", order, {q: tuple(float(scores[q][c]) for c in ids) for q, ids in order.items()})


@pytest.mark.parametrize("seed", range(50))
def test_equal_to_trec_eval_on_random_rankings(seed: int):
    scores, relevant = random_scores(seed)
    ranking = as_ranking(scores)
    # trec_eval breaks ties by descending id: places as scores keep our order. Its reciprocal rank has no cut: give 10.
    run = {q: {c: float(-place) for place, c in enumerate(ids)} for q, ids in ranking.chunk_ids.items()}
    judged = {q: dict.fromkeys(ids, 1) for q, ids in relevant.items()}
    measures = {"P.1,3,5,10", "recall.1,3,5,10", "success.1,3,5,10", "ndcg_cut.10", "map_cut.100"}
    theirs = pytrec_eval.RelevanceEvaluator(judged, measures).evaluate(run)
    top = {q: dict(list(found.items())[:10]) for q, found in run.items()}
    first = pytrec_eval.RelevanceEvaluator(judged, {"recip_rank"}).evaluate(top)

    ours = per_question(ranking, relevant, list(relevant))
    names = {"ndcg@10": "ndcg_cut_10", "map@100": "map_cut_100"}
    for mine, other in (("accuracy", "success"), ("precision", "P"), ("recall", "recall")):
        names |= {f"{mine}@{k}": f"{other}_{k}" for k in CUTS}
    for name, other in names.items():
        np.testing.assert_allclose(ours[name], [theirs[q][other] for q in relevant], atol=1e-9, err_msg=name)
    np.testing.assert_allclose(ours["mrr@10"], [first[q]["recip_rank"] for q in relevant], atol=1e-9)


class OneHotEncoder:
    """Encodes a question as a unit vector of its own and a chunk as its scores, so that dot products are the scores."""

    similarity_fn_name = "dot"

    def __init__(self, scores: Mapping[str, Mapping[str, int]]) -> None:
        self.scores = scores

    def encode_query(self, sentences, **kwargs):
        import torch

        return torch.eye(len(self.scores))[[list(self.scores).index(q) for q in sentences]]

    def encode_document(self, sentences, **kwargs):
        import torch

        return torch.tensor([[float(found[c]) for found in self.scores.values()] for c in sentences])

    def similarity(self, questions, chunks):
        return questions @ chunks.T


@pytest.mark.parametrize("seed", range(50))
def test_equal_to_the_information_retrieval_evaluator_on_random_scores_with_ties(seed: int):
    from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator

    scores, relevant = random_scores(seed)
    chunk_ids = list(next(iter(scores.values())))
    evaluator = InformationRetrievalEvaluator(
        {q: q for q in scores},
        {c: c for c in chunk_ids},
        {q: set(ids) for q, ids in relevant.items()},
        corpus_chunk_size=random.Random(seed).choice([7, 50_000]),
    )
    encoder = OneHotEncoder(scores)
    evaluator.score_functions, evaluator.score_function_names = {"dot": encoder.similarity}, ["dot"]
    theirs = {
        f"dot_{kind.replace('@k', f'@{k}')}": float(value)
        for kind, by_cut in evaluator.compute_all_metrics(encoder)["dot"].items()
        for k, value in by_cut.items()
    }
    assert summarise(per_question(as_ranking(scores), relevant, list(scores)), "dot") == pytest.approx(theirs, abs=1e-9)


class VectorEncoder:
    """Encodes a text as the vector that its number stands for."""

    similarity_fn_name = "cosine"
    model_card_data = None

    def __init__(self, vectors: Mapping[str, np.ndarray]) -> None:
        self.vectors = vectors

    def encode_query(self, sentences, **kwargs):
        import torch

        return torch.tensor(np.stack([self.vectors[text] for text in sentences]))

    encode_document = encode_query


@pytest.mark.parametrize("seed", range(50))
def test_all_thirty_metrics_equal_the_evaluator_s_for_cosine_and_dot(seed: int):
    from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator
    from sentence_transformers.util import cos_sim, dot_score

    from embft.retrieval.scoring import dense_scorers, rank
    from embft.retrieval.windows import whole_chunks

    draw = np.random.default_rng(seed)
    _, relevant = random_scores(seed)
    chunk_ids = sorted({chunk_id for ids in relevant.values() for chunk_id in ids} | {f"x{at}" for at in range(seed)})
    vectors = {key: draw.normal(size=6).astype(np.float32) for key in (*relevant, *chunk_ids)}
    # No ties here: torch's products of equal vectors differ in the last bit, so that it breaks them by chance.
    evaluator = InformationRetrievalEvaluator(
        {q: q for q in relevant},
        {c: c for c in chunk_ids},
        {q: set(ids) for q, ids in relevant.items()},
        score_functions={"cosine": cos_sim, "dot": dot_score},
    )
    theirs = evaluator.compute_all_metrics(VectorEncoder(vectors))
    expected = {
        f"{score}_{kind.replace('@k', f'@{k}')}": float(value)
        for score, kinds in theirs.items()
        for kind, by_cut in kinds.items()
        for k, value in by_cut.items()
    }
    questions, passages = (np.stack([vectors[key] for key in keys]) for keys in (list(relevant), chunk_ids))
    ours: dict[str, float] = {}
    for name, scorer in dense_scorers(questions, passages, whole_chunks({c: c for c in chunk_ids})).items():
        ranking = rank(scorer, list(relevant), chunk_ids, system="base", score_name=name, depth=100)
        ours |= summarise(per_question(ranking, relevant, list(relevant)), name)
    assert len(ours) == 30
    assert ours == pytest.approx(expected, abs=1e-6)
