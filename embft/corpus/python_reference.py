"""The Python language reference, as the running interpreter carries it for ``help()``."""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Mapping
from itertools import pairwise

from embft.corpus.cleaning import clean_characters, vocabulary
from embft.corpus.lines import join_lines
from embft.corpus.outlines import headings_of_text, with_headings
from embft.corpus.titles import first_title_line
from embft.records import Page

_WRAPPED_AT = 70  # Sphinx's text writer, docutils' MAXWIDTH
_UNDERLINE = re.compile(r"\n(?:\*{3,}|={3,}|-{3,}|~{3,}|\^{3,}|\"{3,})(?=\n|$)")
_FOOTNOTE = re.compile(r"\[\d+\]")
_LONG = 60  # characters; "Example:" may well stand in two topics, a whole sentence is a copy


def read_topics() -> dict[str, str]:
    """Returns the interpreter's topics as they are, by name."""
    topics: dict[str, str] = importlib.import_module("pydoc_data.topics").topics
    return topics


def topics_digest() -> str:
    """Hash of all topics: another Python version gives another corpus."""
    hasher = hashlib.sha256()
    for name, text in sorted(read_topics().items()):
        hasher.update(f"{name}\0{text}\0".encode())
    return hasher.hexdigest()


def reference_pages(topics: Mapping[str, str]) -> tuple[list[Page], int, int]:
    """Makes one page of each topic.

    Returns:
        Pages sorted by topic, the number of lines joined, and the number of paragraphs left out as repeated.
    """
    texts: dict[str, str] = {}
    joined = 0
    for name, text in sorted(topics.items()):
        lines = _UNDERLINE.sub("", clean_characters(text)).split("\n")
        texts[name], count = join_lines(lines, _WRAPPED_AT, vocabulary([text]), slack=0.97)
        joined += count
    unique, repeated = drop_repeated(texts)
    pages = []
    for name, text in unique.items():
        if text:
            page = Page(name, None, text, title=first_title_line(topics[name]) or name)
            pages += with_headings([page], headings_of_text(clean_characters(topics[name])))
    return pages, joined, repeated


def drop_repeated(texts: Mapping[str, str]) -> tuple[dict[str, str], int]:
    """Keeps each paragraph in the shortest topic that has it.

    Whole sections of the reference stand in several topics ("try" is part of "compound"), and copies on both sides of a
    split would leak. A paragraph is a copy where it stands in a shorter topic, if it is long; a short one ("Example:")
    only where it stands there beside the same neighbour.

    Args:
        texts: Topic to text, paragraphs separated by blank lines.

    Returns:
        The texts in the order given, and the number of paragraphs left out.
    """
    seen: set[tuple[str, ...]] = set()
    kept: dict[str, str] = {}
    repeated = 0
    for name, text in sorted(texts.items(), key=lambda item: (len(item[1]), item[0])):
        pieces = re.split(r"(\n{2,})", text)
        forms = [_FOOTNOTE.sub("[]", " ".join(paragraph.split())) for paragraph in pieces[::2]]
        pairs = list(pairwise(forms))
        copies = [
            (len(form) >= _LONG and (form,) in seen)
            or (index > 0 and pairs[index - 1] in seen)
            or (index < len(pairs) and pairs[index] in seen)
            for index, form in enumerate(forms)
        ]
        seen.update((form,) for form in forms)
        seen.update(pairs)
        repeated += sum(copies)
        gaps = ["", *pieces[1::2]]
        kept[name] = "".join(
            gap + paragraph for gap, paragraph, copy in zip(gaps, pieces[::2], copies, strict=True) if not copy
        ).strip("\n")
    return {name: kept[name] for name in texts}, repeated
