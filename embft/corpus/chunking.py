"""Pages to chunks: whole sentences where they fit, never across a page."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from embft.records import Chunk, Page
from embft.text.tokens import count

if TYPE_CHECKING:
    from semantic_text_splitter import TextSplitter

Span = tuple[int, int]

_STRETCH = 1.15  # a chunk may exceed the limit by so much where the rest would be a scrap
_SCRAP = 1 / 8  # of max_tokens
_WINDOW = 48  # characters for each token that a chunk may have: some nine chunks
_UNSURE = 2  # chunks at a window's end that more text could change
_TRAILING_HEADING = re.compile(r"\n\n+([^\n]{1,80}(?<![.,;:!?。，；：！？)\"”|\d]))\Z")


def chunk_pages(pages: Iterable[Page], max_tokens: int, overlap: int = 0) -> list[Chunk]:
    """Cuts pages into chunks.

    Cuts fall at the highest boundary that serves (section, paragraph, line, sentence, word; sentences by Unicode's
    rules, which know 。！？). A heading goes with the text below it, and a scrap of less than an eighth of the limit
    with its neighbour, where that makes no chunk longer than 1.15 times the limit. A chunk without a letter (a table of
    bare numbers, a rule) is left out, since no question is about it.

    Args:
        pages: Cleaned pages.
        max_tokens: Upper bound in tokens of `embft.text.tokens.count`.
        overlap: Tokens that neighbouring chunks of a page may share; below ``max_tokens``.

    Returns:
        Chunks in the order of the text; ``chunk.text == page.text[chunk.start:chunk.end]``.
    """
    from semantic_text_splitter import TextSplitter

    splitter = TextSplitter.from_callback(count, max_tokens, overlap)
    limit = int(max_tokens * _STRETCH)
    chunks: list[Chunk] = []
    used: Counter[str] = Counter()
    for page in pages:
        spans = _split(splitter, page.text, _WINDOW * max_tokens)
        spans = _merge_scraps(_keep_headings_with_text(spans, page.text, limit), page.text, max_tokens, limit)
        for start, end in spans:
            text = page.text[start:end]
            if any(map(str.isalpha, text)):
                chunks.append(Chunk(_identify(page, text, used), text, page.document, page.number, start, end))
    return chunks


def _split(splitter: TextSplitter, text: str, window: int) -> list[Span]:
    """Cuts a text as ``splitter`` cuts it, in time that grows with its length.

    For each chunk the splitter looks through all the text that remains, though a chunk depends only on what starts
    there. So it gets a window at a time, and of each window all chunks count but the last, which saw its end.
    """
    spans: list[Span] = []
    start, size = 0, window
    while start < len(text):
        stretch = text[start : start + size]
        cut = [(start + begin, start + begin + len(chunk)) for begin, chunk in splitter.chunk_indices(stretch)]
        if start + size >= len(text):
            return spans + cut
        if len(cut) > _UNSURE:
            spans += cut[:-_UNSURE]
            start, size = cut[-_UNSURE][0], window
        elif not cut:  # white space only
            start += size
        else:
            size *= 2
    return spans


def _keep_headings_with_text(spans: list[Span], text: str, limit: int) -> list[Span]:
    """Moves a heading that ends a chunk to the start of the next one."""
    spans = list(spans)
    for index in range(len(spans) - 1):
        (start, end), (next_start, next_end) = spans[index], spans[index + 1]
        heading = _TRAILING_HEADING.search(text, start, end)
        if heading and next_start >= end and count(text[heading.start(1) : next_end]) <= limit:
            spans[index], spans[index + 1] = (start, heading.start()), (heading.start(1), next_end)
    return spans


def _merge_scraps(spans: list[Span], text: str, max_tokens: int, limit: int) -> list[Span]:
    """Merges each scrap with the chunk before it, else with the one behind it, where the two fit together."""
    merged: list[Span] = []
    for start, end in spans:
        if merged:
            before_start, before_end = merged[-1]
            scrap = min(count(text[start:end]), count(text[before_start:before_end])) < _SCRAP * max_tokens
            if scrap and count(text[before_start:end]) <= limit:
                merged[-1] = (before_start, end)
                continue
        merged.append((start, end))
    return merged


def _identify(page: Page, text: str, used: Counter[str]) -> str:
    name = hashlib.sha256(f"{page.document}\0{page.number}\0{text}".encode()).hexdigest()[:16]
    used[name] += 1
    return name if used[name] == 1 else f"{name}-{used[name]}"
