"""Documents to pages to chunks."""

from embft.corpus.chunking import chunk_pages
from embft.corpus.reading import ReadingReport, input_digests, read_corpus

__all__ = ["ReadingReport", "chunk_pages", "input_digests", "read_corpus"]
