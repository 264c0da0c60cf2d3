"""Tables from outside, as JSON Lines, CSV or Parquet: rows with plain column names, in any separator and encoding."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from embft.foreign_json import parse_json
from embft.text.outside import decoded, lines_of

SEPARATED = (".csv", ".tsv", ".tab")
JSON_LINES = (".jsonl", ".ndjson")
PARQUET = ".parquet"
READABLE = (*JSON_LINES, *SEPARATED, PARQUET)
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_EXCEL_HINT = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_SHOWN_COLUMNS = 12


@dataclass(frozen=True)
class Rows:
    """A table.

    Attributes:
        rows: Number of a row in its file (a line of JSON Lines, a record below the header of CSV) and its values by column.
        columns: Plain names in the order of the file.
        layout: How it was read, for messages: the columns that were found and what separates them.
        notes: What a person should know about the bytes, to be put behind the file's name.
    """

    rows: list[tuple[int, Mapping[str, object]]]
    columns: tuple[str, ...]
    layout: str
    notes: tuple[str, ...] = ()


def read_rows(path: Path, known: Collection[str]) -> Rows:
    """Reads a table; its suffix decides the form.

    Args:
        path: The file.
        known: Column names that a table can have: the separator that finds most of them is the right one.

    Raises:
        OSError: It cannot be opened.
        ValueError: It is no such table; says where.
    """
    suffix = path.suffix.lower()
    if suffix == PARQUET:
        import pyarrow.parquet as pq

        names = pq.read_schema(path).names
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"the column {twice} stands twice")
        return _rows(list(enumerate(pq.read_table(path).to_pylist(), 1)))
    file = decoded(path.read_bytes())
    rows = separated_rows(file.text, known) if suffix in SEPARATED else json_rows(file.text)
    return replace(rows, notes=file.notes)


def json_rows(text: str) -> Rows:
    """One object per line, or one list of objects.

    Raises:
        ValueError: A line is no object; says which.
    """
    if text.lstrip()[:1] == "[":
        return _rows(list(enumerate(_parsed(text, "the list"), 1)))
    return _rows([(at, _parsed(line, f"line {at}")) for at, line in enumerate(lines_of(text), 1) if line.strip()])


def separated_rows(text: str, known: Collection[str]) -> Rows:
    """A header and rows, separated by commas, semicolons, tabs or bars.

    Raises:
        ValueError: A quotation mark without its end, a row longer than the header, a column twice.
    """
    hint = _EXCEL_HINT.match(text)
    separators = [hint[1]] if hint else list(_SEPARATORS)
    text = text[hint.end() :] if hint else text
    heads = {separator: _header(text, separator) for separator in separators}
    separator = max(separators, key=lambda one: (len(set(heads[one]) & set(known)), len(heads[one])))
    names = heads[separator]
    layout = f"{_shown(names)} (separated by {_SEPARATORS.get(separator, repr(separator))})"
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise ValueError(f"the column {twice[0]} stands twice. Columns found: {layout}")
    try:
        records = list(_records(text, separator, csv.QUOTE_MINIMAL))
    except ValueError:
        if separator in ",;":
            raise
        # Tables with tabs often quote nothing, and a text may begin with a quotation mark.
        records = list(_records(text, separator, csv.QUOTE_NONE))
    rows: list[tuple[int, Mapping[str, object]]] = []
    for at, cells in enumerate(records[1:], 1):
        while len(cells) > len(names) and not cells[-1].strip():
            cells.pop()
        if len(cells) > len(names):
            raise ValueError(
                f"row {at} has {len(cells)} cells and the header {len(names)}; columns found: {layout}. Put texts that hold the "
                "separator in quotation marks"
            )
        if any(cell.strip() for cell in cells):
            rows.append((at, dict(zip(names, cells, strict=False))))
    return Rows(rows, tuple(names), layout)


def plain_name(column: object) -> str:
    """``Query-ID `` as ``query_id``."""
    return re.sub(r"[\s\-]+", "_", str(column).strip().strip("\ufeff").casefold())


def _rows(values: list[tuple[int, Any]]) -> Rows:
    rows: list[tuple[int, Mapping[str, object]]] = []
    columns: dict[str, None] = {}
    for at, value in values:
        if not isinstance(value, Mapping):
            raise ValueError(f"row {at} is no object with columns")
        row = {plain_name(key): item for key, item in value.items()}
        if len(row) < len(value):
            raise ValueError(f"row {at} has a column twice")
        columns.update(dict.fromkeys(row))
        rows.append((at, row))
    return Rows(rows, tuple(columns), _shown(list(columns)))


def _parsed(text: str, where: str) -> Any:
    try:
        return parse_json(text, strict=True)
    except ValueError as error:
        raise ValueError(f"{where} is not JSON ({error})") from error


def _header(text: str, separator: str) -> list[str]:
    try:
        names = [plain_name(name) for name in next(_records(text, separator, csv.QUOTE_MINIMAL), [])]
    except ValueError:
        names = []
    while names and not names[-1]:
        names.pop()
    return names


def _records(text: str, separator: str, quoting: Any) -> Iterator[list[str]]:
    csv.field_size_limit(2**31 - 1)
    if "\n" not in text:
        text = text.replace("\r", "\n")
    # A file opened with newline="" is read to the letter, line ends within quotation marks too.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=quoting, strict=True)
    try:
        yield from (record for record in reader if record)
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num} is no row of a table ({error})") from error


def _shown(names: list[str]) -> str:
    shown = ", ".join(name or "(no name)" for name in names[:_SHOWN_COLUMNS])
    return (shown or "none") + (", ..." if len(names) > _SHOWN_COLUMNS else "")
