"""Stage ``corpus``: pages to chunks."""

from __future__ import annotations

from pathlib import Path

from embft.corpus.chunking import chunk_pages
from embft.files import write_jsonl
from embft.records import Chunk, read_jsonl
from embft.results import Corpus, Reading
from embft.stages import StageResult
from embft.steps.workspace import Workspace


def make_corpus(workspace: Workspace, reading: StageResult[Reading]) -> StageResult[Corpus]:
    """Cuts the pages into chunks; chunks that exist already stay as they are."""
    config, documents = workspace.config.corpus, reading.value

    def build(folder: Path, scratch: Path) -> None:
        chunks = documents.chunks
        if chunks is None:
            chunks = chunk_pages(documents.pages, config.chunk_tokens, config.chunk_overlap)
        write_jsonl(folder / "chunks.jsonl", chunks)

    def load(folder: Path) -> Corpus:
        return Corpus(documents.pages, read_jsonl(folder / "chunks.jsonl", Chunk), documents.report)

    return workspace.run("corpus", build, load, inputs=[reading.key])
