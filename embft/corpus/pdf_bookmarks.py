"""What a PDF says of itself beside its pages: its title and its bookmarks."""

from __future__ import annotations

import logging
from pathlib import Path

from embft.corpus.outlines import Heading

logger = logging.getLogger(__name__)

_DEEPEST = 6


def title_and_bookmarks(path: Path) -> tuple[str, tuple[Heading, ...]]:
    """The metadata's title and the bookmarks that lead to a page; nothing where they are broken: the text is what counts."""
    import pypdfium2

    title, headings = "", []
    try:
        document = pypdfium2.PdfDocument(path)
    except (pypdfium2.PdfiumError, OSError):
        return "", ()
    try:
        title = document.get_metadata_value("Title")
        for bookmark in document.get_toc(max_depth=_DEEPEST):
            destination = bookmark.get_dest()
            page = destination.get_index() if destination is not None else None
            text = " ".join(bookmark.get_title().split())
            if page is not None and text:
                headings.append(Heading(bookmark.level + 1, text, page + 1))
    except (pypdfium2.PdfiumError, UnicodeError, ValueError, AttributeError) as error:
        logger.debug("%s: %s", path.name, error)
    finally:
        document.close()
    return title, tuple(sorted(headings, key=lambda heading: heading.page or 0))
