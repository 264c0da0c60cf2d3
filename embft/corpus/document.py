"""What one file of any format is read into."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from embft.corpus.cleaning import clean_characters
from embft.corpus.outlines import Heading
from embft.corpus.pdf import PdfText
from embft.corpus.running_heads import Boilerplate
from embft.records import Page


@dataclass(frozen=True)
class Document:
    """What came out of one file.

    Attributes:
        pages: With text.
        boilerplate: Running heads and feet that were dropped.
        joined_lines: Hard-wrapped lines put back into their paragraphs.
        empty_pages: Without text.
        encoding: Of a text file, where it is a guess.
        guess: The same with a word of the text, by which a person sees whether it is right.
        replaced_bytes: That were no text; each stands as U+FFFD.
        warnings: What a person should know about the file, without its name.
        pdf: What a PDF says of its pages.
        title: What the file's metadata, or the page itself, says that it is called.
        outline: Its headings in the order of the text.
    """

    pages: list[Page]
    boilerplate: Sequence[Boilerplate] = ()
    joined_lines: int = 0
    empty_pages: int = 0
    encoding: str | None = None
    guess: str | None = None
    replaced_bytes: int = 0
    warnings: tuple[str, ...] = ()
    pdf: PdfText | None = None
    title: str = ""
    outline: Sequence[Heading] = ()


def numbered_pages(name: str, texts: Iterable[str]) -> tuple[list[Page], int]:
    """Cleaned pages numbered from 1 (slides, sheets, chapters) without the empty ones, and how many those are."""
    cleaned = [clean_characters(text).strip("\n ") for text in texts]
    pages = [Page(name, number, text) for number, text in enumerate(cleaned, start=1) if text.strip()]
    return pages, len(cleaned) - len(pages)
