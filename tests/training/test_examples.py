import numpy as np

from embft.records import Passages, RetrievalDataset
from embft.training.examples import by_chunk, hidden, window_chooser, window_pairs

DATASET = RetrievalDataset(
    {"q1": "one", "q2": "two", "q3": "three"},
    {"a": "A1 A2", "b": "B"},
    {"q1": ("a",), "q2": ("a", "b"), "q3": ("b",)},
)
PASSAGES = Passages(("a", "b"), ("A1", "A2", "B"), np.array([0, 0, 1]))


def test_where_no_word_is_shared_each_question_gets_the_window_that_the_base_model_finds_nearest():
    windows = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
    questions = np.array([[0.9, 0.1], [0.2, 0.8], [1, 0]], np.float32)
    examples = by_chunk(DATASET, PASSAGES, window_chooser(DATASET.queries, PASSAGES.texts, questions, windows))
    assert [example.chunk_id for example in examples] == ["a", "b"]
    assert examples[0].passages == ("A1", "A2")
    assert examples[0].targets == (0, 1)
    assert examples[0].relevant == (frozenset({"a"}), frozenset({"a", "b"}))
    assert examples[1].passages == ("B",)


def test_words_outweigh_a_base_model_that_hardly_prefers_a_window():
    texts = ("Salaries are paid monthly.", "Travel is paid for afterwards.", "A third window about the weather.")
    windows = np.array([[0.60, 0.80], [0.55, 0.84], [0, 1]], np.float32)
    choose = window_chooser({"q": "Who pays for travel?"}, texts, np.array([[1, 0]], np.float32), windows)
    assert choose("q", range(3)) == 1
    assert choose("q", [0, 2]) == 0


def test_a_window_that_no_question_is_about_is_not_encoded():
    examples = by_chunk(DATASET, PASSAGES, lambda question, windows: windows[-1])
    assert examples[0].passages == ("A2",)
    assert examples[0].targets == (0, 0)


def test_the_sentence_that_a_question_was_cut_from_is_taken_out_of_its_passage():
    text = (
        "One of two.  The third\nsentence is hidden. And much more stands here, so that enough is left of this passage."
    )
    passages = Passages(("a", "b"), (text, "B"), np.array([0, 1]))
    hide = {"q1": "The third sentence is hidden."}
    examples = by_chunk(DATASET, passages, lambda question, windows: windows[0], hide)
    assert "hidden" not in examples[0].passages[0]
    assert examples[0].passages[0].startswith("One of two.")
    assert by_chunk(DATASET, passages, lambda question, windows: windows[0])[0].passages == (text,)


def test_a_passage_is_never_emptied():
    passages = Passages(("a", "b"), ("The whole passage.", "B"), np.array([0, 1]))
    examples = by_chunk(DATASET, passages, lambda question, windows: windows[0], {"q1": "The whole passage."})
    assert examples[0].passages == ("The whole passage.",)


def test_the_share_of_hidden_sentences_is_kept_and_does_not_depend_on_order():
    sources = {str(number): "x" for number in range(2000)}
    assert hidden(sources, 0.0) == {}
    assert len(hidden(sources, 1.0)) == 2000
    assert 1740 < len(hidden(sources, 0.9)) < 1860
    assert hidden(dict(reversed(sources.items())), 0.9) == hidden(sources, 0.9)


def test_the_outer_windows_of_a_chunk_ask_for_their_neighbours():
    texts = ("a0", "a1", "a2", "a3", "b0", "b1", "c0", "d0", "d1", "d2")
    passages = Passages(("a", "b", "c", "d"), texts, np.array([0, 0, 0, 0, 1, 1, 2, 3, 3, 3]))
    asked = {
        example.chunk_id: [
            (question, example.passages[target])
            for question, target in zip(example.questions, example.targets, strict=True)
        ]
        for example in window_pairs(passages)
    }
    assert asked == {
        "a": [("a0", "a1"), ("a3", "a2")],
        "b": [("b0", "b1"), ("b1", "b0")],
        "d": [("d0", "d1"), ("d2", "d1")],
    }
    assert all(set(example.chunks) == {example.chunk_id} for example in window_pairs(passages))
