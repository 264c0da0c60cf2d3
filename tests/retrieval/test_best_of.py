"""The quick ways to a ranking give what sorting everything gives, ties included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embft.retrieval import scoring
from embft.retrieval.best_chunks import best_of
from embft.retrieval.fusing import Mixes, ReachableOfEach
from embft.retrieval.passes import every_row
from embft.retrieval.scoring import DenseScorer, FusedScorer, TableScorer, rank

WEIGHTS = tuple(round(float(weight), 2) for weight in np.linspace(0, 1, 21))


def sorted_all(row: np.ndarray, depth: int, floor: float | None = None) -> list[int]:
    order = [int(place) for place in np.argsort(-np.round(row, 6), kind="stable")][:depth]
    return [place for place in order if floor is None or np.round(row, 6)[place] > floor]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 999), st.integers(1, 400), st.integers(1, 9), st.sampled_from([3, 40, 10**7]))
def test_the_best_are_those_of_a_sorted_row(seed, size, depth, values):
    random = np.random.default_rng(seed)
    row = (random.integers(0, values, size) / np.float32(values)).astype(np.float32)
    for rounded in (True, False):
        places, scores = best_of(np.round(row, 6) if rounded else row, depth, rounded=rounded)
        assert places.tolist() == sorted_all(row, depth)
        assert np.array_equal(scores, np.round(row, 6)[places])
    floor = float(np.median(np.round(row, 6)))
    assert best_of(np.round(row, 6), depth, floor=floor)[0].tolist() == sorted_all(row, depth, floor)


def test_scores_that_are_equal_once_rounded_stand_in_order_of_position():
    row = np.array([0.5, 0.5000003, 0.4999998, 0.1], np.float32)
    assert best_of(row, 2, rounded=False)[0].tolist() == [0, 1]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.sampled_from([30, 700]), st.sampled_from([0.0, 0.5, 0.97]), st.sampled_from([10, 1000]))
def test_all_mixes_at_once_rank_as_each_of_them(seed, size, zeros, values):
    random = np.random.default_rng(seed)
    dense = (random.integers(-values, values, (4, size)) / np.float32(values)).astype(np.float32)
    words = random.integers(0, values, (4, size)).astype(np.float32)
    words[random.random(words.shape) < zeros] = 0
    words[3] = 0
    parts = TableScorer(dense), TableScorer(words)
    ids, chunks = ["a", "b", "c", "d"], [f"{place:04d}" for place in range(size)]
    mixes, one = (
        Mixes(ids, chunks, 10, every_row(ReachableOfEach(*parts, weights, 10, 0.0))) for weights in (WEIGHTS, (0.5,))
    )
    assert one.ranking(0.5) == mixes.ranking(0.5)
    for weight, ranking in zip(WEIGHTS, map(mixes.ranking, WEIGHTS), strict=True):
        alone = rank(
            FusedScorer(*parts, weight), ids, chunks, system="fused", score_name="fused", depth=10,
            floor=0.0 if weight == 0 else None,
        )  # fmt: skip
        assert ranking == alone


@pytest.mark.parametrize("block", [1, 2, 100])
def test_windows_in_blocks_of_chunks_score_as_their_maximum(block, monkeypatch):
    monkeypatch.setattr(scoring, "_CHUNKS", block)
    random = np.random.default_rng(2)
    counts = random.integers(1, 5, 23)
    starts = np.cumsum(counts) - counts
    questions, windows = (random.normal(size=(n, 8)).astype(np.float32) for n in (5, int(counts.sum())))
    scorer = DenseScorer(questions, windows, starts)
    plain = np.round(np.maximum.reduceat(questions @ windows.T, starts, axis=1), 6)
    assert np.allclose(scorer.scores(0, 5), plain, atol=2e-6)
