"""Any dataset format to any other: which one a path is, is seen from the path itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from embft.dataset.beir import read_beir_folder, splits_of, write_beir
from embft.dataset.formats import read_llama_index, write_llama_index
from embft.dataset.tables import (
    SUFFIXES,
    Negatives,
    is_table,
    read_datasets_folder,
    read_table,
    write_datasets_folder,
    write_table,
)
from embft.errors import DatasetError
from embft.records import RetrievalDataset
from embft.text.rows import READABLE

FORMATS = ("llama_index", "beir", "datasets", "table")
Parts = Mapping[str, RetrievalDataset]


def read_any(path: Path, split: str | None = None) -> dict[str, RetrievalDataset]:
    """Reads a dataset in any format.

    Args:
        path: LlamaIndex JSON (one split), a folder of such files named train, dev and test (``dataset/`` of a run), a
            BEIR folder, a folder of ``datasets.save_to_disk``, or a table (JSONL, CSV, Parquet).
        split: The only one wanted; for LlamaIndex JSON, which does not say, its name.

    Raises:
        DatasetError: It is none of these, or broken, or lacks the split.
    """
    if not path.exists():
        raise DatasetError(f"No such file or folder: {path} (relative paths start at {Path.cwd()}).")
    parts = _read_folder(path) if path.is_dir() else _read_file(path, split)
    if split is None or split in parts:
        return {name: part for name, part in parts.items() if split in {None, name}}
    raise DatasetError(f"{path} has no split '{split}'. It has: {', '.join(parts)}.")


def write_any(path: Path, parts: Parts, kind: str | None = None, negatives: Negatives | None = None) -> str:
    """Writes a dataset. Returns what was written, in words.

    Args:
        path: Its suffix decides the format; without one it is a folder.
        parts: Split to dataset.
        kind: The format of a folder: ``beir`` (default), ``datasets`` or ``llama_index``, a file for each split.
        negatives: For tables: finds a chunk that does not answer each question.

    Raises:
        DatasetError: The path cannot be such a thing.
    """
    questions = sum(len(part.queries) for part in parts.values())
    contents = f"{questions:,} questions in {', '.join(parts)}"
    if path.suffix in SUFFIXES:
        return f"a table of {write_table(path, parts, negatives):,} rows: {contents}"
    if path.suffix == ".json":
        if len(parts) > 1:
            raise DatasetError(
                f"{path}: LlamaIndex's JSON holds one split, this is {', '.join(parts)}. Choose one with --split, or give a "
                "folder and --to llama_index."
            )
        write_llama_index(path, next(iter(parts.values())))
        return f"LlamaIndex JSON: {contents}"
    if path.suffix:
        raise DatasetError(f"{path}: unknown suffix. Take .json, {', '.join(SUFFIXES)}, or a folder.")
    if kind == "llama_index":
        path.mkdir(parents=True, exist_ok=True)
        for name, part in parts.items():
            write_llama_index(path / f"{name}.json", part)
    elif kind == "datasets":
        write_datasets_folder(path, parts)
    else:
        write_beir(path, parts)
    return f"a {kind or 'beir'} folder: {contents}"


def _read_folder(path: Path) -> dict[str, RetrievalDataset]:
    if (path / "dataset_dict.json").is_file() or (path / "dataset_info.json").is_file():
        return read_datasets_folder(path)
    if splits_of(path):
        return read_beir_folder(path)
    files = {name: path / f"{name}.json" for name in RetrievalDataset.SPLITS if (path / f"{name}.json").is_file()}
    if files:
        return {name: read_llama_index(file) for name, file in files.items()}
    raise DatasetError(
        f"{path} is no dataset: neither BEIR (corpus.jsonl, queries.jsonl, qrels/*.tsv), nor train.json, dev.json and "
        "test.json, nor a folder of datasets.save_to_disk."
    )


def _read_file(path: Path, split: str | None) -> dict[str, RetrievalDataset]:
    if is_table(path):
        return read_table(path)
    if path.suffix.lower() == ".json":
        with path.open("rb") as file:
            if file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"[":
                return read_table(path)  # a list of rows
        return {split or path.stem.removesuffix("_dataset"): read_llama_index(path)}
    raise DatasetError(f"{path}: unknown suffix. A dataset is .json, {', '.join(READABLE)}, or a folder.")
