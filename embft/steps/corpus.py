"""Stage ``corpus``: documents to pages and chunks."""

from __future__ import annotations

from pathlib import Path

from embft import typed_json
from embft.corpus import ReadingReport, chunk_corpus, corpus_digests
from embft.files import write_jsonl
from embft.records import Chunk, Page, read_jsonl
from embft.results import Corpus
from embft.stages import StageResult
from embft.steps.workspace import Workspace


def make_corpus(workspace: Workspace) -> StageResult[Corpus]:
    """Reads and chunks the documents, or loads them where the same files were read before."""
    config, cache_dir = workspace.config.corpus, workspace.cache_dir

    def build(folder: Path, scratch: Path) -> None:
        pages, chunks, reading = chunk_corpus(config, cache_dir)
        write_jsonl(folder / "pages.jsonl", pages)
        write_jsonl(folder / "chunks.jsonl", chunks)
        typed_json.save(folder / "reading.json", reading)

    def load(folder: Path) -> Corpus:
        return Corpus(
            read_jsonl(folder / "pages.jsonl", Page),
            read_jsonl(folder / "chunks.jsonl", Chunk),
            typed_json.load(ReadingReport, folder / "reading.json"),
        )

    return workspace.run("corpus", build, load, inputs=corpus_digests(config, cache_dir))
