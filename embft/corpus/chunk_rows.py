"""Rows of a file that a vector database was exported to: JSON, JSON Lines, CSV or Parquet, with flat names of columns."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from embft.corpus.decoding import decode
from embft.errors import CorpusError
from embft.foreign_json import parse_json
from embft.text.outside import lines_of

Row = dict[str, object]
"""Values by the names of their columns; ``metadata.source`` where one object stands in another."""

_SEPARATORS = ",;\t|"
_EXCEL_HINT = re.compile(r"\"?sep=(.)\"?", re.IGNORECASE)
_DEEPEST = 4
_TEXTS = ("text", "content", "contents", "page_content", "chunk", "passage", "body", "正文", "文本", "内容")
_JSON_COLUMNS = ("metadata", "cmetadata", "meta", "payload", "properties", "metadata_json", "_node_content")


def read_chunk_rows(path: Path) -> tuple[list[Row], tuple[str, ...]]:
    """Reads all rows, and what a person should know about the file's bytes; lists of numbers (the vectors) are left out.

    Raises:
        CorpusError: The file is empty, broken or no table; says where, without the file's name.
    """
    with path.open("rb") as file:
        head = file.read(4)
    if path.suffix.lower() in (".parquet", ".pq") or head == b"PAR1":
        return [_flat(row) for row in _parquet_rows(path)], ()
    if head[:2] == b"\x1f\x8b" or head[:2] == b"PK":
        raise CorpusError("is packed: unpack it first (`gunzip FILE`, `unzip FILE`)")
    decoded = decode(path.read_bytes())
    text = decoded.text.removeprefix("\ufeff")
    start = text.lstrip()[:1]
    if start in ("{", "[") or path.suffix.lower() in (".json", ".jsonl", ".ndjson"):
        return [_flat(row) for row in _json_rows(text)], decoded.notes
    return [_flat(row) for row in _separated_rows(text)], decoded.notes


def _parquet_rows(path: Path) -> Iterator[Mapping[str, object]]:
    import pyarrow
    import pyarrow.parquet as pq
    import pyarrow.types as kinds

    try:
        file = pq.ParquetFile(path)
        twice = next((name for name, count in Counter(file.schema_arrow.names).items() if count > 1), None)
        if twice is not None:
            raise CorpusError(f"has two columns '{twice}': rename one of them")
        # Lists of numbers are vectors, and by far the most of such a file.
        names = [field.name for field in file.schema_arrow if not _is_vector(field.type, kinds)]
        for batch in file.iter_batches(columns=names):
            yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise CorpusError(f"is no Parquet file that can be read ({str(error)[:200]}): export it again") from None


def _is_vector(kind: Any, kinds: Any) -> bool:
    is_list = kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind)
    return bool(is_list and (kinds.is_floating(kind.value_type) or kinds.is_integer(kind.value_type)))


def _json_rows(text: str) -> Iterable[Mapping[str, object]]:
    try:
        whole = parse_json(text, strict=True)
    except json.JSONDecodeError:
        return _json_lines(text)
    except ValueError as error:
        raise CorpusError(f"holds JSON that cannot be used ({error}): export it again") from None
    rows = _rows_within(whole, 0)
    if rows is None:
        raise CorpusError('holds no rows: write one object per line, {"id": "...", "text": "..."}')
    return rows


def _json_lines(text: str) -> Iterator[Mapping[str, object]]:
    for number, line in enumerate(lines_of(text), start=1):
        if line.strip():
            try:
                row = parse_json(line, strict=True)
            except ValueError as error:
                raise CorpusError(f"is not JSON in line {number} ({error}): export it again") from None
            if not isinstance(row, dict):
                raise CorpusError(f'has no object in line {number}: {{"id": "...", "text": "..."}} is wanted')
            yield row


def _rows_within(value: Any, depth: int) -> list[Mapping[str, object]] | None:
    """Finds the rows of an answer that is one object: a list of objects in it, or columns side by side (Chroma)."""
    if isinstance(value, list):
        return value if value and all(isinstance(item, dict) for item in value) else None
    if not isinstance(value, dict) or depth > _DEEPEST:
        return None
    if depth == 0 and any(str(name).casefold() in _TEXTS and _is_text(inner) for name, inner in value.items()):
        return [value]  # a file of one row, whatever lists stand in its metadata
    ids = value.get("ids")
    if isinstance(ids, list) and ids:
        columns = {
            name: column for name, column in value.items() if isinstance(column, list) and len(column) == len(ids)
        }
        return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    for inner in value.values():
        rows = _rows_within(inner, depth + 1)
        if rows:
            return rows
    # One object alone is a file of one row; objects by their ids are rows (LlamaIndex's stores).
    if value and all(isinstance(inner, dict) for inner in value.values()):
        return [{"id": name, **inner} for name, inner in value.items()] if depth or len(value) > 1 else None
    return [value] if depth == 0 and any(isinstance(inner, str) for inner in value.values()) else None


def _separated_rows(text: str) -> Iterator[Mapping[str, object]]:
    csv.field_size_limit(2**31 - 1)
    if "\n" not in text:
        text = text.replace("\r", "\n")
    first, _, rest = text.partition("\n")
    hint = _EXCEL_HINT.fullmatch(first.strip())
    if hint:
        first, text = rest.partition("\n")[0], rest
    separators = hint[1] if hint else _SEPARATORS
    separator = max(separators, key=lambda one: len(next(csv.reader([first], delimiter=one), [])))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        twice = next((name for name in names if name and names.count(name) > 1), None)
        if twice is not None:
            raise CorpusError(f"has two columns '{twice}': rename one of them")
        for number, cells in enumerate(reader, start=1):
            if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
                raise CorpusError(
                    f"has {len(cells)} cells in row {number} and {len(names)} columns in its first line "
                    f"({', '.join(names)[:200]}): "
                    "put texts that hold the separator in quotation marks"
                )
            if any(cell.strip() for cell in cells):
                yield dict(zip(names, cells, strict=False))
    except csv.Error as error:
        raise CorpusError(
            f"is no table that can be read, in line {reader.line_num} ({error}): export it again"
        ) from None


def _flat(row: Mapping[str, object], prefix: str = "", depth: int = 0) -> Row:
    """Values by flat names. Of a list that is no text and no vector the name alone is left: it is a column that is not read.

    Raises:
        CorpusError: Two values have one name.
    """
    flat: Row = {}
    for name, value in row.items():
        key = prefix + str(name)
        if isinstance(value, str) and str(name).lower() in _JSON_COLUMNS and value.lstrip()[:1] == "{":
            with suppress(ValueError):
                value = parse_json(value, strict=True)
        if isinstance(value, Mapping) and depth < _DEEPEST:
            inner = _flat(value, f"{key}.", depth + 1)
        elif isinstance(value, list):
            inner = {key: "\n".join(value)} if _is_text(value) else {key: None} if not _is_numbers(value) else {}
        else:
            inner = {key: value}
        if twice := flat.keys() & inner.keys():
            raise CorpusError(f"has two values '{min(twice)}' in one row: rename one of them")
        flat |= inner
    return flat


def _is_numbers(value: list[object]) -> bool:
    return all(isinstance(item, int | float) for item in value)


def _is_text(value: object) -> bool:
    """Whether a value is a text, or a list of them."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, str) for item in value)
    return isinstance(value, str)
