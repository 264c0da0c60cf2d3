"""A share of the documents, for a first try over a large corpus: the same ones each time, whatever else lies beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from embft.corpus.reading import ReadingReport
from embft.records import Chunk, Page


def is_drawn(document: str, share: float) -> bool:
    """Whether a document is among the share, by its name alone.

    Args:
        document: Its name.
        share: 0 to 1; a larger share holds all that a smaller one does.
    """
    number = int.from_bytes(hashlib.blake2b(document.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
    return number < share * 2**64


def drawn_pages(
    pages: Sequence[Page], chunks: list[Chunk] | None, report: ReadingReport, share: float
) -> tuple[list[Page], list[Chunk] | None, ReadingReport]:
    """What was read, less the documents that are not drawn.

    Args:
        pages: Of all documents.
        chunks: Those of a file of chunks, which are documents' parts; else None.
        report: Of all that was read.
        share: See `is_drawn`. At least one document stays, the first.

    Returns:
        The same three; the report counts what is left, and says so.
    """
    names = list(dict.fromkeys(page.document for page in pages))
    kept = {name for name in names if is_drawn(name, share)} or set(names[:1])
    if len(kept) == len(names):
        return list(pages), chunks, report
    left = [page for page in pages if page.document in kept]
    parts = None if chunks is None else [chunk for chunk in chunks if chunk.document in kept]
    texts = left if parts is None else parts
    note = (
        f"{len(kept):,} of {len(names):,} documents were drawn (corpus.share={share:g}); the others are not searched."
    )
    counted = replace(
        report,
        documents=len(kept),
        pages=len(left),
        characters=sum(len(one.text) for one in texts),
        warnings=(*report.warnings, note),
    )
    return left, parts, counted
