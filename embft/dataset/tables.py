"""Datasets as tables: a row for each question and relevant chunk, as JSONL, CSV or Parquet, or a `datasets` folder."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from embft.dataset.columns import KNOWN
from embft.dataset.table_rows import parts_of
from embft.errors import DatasetError
from embft.files import replacing, write_jsonl
from embft.records import RetrievalDataset
from embft.text.rows import READABLE, Rows, read_rows

COLUMNS = ("split", "question_id", "question", "chunk_id", "passage", "negative_id", "negative")
"""A triple is question, passage, negative: anchor, positive, negative of sentence-transformers' losses."""
GRADE = "grade"
"""One more column, where a dataset has grades."""
SUFFIXES = (".jsonl", ".csv", ".parquet")
"""What is written; `embft.text.rows.READABLE` is what is read."""
CORPUS = "corpus"
Negatives = Callable[[RetrievalDataset], Mapping[str, str | None]]
"""Question id to the id of a chunk that does not answer it, or None."""


def write_table(path: Path, parts: Mapping[str, RetrievalDataset], negatives: Negatives | None = None) -> int:
    """Writes rows of `COLUMNS`; what the suffix says decides the form. Returns the number of rows.

    Chunks that answer no question are not in a table: it is for training, not for evaluation.

    Raises:
        DatasetError: Another suffix.
    """
    rows = [row for split, part in parts.items() for row in _rows(split, part, negatives)]
    columns = (*COLUMNS, GRADE) if _are_graded(parts) else COLUMNS
    if columns is COLUMNS:
        rows = [{name: row[name] for name in COLUMNS} for row in rows]
    with replacing(path) as temporary:
        if path.suffix == ".jsonl":
            write_jsonl(temporary, rows)
        elif path.suffix == ".csv":
            with temporary.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, columns)
                writer.writeheader()
                writer.writerows(rows)
        elif path.suffix == ".parquet":
            import pyarrow as pa
            import pyarrow.parquet as pq

            schema = pa.schema([(name, pa.int64() if name == GRADE else pa.string()) for name in columns])
            pq.write_table(pa.Table.from_pylist(rows, schema), temporary)
        else:
            raise DatasetError(f"{path}: a table is {', '.join(SUFFIXES)}.")
    return len(rows)


def read_table(path: Path) -> dict[str, RetrievalDataset]:
    """Reads a table of questions and passages; ids that are missing are made from the texts.

    Columns may be question and passage, anchor and positive, query and pos or answer, question and context, sentence1 and
    sentence2; labels or grades (0 is not relevant), one negative, a list of them, or negative_1 and so on.

    Returns:
        Split to dataset; without a column ``split`` all of it is ``train``. Passages and negatives are the corpus.

    Raises:
        DatasetError: No such file, no table, or a column that is missing; names the row and the columns found.
    """
    try:
        rows = read_rows(path, KNOWN)
    except FileNotFoundError as error:
        raise DatasetError(f"No file {path} (relative paths start at {Path.cwd()}).") from error
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read as {path.suffix[1:]}: {error}.") from error
    return parts_of(rows, path)


def write_datasets_folder(folder: Path, parts: Mapping[str, RetrievalDataset]) -> None:
    """Writes a folder for ``datasets.load_from_disk``: a split of pairs each, and ``corpus`` with every chunk.

    Raises:
        DatasetError: The folder holds something else.
    """
    from datasets import Dataset, DatasetDict, Features, Value

    if folder.exists() and any(folder.iterdir()) and not (folder / "dataset_dict.json").is_file():
        raise DatasetError(f"{folder} is not empty: give a new folder, or one that holds such a dataset.")
    names = [name for name in COLUMNS if name not in {"split", "negative_id", "negative"}]
    types = {name: Value("string") for name in names} | ({GRADE: Value("int64")} if _are_graded(parts) else {})
    content = {
        split: Dataset.from_list(
            [{name: row[name] for name in types} for row in _rows(split, part, None)], Features(types)
        )
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
    """Reads what `write_datasets_folder` wrote; also a folder of tables with columns as `read_table` has them.

    Raises:
        DatasetError: It is no such folder.
    """
    from datasets import load_from_disk

    try:
        content = load_from_disk(str(folder))
    except (FileNotFoundError, ValueError, OSError, TypeError, KeyError) as error:
        raise DatasetError(f"{folder} is no folder of datasets.save_to_disk: {error}.") from error
    if not isinstance(content, dict):
        content = {"train": content}
    rows = [{**row, "split": split} for split, part in content.items() if split != CORPUS for row in part]
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    parts = parts_of(Rows(list(enumerate(rows, 1)), columns, ", ".join(columns)), folder)
    if CORPUS not in content:
        return parts
    chunks: dict[str, dict[str, str]] = {}
    for row in content[CORPUS]:
        chunks.setdefault(row["split"], {})[row["chunk_id"]] = row["text"]
    empty = RetrievalDataset({}, {}, {})
    return {
        split: part.with_questions(part.queries, chunks.get(split, part.corpus))
        for split in content
        if split != CORPUS
        for part in (parts.get(split, empty),)
    }


def is_table(path: Path) -> bool:
    """True where the suffix is one of a table."""
    return path.suffix.lower() in READABLE


def _are_graded(parts: Mapping[str, RetrievalDataset]) -> bool:
    return any(part.grades for part in parts.values())


def _rows(split: str, part: RetrievalDataset, negatives: Negatives | None) -> Iterator[dict[str, object]]:
    against = negatives(part) if negatives else {}
    for question_id, ids in part.relevant_docs.items():
        negative_id = against.get(question_id)
        for chunk_id in ids:
            values = (
                split, question_id, part.queries[question_id], chunk_id, part.corpus[chunk_id],
                negative_id, part.corpus[negative_id] if negative_id is not None else None, part.grade(question_id, chunk_id),
            )  # fmt: skip
            yield dict(zip((*COLUMNS, GRADE), values, strict=True))
