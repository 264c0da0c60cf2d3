"""Documents to chunks in one call, for tools that need no stage between."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from embft.corpus.chunking import chunk_pages
from embft.corpus.documents import read_documents
from embft.corpus.reading import ReadingReport
from embft.records import Chunk, Page

if TYPE_CHECKING:
    from embft.config import CorpusConfig


def chunk_corpus(config: CorpusConfig, cache_dir: Path) -> tuple[list[Page], list[Chunk], ReadingReport]:
    """Reads a corpus and cuts it into chunks, or takes the chunks that exist.

    Raises:
        CorpusError: See `embft.corpus.documents.read_documents`.
    """
    pages, chunks, report = read_documents(config, cache_dir)
    if chunks is None:
        chunks = chunk_pages(pages, config.chunk_tokens, config.chunk_overlap)
    return pages, chunks, report
