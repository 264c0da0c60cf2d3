import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embft.models.vectors import StoredVectors
from embft.records import Passages
from embft.retrieval import scoring
from embft.retrieval.best_chunks import top
from embft.retrieval.scoring import DenseScorer, FusedScorer, dense_scorers, min_max, rank


def test_a_chunk_scores_as_its_best_window():
    questions = np.eye(2, dtype=np.float32)
    # Chunk 0 has windows 0 and 1, chunk 1 has window 2.
    windows = np.array([[0.1, 0.9], [0.7, 0.0], [0.5, 0.5]], np.float32)
    scorer = DenseScorer(questions, windows, np.array([0, 2]))
    assert scorer.scores(0, 2).tolist() == pytest.approx(np.array([[0.7, 0.5], [0.9, 0.5]]))


def test_equal_scores_are_ordered_by_chunk_id():
    scorer = DenseScorer(np.ones((1, 1), np.float32), np.array([[1], [2], [1], [2]], np.float32), np.arange(4))
    ranking = rank(scorer, ["q"], ["a", "b", "c", "d"], system="base", score_name="dot", depth=3)
    assert ranking.chunk_ids["q"] == ("b", "d", "a")
    assert ranking.scores["q"] == (2.0, 2.0, 1.0)


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=40),
    st.integers(1, 50),
)
def test_top_is_a_stable_sort_cut_off(values, depth):
    row = np.array(values, np.float32)
    expected = sorted(range(len(values)), key=lambda index: (-values[index], index))[:depth]
    assert top(row, depth).tolist() == expected


def test_blocks_of_questions_do_not_change_the_ranking(monkeypatch):
    random = np.random.default_rng(0)
    scorer = DenseScorer(
        random.normal(size=(7, 8)).astype(np.float32), random.normal(size=(50, 8)).astype(np.float32), np.arange(50)
    )
    ids = [f"q{n}" for n in range(7)]
    chunks = [f"c{n:02d}" for n in range(50)]
    whole = rank(scorer, ids, chunks, system="base", score_name="dot", depth=10)
    monkeypatch.setattr(scoring, "_BLOCK_BYTES", 4 * 50 * 2)
    blocked = rank(scorer, ids, chunks, system="base", score_name="dot", depth=10)
    assert blocked.chunk_ids == whole.chunk_ids
    for question in ids:
        assert blocked.scores[question] == pytest.approx(whole.scores[question], abs=1e-5)


def test_a_chunk_at_the_floor_is_not_retrieved():
    scorer = DenseScorer(np.ones((1, 1), np.float32), np.array([[0], [2]], np.float32), np.arange(2))
    ranking = rank(scorer, ["q"], ["a", "b"], system="bm25", score_name="bm25", depth=3, floor=0.0)
    assert ranking.chunk_ids["q"] == ("b",)


def test_a_mix_at_its_ends_is_one_of_its_parts():
    random = np.random.default_rng(1)
    parts = [
        DenseScorer(
            random.normal(size=(3, 4)).astype(np.float32), random.normal(size=(9, 4)).astype(np.float32), np.arange(9)
        )
        for _ in range(2)
    ]
    assert (FusedScorer(*parts, 1.0).scores(0, 3) == parts[0].scores(0, 3)).all()
    assert (FusedScorer(*parts, 0.0).scores(0, 3) == parts[1].scores(0, 3)).all()
    mixed = FusedScorer(*parts, 0.25).scores(0, 3)
    expected = 0.25 * min_max(parts[0].scores(0, 3)) + 0.75 * min_max(parts[1].scores(0, 3))
    assert np.allclose(mixed, expected, atol=1e-5)


def test_min_max_of_equal_scores_is_zero():
    assert min_max(np.full((1, 3), 7, np.float32)).tolist() == [[0, 0, 0]]


def test_unit_vectors_are_scored_once_and_others_twice():
    layout = Passages(("a", "b"), ("x", "y"), np.arange(2))
    unit = dense_scorers(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32), layout)
    assert unit["cosine"] is unit["dot"]
    longer = dense_scorers(np.eye(2, dtype=np.float32), np.array([[3, 0], [1, 1]], np.float32), layout)
    assert longer["dot"].scores(0, 1).tolist() == [[3, 1]]
    assert longer["cosine"].scores(0, 1)[0].tolist() == pytest.approx([1, 0.707107])


def test_vectors_whose_memory_was_given_back_are_what_they_were(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(500, 16)).astype(np.float32)
    (tmp_path / "rows").write_bytes(vectors.tobytes())
    mapped = np.memmap(tmp_path / "rows", np.float32, "r", shape=vectors.shape)
    places = np.arange(500)[::-1].copy()
    for rows in (mapped, vectors):
        stored = StoredVectors(rows, places)
        before = np.array(stored[10:20])
        stored.let_go()
        assert np.array_equal(stored[10:20], before)
        assert np.array_equal(np.asarray(stored), vectors[::-1])


def test_blocks_of_chunks_hold_their_own_layout_alone(monkeypatch):
    monkeypatch.setattr(scoring, "_CHUNKS", 10)
    scorer = DenseScorer(np.ones((1, 4), np.float32), np.ones((2000, 4), np.float32), np.arange(0, 2000, 2))
    kept = {id(array.base): array.base for layout, _ in scorer._windows if (array := layout.counts).base is not None}
    assert sum(base.nbytes for base in kept.values()) <= 8 * 1000
