"""The system reranked: orders, weights, and rankings that are what late interaction says of the candidates."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embft.config import EvaluationConfig, RetrievalConfig
from embft.config.reranking import RerankApiConfig, RerankerConfig
from embft.embedded_text import IndexedCorpus
from embft.errors import ModelError
from embft.models.cross_encoder import open_cross_encoder
from embft.models.encoder import Encoder
from embft.ranking.bench import Bench
from embft.ranking.reranked import RerankedRanker
from embft.ranking.reranking import ScoredCandidates, ranked
from embft.records import RetrievalDataset
from embft.retrieval.candidates import Candidates
from embft.retrieval.embedder import Embedder
from embft.retrieval.late_reranker import LateReranker
from embft.retrieval.score_cache import ScoreCache, scores_now
from embft.retrieval.vector_cache import VectorCache

for _folder in ("models", "services"):
    sys.path.append(str(Path(__file__).parents[1] / _folder))
from fault_server import Answer, serving  # noqa: E402
from tiny_cross_encoder import save_tiny_cross_encoder  # noqa: E402

ROW = ScoredCandidates(
    ("a", "b", "c", "d", "e"), np.array([0.9, 0.8, 0.7, 0.6, 0.5], np.float32), np.array([1, 3, 2], np.float32)
)


@pytest.mark.parametrize(
    ("weight", "order"),
    [
        (0.0, "abcde"),
        (1.0, "bcade"),
        # Scaled: the fusion 1, .5, 0 and the reranker 0, 1, .5, so .5 each gives .5, .75, .25.
        (0.5, "bacde"),
        # .2 * 0 + .8 * 1 = .8; .2 * 1 + .8 * .5 = .6; .1.
        (0.2, "abcde"),
    ],
)
def test_a_weight_orders_the_first_and_leaves_the_others_behind_them(weight, order):
    ranking = ranked({"q": ROW}, weight)
    assert "".join(ranking.chunk_ids["q"]) == order
    assert list(ranking.scores["q"]) == sorted(ranking.scores["q"], reverse=True)


def test_ties_go_to_the_lower_id_and_equal_scores_are_no_division_by_zero():
    row = ScoredCandidates(("b", "a"), np.array([0.5, 0.5], np.float32), np.array([1, 1], np.float32))
    assert ranked({"q": row}, 0.5).chunk_ids["q"] == ("a", "b")
    nothing = ScoredCandidates((), np.zeros(0, np.float32), np.zeros(0, np.float32))
    assert ranked({"q": nothing}, 0.5).chunk_ids["q"] == ()


CORPUS = {
    f"c{number}": text
    for number, text in enumerate(
        [
            "break terminates the nearest enclosing loop",
            "a class is a value that makes objects",
            "names are bound by assignment and import",
            "the else clause of a loop runs when it ends without break",
            "a generator yields values one after the other",
        ]
        * 3
    )
}
QUERIES = {"q1": "stop a loop early", "q2": "how are objects made", "q3": "bind a name"}
RELEVANT = {"q1": ("c0",), "q2": ("c1",), "q3": ("c2",)}


@pytest.fixture(scope="module")
def embedder(minilm_folder, tmp_path_factory):
    return Embedder(
        Encoder(minilm_folder, "fingerprint"),
        RetrievalConfig(name="windows"),
        VectorCache(tmp_path_factory.mktemp("v") / "v"),
    )


def test_late_interaction_scores_candidates_as_it_scores_the_whole_corpus(embedder):
    dataset = RetrievalDataset(QUERIES, CORPUS, RELEVANT, contexts={"c0": "The Book > Loops", "c4": "The Book"})
    whole = embedder.in_mode("late").scorers(dataset)["cosine"].scores(0, 3)
    ids = list(CORPUS)
    asked = [
        Candidates(text, tuple(ids[place:] + ids[:2]), dataset.indexed) for place, text in enumerate(QUERIES.values())
    ]
    found = dict(LateReranker(embedder).scores(asked))
    assert set(found) == {0, 1, 2}
    for row, one in enumerate(asked):
        wanted = whole[row, [ids.index(key) for key in one.chunk_ids]]
        assert np.allclose(found[row], wanted, atol=2e-5)


def test_the_order_of_chunks_of_one_length_moves_no_score(embedder):
    texts = {"a": "break ends a loop", "b": "names are a thing", "c": "a class is a type"}
    assert len(set(map(len, texts.values()))) == 1
    corpus, question = IndexedCorpus(texts), QUERIES["q1"]
    reranker = LateReranker(embedder)
    alone = {key: next(reranker.scores([Candidates(question, (key,), corpus)]))[1][0] for key in texts}
    for order in (("a", "b", "c"), ("c", "b", "a"), ("b", "a", "c")):
        ((_, scores),) = reranker.scores([Candidates(question, order, corpus)])
        assert np.allclose(scores, [alone[key] for key in order], atol=2e-6)


def bench_of(embedder, splits, **settings):
    evaluation = EvaluationConfig(name="x", reranker=RerankerConfig(first=4, **settings))
    dataset = RetrievalDataset(QUERIES, CORPUS, RELEVANT)
    return Bench(embedder.retrieval, evaluation, dict.fromkeys(splits, dataset), embedder, None)


def test_the_ranking_has_the_fusions_chunks_with_the_first_reordered(embedder):
    bench = bench_of(embedder, ["dev", "test"])
    (fusion,), (ranking,) = bench.rank("fused", "test").values(), bench.rank("reranked", "test").values()
    for key in QUERIES:
        assert set(ranking.chunk_ids[key][:4]) == set(fusion.chunk_ids[key][:4])
        assert ranking.chunk_ids[key][4:] == fusion.chunk_ids[key][4:]
    assert bench.reranking is not None
    assert bench.reranking.chosen
    assert len(bench.reranking.curve) == 21


def test_without_dev_or_with_a_weight_of_the_users_dev_chooses_nothing(embedder):
    bench = bench_of(embedder, ["test"])
    bench.rank("reranked", "test")
    assert (bench.reranking.weight, bench.reranking.chosen) == (0.5, False)
    assert any("Without dev questions to choose by, the reranker" in note for note in bench.notes)
    bench = bench_of(embedder, ["dev", "test"], weight=0.0)
    fusion, ranking = bench.rank("fused", "test")["fused"], bench.rank("reranked", "test")["reranked"]
    assert ranking.chunk_ids == fusion.chunk_ids


def test_scores_that_were_worked_out_are_not_worked_out_again(embedder, monkeypatch):
    bench_of(embedder, ["test"]).rank("reranked", "test")
    monkeypatch.setattr(LateReranker, "scores", lambda self, candidates: pytest.fail("asked again"))
    bench_of(embedder, ["test"]).rank("reranked", "test")
    assert RerankedRanker().floor(None) < -1e8


def test_a_cross_encoder_and_an_api_reorder_as_their_scores_say(embedder, tmp_path):
    cross = save_tiny_cross_encoder(tmp_path / "cross")
    bench = bench_of(embedder, ["test"], kind="cross_encoder", path=str(cross), weight=1.0)
    ranking = bench.rank("reranked", "test")["reranked"]
    model = open_cross_encoder(bench.evaluation.reranker, None)
    top = ranking.chunk_ids["q1"][:4]
    scores = model.scores([(QUERIES["q1"], CORPUS[key]) for key in top])
    assert list(scores) == sorted(scores, reverse=True)
    assert bench.reranking.reranker == str(cross)

    def longest_first(body, count):
        rows = [{"index": at, "relevance_score": len(text)} for at, text in enumerate(body["documents"])]
        return Answer({"results": rows})

    with serving(longest_first) as (url, seen):
        api = RerankApiConfig(model="m", base_url=url, api_key_env=None)
        bench = bench_of(embedder, ["test"], kind="api", weight=1.0, api=api)
        ranking = bench.rank("reranked", "test")["reranked"]
        assert len(seen.requests) == len(QUERIES)
    lengths = [len(CORPUS[key]) for key in ranking.chunk_ids["q2"][:4]]
    assert lengths == sorted(lengths, reverse=True)
    assert "scores.sqlite" in {path.name for path in embedder.cache.path.parent.iterdir()}


def test_a_fusion_of_three_parts_ranks_by_three_shares(embedder):
    from dataclasses import replace

    dataset = RetrievalDataset(QUERIES, CORPUS, RELEVANT)
    three = replace(embedder, retrieval=replace(embedder.retrieval, fuse=["bm25", "dense", "late"]))
    bench = Bench(three.retrieval, EvaluationConfig(name="x"), {"dev": dataset, "test": dataset}, three, None)
    (ranking,) = bench.rank("fused", "test").values()
    assert bench.fusion is not None
    assert 0 < bench.fusion.late < 1
    assert 0 <= bench.fusion.weight <= 1 - bench.fusion.late
    assert ranking.chunk_ids["q1"][0] in {"c0", "c5", "c10"}
    assert len(ranking.chunk_ids["q1"]) == len(CORPUS)
    assert IndexedCorpus(CORPUS)["c0"] == CORPUS["c0"]


class Counted:
    """A reranker that scores texts by their length and counts questions."""

    name = identity = "counted"

    def __init__(self):
        self.asked = 0

    def scores(self, candidates):
        for place, one in enumerate(candidates):
            assert one.texts, "a question without candidates"
            self.asked += 1
            yield place, np.array([len(text) for text in one.texts], np.float32)


def test_a_question_for_which_nothing_was_found_is_not_reordered(tmp_path):
    corpus = IndexedCorpus({"a": "x", "b": "xyz"})
    asked = [Candidates("one", ("a", "b"), corpus), Candidates("two", (), corpus), Candidates("three", ("b",), corpus)]
    cache, reranker = ScoreCache(tmp_path / "scores.sqlite"), Counted()
    for scored in (cache.scores(reranker, asked), cache.scores(reranker, asked), scores_now(reranker, asked)):
        assert [list(map(float, scores)) for scores in scored] == [[1, 3], [], [3]]
    assert reranker.asked == 4  # two, none of them again, and two that are not stored
    assert [list(scores) for scores in scores_now(Counted(), asked[1:2])] == [[]]
    cache.close()


def test_another_cross_encoder_than_the_one_that_was_ranked_is_refused(embedder, tmp_path):
    cross = save_tiny_cross_encoder(tmp_path / "cross")
    bench = bench_of(embedder, ["test"], kind="cross_encoder", path=str(cross), weight=1.0)
    bench.rank("reranked", "test")
    assert bench.reranking.weights
    later = bench_of(embedder, ["test"], kind="cross_encoder", path=str(cross), weight=1.0)
    later.reranking = bench.reranking
    later.rank("reranked", "test")
    later = bench_of(embedder, ["test"], kind="cross_encoder", path=str(cross), weight=1.0)
    later.reranking = replace(bench.reranking, weights="0" * 16)
    with pytest.raises(ModelError, match="is not the one that was ranked"):
        later.rank("reranked", "test")
