"""Where questions are answered, in the text: found once, then mapped onto whatever chunks the text is cut into."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate

from embft.questions.squeezing import SqueezedText, squeeze
from embft.records import Chunk, Page, Piece, Place, Question
from embft.text.tokens import count

Where = tuple[str, int | None]
"""Document and page."""


def by_page(chunks: Iterable[Chunk]) -> dict[Where, list[Chunk]]:
    """Chunks by document and page, in reading order."""
    pages: dict[Where, list[Chunk]] = {}
    for chunk in chunks:
        pages.setdefault((chunk.document, chunk.page), []).append(chunk)
    return pages


def chunks_of(places: Iterable[Place], chunks: Mapping[Where, Sequence[Chunk]], *, whole: bool = True) -> list[Chunk]:
    """Returns the chunks that hold at least half of a place, or else the one that holds most of it.

    Args:
        places: Of one question.
        chunks: By document and page.
        whole: False for a page or a passage: then a chunk counts, too, of which at least half lies in it.
    """
    matches: list[Chunk] = []
    for place in places:
        overlaps = [
            (min(place.end, chunk.end) - max(place.start, chunk.start), chunk)
            for chunk in chunks.get((place.document, place.page), ())
        ]
        most = max((length for length, _ in overlaps), default=0)
        if most > 0:
            enough = min(most, (place.end - place.start) / 2)
            matches.extend(
                chunk
                for length, chunk in overlaps
                if length >= enough or (not whole and length >= (chunk.end - chunk.start) / 2)
            )
    return matches


def place_of(chunk: Chunk) -> Place:
    """All of a chunk."""
    return Place(chunk.document, chunk.page, chunk.start, chunk.end, chunk.text)


def with_places(questions: Iterable[Question], passages: Iterable[Chunk]) -> list[Question]:
    """Questions made about passages, with the place of what answers them: the sentence that is their evidence, or the passage."""
    known = {passage.id: passage for passage in passages}
    return [_placed(question, [known[key] for key in question.chunk_ids]) for question in questions]


def _placed(question: Question, passages: Sequence[Chunk]) -> Question:
    if question.evidence and len(passages) == 1:
        (passage,) = passages
        quote = squeeze(question.evidence)
        spans = SqueezedText(passage.text).spans(quote) if quote else ()
        if span := next(iter(spans), None):
            start, end = (passage.start + at for at in span)
            place = Place(passage.document, passage.page, start, end, passage.text[span[0] : span[1]])
            return replace(question, places=((place,),), whole=True)
    return replace(question, places=tuple((place_of(passage),) for passage in passages), whole=False)


def mapped_onto(questions: Sequence[Question], chunks: Mapping[Where, Sequence[Chunk]]) -> list[Question]:
    """The questions with the chunks that answer them in another cut of the same pages.

    A question keeps its id. One without a place keeps its chunks; one that no chunk answers has none.
    """
    return [_mapped(question, chunks) if question.places else question for question in questions]


def _mapped(question: Question, chunks: Mapping[Where, Sequence[Chunk]]) -> Question:
    graded = question.grades or (1,) * len(question.places)
    grades: dict[str, int] = {}
    for alternative, grade in zip(question.places, graded, strict=True):
        for chunk in chunks_of(alternative, chunks, whole=question.whole):
            grades[chunk.id] = max(grade, grades.get(chunk.id, 0))
    return replace(question, chunk_ids=tuple(grades), grades=tuple(grades.values()) if question.grades else ())


def pieces_of(
    question: Question, chunks: Mapping[Where, Sequence[Chunk]], pages: Mapping[Where, Page]
) -> tuple[tuple[Piece, ...], ...]:
    """What each chunk holds of a question's evidence, by alternative; empty where any relevant chunk answers it.

    White space is not counted, since chunks are cut there. Evidence that no chunk holds (a chunk without a letter is left out
    of a corpus) is no part of the pieces.
    """
    if not question.whole:
        return ()
    alternatives = (_pieces(places, chunks, pages) for places in question.places)
    return tuple(pieces for pieces in alternatives if pieces)


def _pieces(
    places: Iterable[Place], chunks: Mapping[Where, Sequence[Chunk]], pages: Mapping[Where, Page]
) -> tuple[Piece, ...]:
    pieces = []
    before = 0
    for place in places:
        where = (place.document, place.page)
        text = pages[where].text[place.start : place.end]
        letters = [0, *accumulate(not letter.isspace() for letter in text)]
        for chunk in chunks.get(where, ()):
            start, end = max(place.start, chunk.start), min(place.end, chunk.end)
            if start < end and letters[end - place.start] > letters[start - place.start]:
                first, last = (before + letters[at - place.start] for at in (start, end))
                pieces.append(Piece(chunk.id, first, last, count(chunk.text[: end - chunk.start])))
        before += letters[-1]
    return tuple(pieces)
