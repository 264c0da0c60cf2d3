"""Stage ``reading``: documents to pages. How they are cut into chunks is no part of it, so a sweep over that reads them once."""

from __future__ import annotations

from pathlib import Path

from embft import typed_json
from embft.corpus.documents import corpus_digests, read_documents
from embft.corpus.reading import ReadingReport
from embft.files import write_jsonl
from embft.records import Chunk, Page, read_jsonl
from embft.results import Reading
from embft.stages import StageResult
from embft.steps.workspace import Workspace

_CHUNKS = "chunks.jsonl"


def read_corpus_documents(workspace: Workspace) -> StageResult[Reading]:
    """Reads the documents, or loads them where the same files were read before."""
    config, cache_dir = workspace.config.corpus, workspace.cache_dir

    def build(folder: Path, scratch: Path) -> None:
        pages, chunks, report = read_documents(config, cache_dir)
        write_jsonl(folder / "pages.jsonl", pages)
        if chunks is not None:
            write_jsonl(folder / _CHUNKS, chunks)
        typed_json.save(folder / "reading.json", report)

    def load(folder: Path) -> Reading:
        return Reading(
            read_jsonl(folder / "pages.jsonl", Page),
            read_jsonl(folder / _CHUNKS, Chunk) if (folder / _CHUNKS).is_file() else None,
            typed_json.load(ReadingReport, folder / "reading.json"),
        )

    return workspace.run("reading", build, load, inputs=corpus_digests(config, cache_dir))
