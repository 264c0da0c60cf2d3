"""A run folder as those who serve or export it read it: its search, its settings, its chunks, its test."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

from embft import typed_json
from embft.config import ExperimentConfig
from embft.dataset.formats import read_llama_index
from embft.errors import RunError
from embft.files import replacing
from embft.ranking.bench import vectors_of
from embft.records import RetrievalDataset
from embft.results.search_setup import SCHEMA_VERSION, SearchSetup
from embft.serving.named_places import found_again

SETUP = "search.json"
CHUNKS = "search/chunks.parquet"
_ROWS_WRITTEN = 1 << 14
"""Chunks written at once."""
_AGAIN = "Type the run's command again with another hydra.run.dir: its stages are in the cache."


@dataclass(frozen=True)
class ChunkRow:
    """A chunk that is searched.

    Attributes:
        document, page, start, end: Where it stands, as far as that is known.
        context: What is embedded and indexed before its text.
    """

    id: str
    text: str
    document: str | None = None
    page: int | None = None
    start: int | None = None
    end: int | None = None
    context: str = ""


@dataclass(frozen=True)
class RunFiles:
    """A finished run.

    Attributes:
        folder: The run folder.
        setup: How its systems search.
        config: All its settings.
        chunks: By id, in the order in which they were ranked.
        test: Its test questions with what they search.
    """

    folder: Path
    setup: SearchSetup
    config: ExperimentConfig
    chunks: dict[str, ChunkRow]
    test: RetrievalDataset

    def system(self, wanted: str | None) -> str:
        """A system by its name; None: the one that the verdict names.

        Raises:
            RunError: The run did not rank it, or its verdict names none.
        """
        ranked = ", ".join(self.setup.systems)
        if wanted is None and self.setup.system is None:
            raise RunError(
                f"The verdict of this run names no system ({self.setup.headline}) Name one, by --system or in the request: "
                f"{ranked}."
            )
        system = wanted or self.setup.system
        assert system is not None
        if system not in self.setup.systems:
            raise RunError(f"The run has no system '{system}'. It ranked: {ranked}.")
        return system

    def model_of(self, system: str) -> str | None:
        """``base`` or ``tuned``, whose vectors a system uses; None: none of the run's."""
        return vectors_of(system, self.setup.fusion, tuned=self.setup.tuned is not None)


def write_chunks(path: Path, rows: Iterable[ChunkRow]) -> None:
    """Writes chunks as Parquet, in one step; a part of them at a time, so that memory stays flat."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            ("id", pa.string()),
            ("text", pa.string()),
            ("document", pa.string()),
            ("page", pa.int64()),
            ("start", pa.int64()),
            ("end", pa.int64()),
            ("context", pa.string()),
        ]
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    left = iter(rows)
    with replacing(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        while block := list(islice(left, _ROWS_WRITTEN)):
            writer.write_table(pa.Table.from_pylist([asdict(row) for row in block], schema))


def read_run(folder: Path) -> RunFiles:
    """Reads a finished run's folder.

    Raises:
        RunError: There is none, it did not end well, or it is of a version that wrote no search.json.
    """
    setup = _setup(folder)
    try:
        rows = _read_chunks(folder / CHUNKS)
        config = _read_config(folder / "config.yaml")
        test = read_llama_index(folder / "dataset" / "test.json")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{folder} is damaged: {error}. {_AGAIN}") from error
    if len(rows) != setup.chunks:
        raise RunError(f"{folder / CHUNKS} holds {len(rows):,} chunks instead of {setup.chunks:,}. {_AGAIN}")
    corpus = {row.id: row.text for row in rows}
    contexts = {row.id: row.context for row in rows if row.context}
    searched = replace(test, corpus=corpus, contexts=contexts)
    config = found_again(config, setup.places, folder)
    return RunFiles(folder, setup, config, {row.id: row for row in rows}, searched)


def _setup(folder: Path) -> SearchSetup:
    if not folder.is_dir():
        raise RunError(f"There is no folder {folder}. Give a run's folder, such as outputs/runs/NAME.")
    file = folder / SETUP
    if not file.is_file():
        raise RunError(_without_setup(folder))
    try:
        setup = typed_json.load(SearchSetup, file)
    except ValueError as error:
        raise RunError(
            f"{file} is damaged, or of another version: {' '.join(str(error).split())[:200]}. {_AGAIN}"
        ) from error
    if setup.schema_version != SCHEMA_VERSION:
        raise RunError(f"{file} has version {setup.schema_version}, this embft reads {SCHEMA_VERSION}. {_AGAIN}")
    return setup


def _without_setup(folder: Path) -> str:
    try:
        status = json.loads((folder / "status.json").read_text(encoding="utf-8"))["status"]
    except (OSError, ValueError, KeyError, TypeError):
        inside = sorted(path.parent.name for path in folder.glob(f"*/{SETUP}"))
        if inside:
            return f"{folder} is no run but holds some: give one of them, such as {folder / inside[0]}."
        return f"{folder} is no run's folder: it has no {SETUP}. Give a folder such as outputs/runs/NAME."
    if status != "ok":
        return f"The run in {folder} has not ended well (status.json says '{status}'): there is nothing to serve yet."
    return f"The run in {folder} is of an older embft, which wrote no {SETUP}. {_AGAIN}"


def _read_chunks(path: Path) -> list[ChunkRow]:
    import pyarrow.parquet as pq

    return [ChunkRow(**row) for row in pq.read_table(path).to_pylist()]


def _read_config(path: Path) -> ExperimentConfig:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        merged = OmegaConf.merge(OmegaConf.structured(ExperimentConfig), OmegaConf.load(path))
        config = OmegaConf.to_object(merged)
    except OmegaConfBaseException as error:
        raise ValueError(f"{path} was written by another version ({' '.join(str(error).split())[:200]})") from error
    assert isinstance(config, ExperimentConfig)
    return config
