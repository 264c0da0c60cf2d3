"""Files that are text: plain, Markdown, HTML."""

from __future__ import annotations

from pathlib import Path

from embft.corpus.cleaning import clean_characters
from embft.corpus.decoding import Decoded, decode
from embft.corpus.document import Document
from embft.corpus.html import html_text
from embft.corpus.lines import join_pages
from embft.corpus.markdown import markdown_text
from embft.records import Page

_DEEP = "is nested too deep to be taken for Markdown, and was read as plain text"


def read_text_file(path: Path, name: str, format_name: str) -> Document:
    """Reads a text file as one page without a number.

    Args:
        path: Where it lies.
        name: The document's name.
        format_name: ``text``, ``markdown``, ``mdx``, ``html`` or ``xhtml``.

    Raises:
        CorpusError: It is empty or binary.
    """
    decoded = decode(path.read_bytes(), html=format_name in ("html", "xhtml"))
    source = clean_characters(decoded.text)
    joined = 0
    warnings = decoding_warnings(decoded)
    text: str | None
    if format_name in ("html", "xhtml"):
        text = clean_characters(html_text(source, xml=format_name == "xhtml"))  # entities give characters too
    elif format_name == "text":
        text = None
    elif format_name in ("markdown", "mdx"):
        text = markdown_text(source, mdx=format_name == "mdx")
        if text is None:
            warnings = (*warnings, _DEEP)
        else:
            text = clean_characters(text)
    else:
        raise ValueError(f"nothing reads the format {format_name!r}")
    if text is None:
        texts, joined = join_pages([source.split("\n")])
        text = texts[0]
    pages = [Page(name, None, text)] if text.strip() else []
    return Document(
        pages,
        joined_lines=joined,
        empty_pages=1 - len(pages),
        encoding=decoded.encoding if decoded.guessed else None,
        replaced_bytes=decoded.replaced,
        warnings=warnings,
    )


def decoding_warnings(decoded: Decoded) -> tuple[str, ...]:
    """What a person should know about how the bytes became text."""
    warnings = []
    if decoded.replaced:
        count = f"{decoded.replaced} bytes that are" if decoded.replaced > 1 else "a byte that is"
        warnings.append(f"has {count} no text in {decoded.encoding}; each stands as \ufffd")
    if decoded.zeros:
        warnings.append(f"has {decoded.zeros} stray zero bytes, which were left out")
    return tuple(warnings)
