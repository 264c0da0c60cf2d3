"""What was taken for a quote that is not in the text as it was given."""

from __future__ import annotations

from dataclasses import dataclass


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
