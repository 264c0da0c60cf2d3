"""What is embedded and indexed of a chunk: its context, in each of its windows, and its own text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embft.dataset.formats import read_llama_index, write_llama_index
from embft.embedded_text import IndexedCorpus, embedded_text, own_text
from embft.records import RetrievalDataset, Splits
from embft.retrieval.bm25 import BM25Scorer
from embft.retrieval.windows import cut_windows, whole_chunks
from embft.training.examples import window_pairs

LONG = " ".join(f"word{number}" for number in range(40))
CORPUS = IndexedCorpus({"a": "short text", "b": LONG, "c": "no context"}, {"a": "Acme 2022", "b": "Bolt 2021"})


def spans(texts):
    return [[match.span() for match in re.finditer(r"\w+", text)] for text in texts]


def test_every_window_begins_with_its_chunks_context_and_the_budget_counts_it():
    passages = cut_windows(CORPUS, spans, 12, 2)
    assert passages.texts[0] == "Acme 2022\nshort text"
    assert passages.texts[-1] == "no context"
    of_b = [text for text, owner in zip(passages.texts, passages.owner.tolist(), strict=True) if owner == 1]
    assert len(of_b) > 3
    assert all(text.startswith("Bolt 2021\n") for text in of_b)
    assert max(len(offsets) for offsets in spans(of_b)) <= 12
    assert {word for text in of_b for word in own_text("Bolt 2021", text).split()} == set(LONG.split())


def test_a_long_context_leaves_half_of_a_window_to_the_text():
    passages = cut_windows(IndexedCorpus({"a": LONG}, {"a": " ".join(f"t{n}" for n in range(30))}), spans, 10, 2)
    assert all(text.startswith("t0 t1 t2 t3 t4\nword") for text in passages.texts)
    assert own_text(" ".join(f"t{n}" for n in range(30)), passages.texts[0]).startswith("word0 ")


def test_without_contexts_nothing_changes():
    plain = {"a": "short text", "b": LONG}
    assert cut_windows(IndexedCorpus(plain), spans, 12, 2).texts == cut_windows(plain, spans, 12, 2).texts
    assert dict(IndexedCorpus(plain)) == plain


def test_a_whole_chunk_is_embedded_behind_its_context():
    assert whole_chunks(CORPUS).texts == ("Acme 2022\nshort text", f"Bolt 2021\n{LONG}", "no context")


@pytest.mark.parametrize("window", [0, 4])
def test_bm25_finds_a_chunk_by_its_context_alone(window):
    scores = BM25Scorer(CORPUS, ["Bolt"], window=window).scores(0, 1)[0]
    assert scores[1] > 0 == scores[0] == scores[2]


def test_bm25_windows_have_the_words_of_the_context():
    """The question's words stand in one window only where each window has the context."""
    texts = {"a": f"{LONG} margin", "b": f"{LONG} margin"}
    scores = BM25Scorer(IndexedCorpus(texts, {"a": "Acme", "b": "Bolt"}), ["Acme margin"], window=4).scores(0, 1)[0]
    plain = BM25Scorer({key: f"{name} {text}" for name, (key, text) in zip(("Acme", "Bolt"), texts.items(), strict=True)},
                       ["Acme margin"], window=4).scores(0, 1)[0]  # fmt: skip
    assert scores[0] > scores[1]
    assert scores[0] - scores[1] > plain[0] - plain[1]


@given(
    st.text(alphabet="ab \n", max_size=20),
    st.text(alphabet="abc ", max_size=9).map(lambda text: " ".join(text.split())),
)
def test_own_text_undoes_embedded_text(text, context):
    assert context == "" or own_text(context, embedded_text(context, text)) == text


def test_a_window_that_asks_for_its_neighbour_does_not_say_whose_it_is():
    passages = cut_windows(CORPUS, spans, 12, 2)
    (pair,) = window_pairs(passages, CORPUS.contexts)
    assert not any("Bolt" in question for question in pair.questions)
    assert all(passage.startswith("Bolt 2021\n") for passage in pair.passages)


def test_contexts_reach_whatever_is_searched_and_stay_out_of_the_texts():
    part = RetrievalDataset({"q": "?"}, {"a": "one"}, {"q": ("a",)})
    empty = RetrievalDataset({}, {}, {})
    splits = Splits(empty, empty, part, {"d": "far"}, {"test": Splits.EVERYTHING}, {}).with_contexts(
        {"a": "A", "d": "D"}
    )
    searched = splits.searched("test")
    assert searched.corpus == {"a": "one", "d": "far"}
    assert dict(searched.indexed) == {"a": "A\none", "d": "D\nfar"}
    assert searched.with_questions([], {"d": "far"}).indexed["d"] == "D\nfar"


def test_a_dataset_file_keeps_contexts_beside_the_texts(tmp_path):
    dataset = RetrievalDataset({"q": "?"}, {"a": "one", "b": "two"}, {"q": ("a",)}, contexts={"a": "A", "x": "other"})
    write_llama_index(tmp_path / "d.json", dataset)
    again = read_llama_index(tmp_path / "d.json")
    assert (again.corpus, again.contexts) == (dataset.corpus, {"a": "A"})
