"""The chunks that hold a quote's place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from embft.questions.quotes import QuotePlace
from embft.records import Chunk


@dataclass(frozen=True)
class FoundQuote:
    """A quote that is not in the text letter by letter, and what was taken for it.

    Attributes:
        quote: As somebody gave it.
        text: What stands there.
        score: See `embft.questions.quotes.QuotePlace`.
    """

    question: str
    quote: str
    text: str
    document: str
    page: int | None
    score: float


def chunks_of_places(
    places: Iterable[QuotePlace], chunks: Mapping[tuple[str, int | None], Sequence[Chunk]]
) -> list[Chunk]:
    """Returns the chunks that hold at least half of a quote's place, or else the one that holds most of it.

    Args:
        places: Of one quote.
        chunks: By document and page.
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
            matches.extend(chunk for length, chunk in overlaps if length >= enough)
    return matches
