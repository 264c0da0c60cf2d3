"""Files that are text: plain, Markdown, HTML."""

from __future__ import annotations

from pathlib import Path

from embft.corpus.cleaning import clean_characters
from embft.corpus.decoding import decode
from embft.corpus.document import Document
from embft.corpus.html import read_html
from embft.corpus.lines import join_pages
from embft.corpus.markdown import read_markdown
from embft.corpus.outlines import Outlined, headings_of_text
from embft.corpus.xml_entities import unfolded
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
    warnings = decoded.faults
    read: Outlined | None
    if format_name in ("html", "xhtml"):
        source, faults = unfolded(source)
        warnings = (*warnings, *faults)
        read = read_html(source, xml=format_name == "xhtml")
    elif format_name == "text":
        read = None
    elif format_name in ("markdown", "mdx"):
        read = read_markdown(source, mdx=format_name == "mdx")
        if read is None:
            warnings = (*warnings, _DEEP)
    else:
        raise ValueError(f"nothing reads the format {format_name!r}")
    if read is None:
        texts, joined = join_pages([source.split("\n")])
        text, read = texts[0], Outlined("", headings=tuple(headings_of_text(source)))
    else:
        text = clean_characters(read.text)  # entities give characters too
    pages = [Page(name, None, text)] if text.strip() else []
    return Document(
        pages,
        joined_lines=joined,
        empty_pages=1 - len(pages),
        encoding=decoded.encoding if decoded.guessed else None,
        guess=decoded.guess,
        replaced_bytes=decoded.replaced,
        warnings=warnings,
        title=read.title,
        outline=read.headings,
    )
