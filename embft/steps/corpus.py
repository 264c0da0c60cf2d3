"""Stage ``corpus``: documents to pages and chunks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from embft.config import CorpusConfig
from embft.files import read_json, write_json, write_jsonl
from embft.records import Chunk, Page, read_jsonl
from embft.stages import StageCache, StageResult


@dataclass(frozen=True)
class Corpus:
    """What the stage gives.

    Attributes:
        reading: What was read, skipped, dropped and joined; for the report.
    """

    pages: list[Page]
    chunks: list[Chunk]
    reading: dict[str, Any]


def make_corpus(stages: StageCache, config: CorpusConfig, cache_dir: Path) -> StageResult[Corpus]:
    """Reads and chunks the documents, or loads them where the same files were read before."""
    from embft.corpus import corpus_digests

    def build(folder: Path, scratch: Path) -> None:
        from embft.corpus import chunk_corpus

        pages, chunks, reading = chunk_corpus(config, cache_dir)
        write_jsonl(folder / "pages.jsonl", pages)
        write_jsonl(folder / "chunks.jsonl", chunks)
        write_json(folder / "reading.json", asdict(reading))

    def load(folder: Path) -> Corpus:
        return Corpus(
            read_jsonl(folder / "pages.jsonl", Page),
            read_jsonl(folder / "chunks.jsonl", Chunk),
            read_json(folder / "reading.json"),
        )

    return stages.run(
        "corpus",
        settings={
            "kind": config.kind,
            "pdf_reader": config.pdf_reader,
            "chunk_tokens": config.chunk_tokens,
            "chunk_overlap": config.chunk_overlap,
            "drop_boilerplate": config.drop_boilerplate,
            "on_error": config.on_error,
            "ocr": config.ocr,
        },
        inputs=corpus_digests(config, cache_dir),
        code=("embft.corpus", "embft.records", "embft.text.tokens"),
        build=build,
        load=load,
    )
