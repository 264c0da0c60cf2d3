"""Datasets as tables: a row for each question and relevant chunk, as JSONL, CSV or Parquet, or a `datasets` folder."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from embft.errors import DatasetError
from embft.files import replacing, write_jsonl
from embft.records import RetrievalDataset

COLUMNS = ("split", "question_id", "question", "chunk_id", "passage", "negative_id", "negative")
"""A triple is question, passage, negative: anchor, positive, negative of sentence-transformers' losses."""
SUFFIXES = (".jsonl", ".csv", ".parquet")
CORPUS = "corpus"
Negatives = Callable[[RetrievalDataset], Mapping[str, str | None]]
"""Question id to the id of a chunk that does not answer it, or None."""
_NEEDED = ("question", "passage")


def write_table(path: Path, parts: Mapping[str, RetrievalDataset], negatives: Negatives | None = None) -> int:
    """Writes rows of `COLUMNS`; what the suffix says decides the form. Returns the number of rows.

    Chunks that answer no question are not in a table: it is for training, not for evaluation.

    Raises:
        DatasetError: Another suffix.
    """
    rows = [row for split, part in parts.items() for row in _rows(split, part, negatives)]
    with replacing(path) as temporary:
        if path.suffix == ".jsonl":
            write_jsonl(temporary, rows)
        elif path.suffix == ".csv":
            with temporary.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS)
                writer.writeheader()
                writer.writerows(rows)
        elif path.suffix == ".parquet":
            import pyarrow as pa
            import pyarrow.parquet as pq

            schema = pa.schema([(name, pa.string()) for name in COLUMNS])
            pq.write_table(pa.Table.from_pylist(rows, schema), temporary)
        else:
            raise DatasetError(f"{path}: a table is {', '.join(SUFFIXES)}.")
    return len(rows)


def read_table(path: Path) -> dict[str, RetrievalDataset]:
    """Reads a table with at least ``question`` and ``passage``; ids that are missing are made from the texts.

    Returns:
        Split to dataset; without a column ``split`` all of it is ``train``. Passages and negatives are the corpus.

    Raises:
        DatasetError: No such file, no table, or a column that is missing; names the row.
    """
    try:
        rows = list(_read_rows(path))
    except FileNotFoundError as error:
        raise DatasetError(f"No file {path} (relative paths start at {Path.cwd()}).") from error
    except (OSError, ValueError, csv.Error) as error:
        raise DatasetError(f"{path} cannot be read as {path.suffix[1:]}: {error}.") from error
    return _from_rows(rows, path)


def write_datasets_folder(folder: Path, parts: Mapping[str, RetrievalDataset]) -> None:
    """Writes a folder for ``datasets.load_from_disk``: a split of pairs each, and ``corpus`` with every chunk.

    Raises:
        DatasetError: The folder holds something else.
    """
    from datasets import Dataset, DatasetDict, Features, Value

    if folder.exists() and any(folder.iterdir()) and not (folder / "dataset_dict.json").is_file():
        raise DatasetError(f"{folder} is not empty: give a new folder, or one that holds such a dataset.")
    names = [name for name in COLUMNS if name not in {"split", "negative_id", "negative"}]
    features = Features({name: Value("string") for name in names})
    content = {
        split: Dataset.from_list([{name: row[name] for name in names} for row in _rows(split, part, None)], features)
        for split, part in parts.items()
    }
    chunks = [
        {"split": split, "chunk_id": key, "text": text}
        for split, part in parts.items()
        for key, text in part.corpus.items()
    ]
    corpus_features = Features({name: Value("string") for name in ("split", "chunk_id", "text")})
    DatasetDict({**content, CORPUS: Dataset.from_list(chunks, corpus_features)}).save_to_disk(str(folder))


def read_datasets_folder(folder: Path) -> dict[str, RetrievalDataset]:
    """Reads what `write_datasets_folder` wrote; also a folder of tables with ``question`` and ``passage``.

    Raises:
        DatasetError: It is no such folder.
    """
    from datasets import load_from_disk

    try:
        content = load_from_disk(str(folder))
    except (FileNotFoundError, ValueError, OSError) as error:
        raise DatasetError(f"{folder} is no folder of datasets.save_to_disk: {error}.") from error
    if not isinstance(content, dict):
        content = {"train": content}
    rows = [{**row, "split": split} for split, part in content.items() if split != CORPUS for row in part]
    parts = _from_rows(rows, folder)
    if CORPUS not in content:
        return parts
    chunks: dict[str, dict[str, str]] = {}
    for row in content[CORPUS]:
        chunks.setdefault(row["split"], {})[row["chunk_id"]] = row["text"]
    empty = RetrievalDataset({}, {}, {})
    return {
        split: RetrievalDataset(part.queries, chunks.get(split, part.corpus), part.relevant_docs)
        for split in content
        if split != CORPUS
        for part in (parts.get(split, empty),)
    }


def _rows(split: str, part: RetrievalDataset, negatives: Negatives | None) -> Iterator[dict[str, str | None]]:
    against = negatives(part) if negatives else {}
    for question_id, ids in part.relevant_docs.items():
        negative_id = against.get(question_id)
        for chunk_id in ids:
            values = (
                split, question_id, part.queries[question_id], chunk_id, part.corpus[chunk_id],
                negative_id, part.corpus[negative_id] if negative_id is not None else None,
            )  # fmt: skip
            yield dict(zip(COLUMNS, values, strict=True))


def _read_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        yield from pq.read_table(path).to_pylist()
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        if path.suffix == ".csv":
            csv.field_size_limit(2**31 - 1)
            yield from csv.DictReader(file)
        else:
            yield from (json.loads(line) for line in file if line.strip())


def _from_rows(rows: Sequence[Mapping[str, Any]], path: Path) -> dict[str, RetrievalDataset]:
    found: dict[str, tuple[dict[str, str], dict[str, str], dict[str, dict[str, None]]]] = {}
    ids: dict[tuple[str, str], str] = {}
    for number, row in enumerate(rows, 1):
        missing = [name for name in _NEEDED if not isinstance(row, Mapping) or not isinstance(row.get(name), str)]
        if missing:
            raise DatasetError(
                f"{path}, row {number}: no text in {' and '.join(missing)}. Columns: {', '.join(COLUMNS)}."
            )

        def own_id(kind: str, text: str, given: Any) -> str:
            return str(given) if given else ids.setdefault((kind, text), f"{kind}{len(ids) + 1}")

        queries, corpus, relevant = found.setdefault(str(row.get("split") or "train"), ({}, {}, {}))
        question_id = own_id("q", row["question"], row.get("question_id"))
        chunk_id = own_id("c", row["passage"], row.get("chunk_id"))
        _put(queries, question_id, row["question"], f"{path}, row {number}")
        _put(corpus, chunk_id, row["passage"], f"{path}, row {number}")
        relevant.setdefault(question_id, {})[chunk_id] = None
        if row.get("negative"):
            negative_id = own_id("c", row["negative"], row.get("negative_id"))
            _put(corpus, negative_id, row["negative"], f"{path}, row {number}")
    if not found:
        raise DatasetError(f"{path} has no rows.")
    return {
        split: RetrievalDataset(queries, corpus, {key: tuple(chunks) for key, chunks in relevant.items()})
        for split, (queries, corpus, relevant) in found.items()
    }


def _put(texts: dict[str, str], key: str, text: str, where: str) -> None:
    if texts.setdefault(key, text) != text:
        raise DatasetError(f"{where}: '{key}' had another text in an earlier row; ids must be unique.")
