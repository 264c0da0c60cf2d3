"""answer@N counts the text that is read until a question is answered, whatever the chunks are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embft.evaluation.answers import HandedOver, around_of
from embft.questions.evidence import by_page, mapped_onto, pieces_of
from embft.records import Chunk, Page, Piece, Place, Question, Ranking, RetrievalDataset

WORDS = [f"w{number:03d}" for number in range(120)]
PAGE = Page("a.txt", None, " ".join(WORDS))


def cut(size: int, overlap: int = 0) -> list[Chunk]:
    """Chunks of so many words; a word is two tokens, letters and digits."""
    chunks = []
    for first in range(0, len(WORDS), size - overlap):
        start, end = 5 * first, min(5 * (first + size), 5 * len(WORDS)) - 1
        chunks.append(Chunk(f"c{first}", PAGE.text[start:end], "a.txt", None, start, end))
    return chunks


def about(first: int, last: int) -> Question:
    """A question that words ``first`` to ``last`` answer, the latter included."""
    start, end = 5 * first, 5 * last + 4
    return Question("q", "?", (), "human", places=((Place("a.txt", None, start, end, PAGE.text[start:end]),),))


def read(question: Question, chunks: list[Chunk], ranked: list[str], expand: str = "none") -> float:
    (mapped,) = mapped_onto([question], by_page(chunks))
    evidence = {"q": pieces_of(mapped, by_page(chunks), {("a.txt", page): PAGE for page in (None, 1)})}
    texts = {chunk.id: chunk.text for chunk in chunks}
    dataset = RetrievalDataset({"q": "?"}, texts, {"q": mapped.chunk_ids})
    ranking = Ranking("x", "x", {"q": tuple(ranked)}, {})
    return float(HandedOver(texts, evidence, around_of(chunks, expand)).tokens_to_answer(ranking, dataset)[0])


def test_a_question_is_answered_where_its_evidence_ends() -> None:
    chunks = cut(10)
    assert read(about(12, 14), chunks, ["c10"]) == 10  # five words of c10
    assert read(about(12, 14), chunks, ["c0", "c10"]) == 30
    assert read(about(12, 14), chunks, ["c0"]) == np.inf


def test_evidence_that_a_border_cuts_needs_all_of_its_chunks() -> None:
    chunks = cut(10)
    assert read(about(8, 11), chunks, ["c0", "c30"]) == np.inf
    assert read(about(8, 11), chunks, ["c10", "c30", "c0"]) == 60
    assert read(about(8, 11), chunks, ["c0", "c10"]) == 24


def test_where_chunks_overlap_either_will_do() -> None:
    chunks = cut(10, overlap=5)
    assert read(about(6, 8), chunks, ["c5"]) == 8
    assert read(about(6, 8), chunks, ["c0"]) == 18


def test_one_of_several_places_is_enough() -> None:
    question = about(12, 14)
    other = Question("q", "?", (), "human", places=(*question.places, *about(50, 51).places))
    assert read(other, cut(10), ["c50", "c10"]) == 4


def test_neighbours_and_pages_are_handed_over_once_and_count() -> None:
    chunks = cut(10)
    assert read(about(12, 14), chunks, ["c20"], "neighbours") == 10  # c10 comes before c20
    assert read(about(12, 14), chunks, ["c0", "c20"], "neighbours") == 30
    assert read(about(42, 44), chunks, ["c0"], "page") == np.inf  # a file without pages has none to hand over
    paged = [replace(chunk, page=1) for chunk in chunks]
    asked = replace(about(42, 44), places=((replace(about(42, 44).places[0][0], page=1),),))
    assert read(asked, paged, ["c0"], "page") == 90


def test_a_question_judged_by_chunks_is_answered_by_its_first_relevant_one() -> None:
    texts = {"a": "one two", "b": "three four five", "c": "six"}
    dataset = RetrievalDataset({"q": "?"}, texts, {"q": ("b", "c")}, {"q": {"c": 2}})
    ranking = Ranking("x", "x", {"q": ("a", "b", "c")}, {})
    assert HandedOver(texts).tokens_to_answer(ranking, dataset).tolist() == [5]
    assert HandedOver(texts).tokens_to_answer(ranking, dataset, relevant_from=2).tolist() == [6]
    assert HandedOver(texts).tokens_to_answer(Ranking("x", "x", {}, {}), dataset).tolist() == [np.inf]


def test_scores_are_shares_within_so_many_tokens() -> None:
    texts = {"a": "word " * 300, "b": "answer"}
    dataset = RetrievalDataset({"q": "?"}, texts, {"q": ("b",)})
    scores = HandedOver(texts).scores(Ranking("x", "x", {"q": ("a", "b")}, {}), dataset)
    assert {name: values.tolist() for name, values in scores.items()} == {
        "answer@256": [0], "answer@512": [1], "answer@1024": [1], "answer@2048": [1], "answer@4096": [1],
    }  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 110), st.integers(0, 9), st.integers(2, 40), st.permutations(range(8)))
def test_the_whole_text_answers_and_no_order_answers_before_the_evidence_was_read(first, length, size, order) -> None:
    question = about(first, first + length)
    chunks = cut(size)
    ids = [chunk.id for chunk in chunks]
    ranked = [ids[at] for at in order if at < len(ids)] + [key for at, key in enumerate(ids) if at >= 8]
    answered = read(question, chunks, ranked)
    assert 2 * (length + 1) <= answered <= 2 * len(WORDS)
    assert read(question, chunks, ids) == 2 * (first + length + 1)


@pytest.mark.parametrize("size", [3, 7, 40])
def test_pieces_cover_the_evidence(size: int) -> None:
    chunks = cut(size)
    (mapped,) = mapped_onto([about(5, 20)], by_page(chunks))
    (pieces,) = pieces_of(mapped, by_page(chunks), {("a.txt", page): PAGE for page in (None, 1)})
    assert all(isinstance(piece, Piece) for piece in pieces)
    assert [piece.first for piece in pieces[1:]] == [piece.last for piece in pieces[:-1]]
    assert (pieces[0].first, pieces[-1].last) == (0, 16 * 4)


def test_a_neighbour_that_is_not_searched_is_not_handed_over() -> None:
    chunks = cut(10)
    searched = {chunk.id: chunk.text for chunk in chunks if chunk.id != "c0"}  # dataset.candidates=split
    handed = HandedOver(searched, {"q": ((Piece("c10", 0, 9, 10),),)}, around_of(chunks, "neighbours"))
    dataset = RetrievalDataset({"q": "?"}, searched, {"q": ("c10",)})
    assert handed.tokens_to_answer(Ranking("x", "x", {"q": ("c10",)}, {}), dataset)[0] == 10


def test_a_page_is_handed_over_where_there_are_pages_and_no_whole_document_where_there_are_none() -> None:
    chunks = cut(10)  # of a text file: no pages
    assert around_of(chunks, "page") == {}
    paged = [replace(chunk, page=place // 2) for place, chunk in enumerate(chunks)]
    assert around_of(paged, "page")["c10"] == ("c0", "c10")
