import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embft.models.vectors import TokenVectors
from embft.records import Passages
from embft.retrieval import max_sim as late
from embft.retrieval.max_sim import blocks_of_chunks, max_sim
from embft.retrieval.scoring import TableScorer, unit


def tokens(*texts: list[list[float]]) -> TokenVectors:
    lengths = [len(text) for text in texts]
    return TokenVectors(
        np.array([vector for text in texts for vector in text], np.float32), np.cumsum([0, *lengths[:-1]])
    )


def test_each_token_of_the_question_takes_the_closest_of_the_chunk_s_whatever_window_it_is_in():
    questions = tokens([[1, 0], [0, 1]], [[1, 0]])
    # Chunk 0 has windows 0 and 1, chunk 1 has window 2.
    windows = tokens([[0.6, 0.8], [0.8, 0.6]], [[-1, 0]], [[1, 0]])
    scores = max_sim(questions, windows, np.array([0, 2]))
    # Of question 0: .8 and .8 in chunk 0; 1 and 0 in chunk 1.
    assert scores.tolist() == pytest.approx(np.array([[0.8, 0.5], [0.8, 1.0]]))


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=6),
    st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=3), min_size=1, max_size=5),
    st.integers(1, 400),
)
def test_blocks_change_nothing(asked, chunks, room):
    draw = np.random.default_rng(0)

    def made(lengths: list[int]) -> TokenVectors:
        vectors = unit(draw.normal(size=(sum(lengths), 3)).astype(np.float32))
        return TokenVectors(vectors, np.cumsum([0, *lengths[:-1]]))

    questions, windows = made(asked), made([length for chunk in chunks for length in chunk])
    starts = np.cumsum([0, *map(len, chunks[:-1])])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(late, "_BLOCK_BYTES", room)
        found = max_sim(questions, windows, starts)
    at = 0
    bounds = np.append(questions.starts, len(questions.vectors))
    for column, chunk in enumerate(chunks):
        own = windows.vectors[at : at + sum(chunk)]
        at += sum(chunk)
        for row in range(len(asked)):
            each = questions.vectors[bounds[row] : bounds[row + 1]] @ own.T
            assert found[row, column] == pytest.approx(each.max(axis=1).mean(), abs=1e-5)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 12))
def test_a_corpus_is_cut_in_blocks_of_whole_chunks(windows, most):
    owner = np.repeat(np.arange(len(windows)), windows)
    passages = Passages(tuple(map(str, range(len(windows)))), tuple("x" for _ in owner), owner)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(late, "_WINDOWS", most)
        found = list(blocks_of_chunks(passages))
    assert [place for chunks, _ in found for place in range(len(windows))[chunks]] == list(range(len(windows)))
    for chunks, cut in found:
        assert owner[cut].tolist() == np.repeat(np.arange(len(windows))[chunks], windows[chunks]).tolist()
        assert len(owner[cut]) <= most or chunks.stop == chunks.start + 1


def test_a_table_is_a_system_s_scores():
    scorer = TableScorer(np.array([[0.12345678, 0.5], [1, 0]], np.float32))
    assert (scorer.n_questions, scorer.n_chunks) == (2, 2)
    assert scorer.scores(0, 1).tolist() == pytest.approx(np.array([[0.123457, 0.5]]))
