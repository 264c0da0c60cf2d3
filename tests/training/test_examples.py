import numpy as np

from embft.records import Passages, RetrievalDataset
from embft.training.examples import by_chunk, window_chooser

DATASET = RetrievalDataset(
    {"q1": "one", "q2": "two", "q3": "three"},
    {"a": "A1 A2", "b": "B"},
    {"q1": ("a",), "q2": ("a", "b"), "q3": ("b",)},
)
PASSAGES = Passages(("a", "b"), ("A1", "A2", "B"), np.array([0, 0, 1]))


def test_each_question_gets_the_window_that_the_base_model_finds_nearest():
    windows = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
    questions = np.array([[0.9, 0.1], [0.2, 0.8], [1, 0]], np.float32)
    examples = by_chunk(DATASET, PASSAGES, window_chooser(DATASET.queries, questions, windows))
    assert [example.chunk_id for example in examples] == ["a", "b"]
    assert examples[0].passages == ("A1", "A2")
    assert examples[0].targets == (0, 1)
    assert examples[0].relevant == (frozenset({"a"}), frozenset({"a", "b"}))
    assert examples[1].passages == ("B",)


def test_a_window_that_no_question_is_about_is_not_encoded():
    examples = by_chunk(DATASET, PASSAGES, lambda question, windows: windows[-1])
    assert examples[0].passages == ("A2",)
    assert examples[0].targets == (0, 0)
