import numpy as np

from embft.records import Passages
from embft.training.examples import ChunkExample
from embft.training.negatives import with_negatives

PASSAGES = Passages(
    ("a", "b", "c", "d"),
    ("red apples", "green apples", "apples and pears", "a train", "apples too"),
    np.array([0, 1, 2, 3, 3]),
)
VECTORS = np.array([[1, 0], [0.98, 0.2], [0.8, 0.6], [0, 1], [0.7, 0.714]], np.float32)
EXAMPLE = ChunkExample("a", ("which apples?",), ("red apples",), ("a",), (0,), (frozenset({"a"}),))


def mined(example=EXAMPLE, number=2, margin=0.95):
    question = np.array([[1, 0]], np.float32)
    (found,) = with_negatives([example], PASSAGES, question, VECTORS, {"q": "which apples?"}, number, margin)
    return found


def test_the_nearest_passages_of_other_chunks_that_are_not_too_near_are_added():
    found = mined()
    assert found.passages == ("red apples", "apples and pears", "apples too")
    assert found.chunks == ("a", "c", "d")
    assert found.targets == (0,)


def test_the_margin_keeps_out_what_may_be_an_answer_too():
    assert "green apples" in mined(margin=1.0).passages


def test_relevant_chunks_are_no_negatives():
    also = ChunkExample("a", EXAMPLE.questions, EXAMPLE.passages, EXAMPLE.chunks, (0,), (frozenset({"a", "c"}),))
    assert mined(also).chunks == ("a", "d", "d")


def test_fewer_candidates_than_wished_for_are_all():
    assert mined(number=50).chunks == ("a", "c", "d", "d")
