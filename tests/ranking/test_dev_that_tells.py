"""Dev questions that are cut out of passages choose no weight for test questions that are not."""

from __future__ import annotations

import pytest

from embft.config import EvaluationConfig, RetrievalConfig
from embft.config.reranking import RerankerConfig
from embft.models.encoder import Encoder
from embft.ranking.bench import Bench, SystemFacts, ranker_of
from embft.records import RetrievalDataset, Splits
from embft.retrieval.embedder import Embedder
from embft.retrieval.vector_cache import VectorCache
from embft.steps.ranking import dev_tells, tuning_tells

CORPUS = {
    "c0": "break terminates the nearest enclosing loop",
    "c1": "a class is a value that makes objects",
    "c2": "names are bound by assignment and import",
}
QUERIES = {"q1": "stop a loop early", "q2": "how are objects made", "q3": "bind a name"}
DATASET = RetrievalDataset(QUERIES, CORPUS, {"q1": ("c0",), "q2": ("c1",), "q3": ("c2",)})


def splits_of(dev: list[str], test: list[str], train: list[str] | None = None) -> Splits:
    def part(name: str, origins: list[str]) -> RetrievalDataset:
        keys = [f"{name}{place}" for place in range(len(origins))]
        return RetrievalDataset(dict.fromkeys(keys, "?"), CORPUS, dict.fromkeys(keys, ("c0",)))

    origins = {f"dev{place}": origin for place, origin in enumerate(dev)}
    origins |= {f"test{place}": origin for place, origin in enumerate(test)}
    origins |= {f"train{place}": origin for place, origin in enumerate(train or [])}
    return Splits(part("train", train or []), part("dev", dev), part("test", test), {}, {}, origins)


@pytest.mark.parametrize(
    ("dev", "test", "tells"),
    [
        (["extractive"] * 3, ["file"] * 4, False),
        (["extractive"] * 3, ["human", "file", "extractive"], False),
        (["extractive"] * 3, ["openai"] * 2, False),
        (["extractive"] * 3, ["extractive"] * 2, True),
        (["extractive"] * 3, ["extractive", "human"], True),
        (["extractive", "extractive", "human"], ["human"] * 2, True),
        (["openai"] * 2, ["human"] * 2, True),
        (["file"] * 2, ["file"] * 2, True),
    ],
)
def test_questions_cut_out_of_passages_tell_of_their_own_kind_alone(dev, test, tells):
    assert dev_tells(splits_of(dev, test)) is tells


@pytest.mark.parametrize(
    ("train", "dev", "test", "tells"),
    [
        (["extractive"] * 3, ["extractive"] * 3, ["file"] * 4, False),
        (["extractive"] * 3, [], ["human"] * 4, False),
        ([], [], ["file"] * 4, False),
        (["file"] * 3, [], ["file"] * 4, True),
        (["extractive"], ["file"] * 3, ["file"] * 4, True),
        (["openai"] * 3, ["openai"] * 3, ["file"] * 4, True),
        (["extractive"] * 3, ["extractive"] * 3, ["openai"] * 4, True),
        (["extractive"] * 3, ["extractive"] * 3, ["extractive"] * 4, True),
    ],
)
def test_the_mix_has_the_tuned_model_where_something_of_the_test_s_kind_can_say_that_it_helps(train, dev, test, tells):
    assert tuning_tells(splits_of(dev, test, train)) is tells


@pytest.fixture(scope="module")
def embedder(minilm_folder, tmp_path_factory):
    place = tmp_path_factory.mktemp("v") / "v"
    return Embedder(Encoder(minilm_folder, "fingerprint"), RetrievalConfig(name="windows"), VectorCache(place))


@pytest.mark.parametrize("fuse", [("bm25", "dense"), ("bm25", "dense", "late")])
def test_where_dev_does_not_tell_all_mixes_are_even_and_say_so(embedder, fuse):
    retrieval = RetrievalConfig(name="windows", fuse=list(fuse))
    evaluation = EvaluationConfig(name="x", reranker=RerankerConfig(first=2))
    bench = Bench(retrieval, evaluation, {"dev": DATASET, "test": DATASET}, embedder, None, dev_chooses=False)
    for system in ("fused", "reranked"):
        bench.rank(system, "test")
    shares = (bench.fusion.weight, bench.fusion.late)
    assert shares == pytest.approx((0.5, 0) if len(fuse) == 2 else (1 / 3, 1 / 3))
    assert (bench.fusion.curve, bench.reranking.weight, bench.reranking.chosen) == ([], 0.5, False)
    assert sum("Without dev questions to choose by" in note for note in bench.notes) == 2
    facts = SystemFacts("m", retrieval, "", bench.fusion, reranking=bench.reranking)
    assert all("on dev" not in ranker_of(system).describe(facts) for system in ("fused", "reranked"))
    assert "fused" in bench.rank("fused", "dev")


@pytest.mark.parametrize("fuse", [("bm25", "dense"), ("bm25", "dense", "late")])
def test_where_nothing_says_that_tuning_helps_the_mix_and_what_reorders_it_have_base(embedder, fuse):
    retrieval = RetrievalConfig(name="windows", fuse=list(fuse))
    evaluation = EvaluationConfig(name="x", reranker=RerankerConfig(first=2))
    searched = {"test": DATASET}
    # As the tuned model stands one that finds the opposite.
    other = Turned(embedder.encoder, retrieval, embedder.cache)
    both = Bench(retrieval, evaluation, searched, embedder, other, False, True)
    alone = Bench(retrieval, evaluation, searched, embedder, None, False)
    tuned = Bench(retrieval, evaluation, searched, embedder, other, False)
    ranked = [[bench.rank(system, "test") for system in ("fused", "reranked")] for bench in (both, alone, tuned)]
    assert ranked[0] == ranked[1] != ranked[2]
    assert [bench.fusion.dense for bench in (both, alone, tuned)] == ["base", "base", "tuned"]
    assert both.rank("tuned", "test") == tuned.rank("tuned", "test") != both.rank("base", "test")


class Turned(Embedder):
    """A model whose question vectors point the other way."""

    def question_vectors(self, texts):
        return -super().question_vectors(texts)
