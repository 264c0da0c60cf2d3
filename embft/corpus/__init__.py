"""Documents to pages to chunks."""

from embft.corpus.chunking import chunk_pages
from embft.corpus.chunks import chunk_corpus, corpus_digests
from embft.corpus.reading import ReadingReport, input_digests, read_corpus

__all__ = ["ReadingReport", "chunk_corpus", "chunk_pages", "corpus_digests", "input_digests", "read_corpus"]
