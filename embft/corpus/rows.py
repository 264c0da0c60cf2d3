"""Tables of texts (CSV, TSV, JSON Lines): one row is one document."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from embft.corpus.cleaning import clean_characters
from embft.corpus.decoding import decode
from embft.corpus.document import Document
from embft.corpus.titles import clean_title
from embft.errors import CorpusError
from embft.foreign_json import parse_json
from embft.records import Page

_TEXT_COLUMNS = ("text", "content", "contents", "body", "passage", "page_content", "正文", "内容", "文本")
_TITLE_COLUMNS = ("title", "heading", "subject", "headline", "标题")
_ID_COLUMNS = ("_id", "id")
_DELIMITERS = ",;\t|"
_LONGEST_NAME = 60  # characters; a first row with a longer cell is no header


@dataclass(frozen=True)
class _Row:
    number: int  # from 1, as it stands in the file, without the header
    values: dict[str, str]


def read_rows(path: Path, name: str, format_name: str) -> Document:
    """Reads each row as a document of its own, ``name#id``, with the row's number as its page.

    Where a column is called text, content, body or passage, it is the document's text, with the title, where there is
    one, above; the columns that are not read are named in a warning. Else all columns are: ``column: value`` in lines.

    Args:
        path: Where the file lies.
        name: The file's name.
        format_name: ``csv`` (any of comma, semicolon, tab and bar as separator) or ``jsonl``.

    Raises:
        CorpusError: A line is not JSON, a quote is not closed, a column stands twice, there are no rows.
    """
    decoded = decode(path.read_bytes())
    warnings = list(decoded.faults)
    rows = _csv_rows(decoded.text, warnings) if format_name == "csv" else _jsonl_rows(decoded.text)
    if not rows:
        raise CorpusError("has no rows (the first line names the columns): take it out")
    columns = list(dict.fromkeys(column for row in rows for column in row.values))
    by_name = {column.strip().lower(): column for column in reversed(columns)}
    body = _first(_TEXT_COLUMNS, by_name)
    bodies = [by_name[name] for name in _TEXT_COLUMNS if name in by_name]
    title = _first(_TITLE_COLUMNS, by_name)
    labels = _labels(rows, _first(_ID_COLUMNS, by_name), warnings)
    used = {body, title, *_ids(by_name), *(_filled(row, bodies) for row in rows)}
    if body is not None and (unread := [column for column in columns if column not in used]):
        read = f"{title} and {body}" if title else body
        warnings.append(f"was read by its column {read}; columns not read: {', '.join(unread)}"[:500])
    pages = []
    for row, label in zip(rows, labels, strict=True):
        if body is not None:
            texts = [row.values.get(column, "") for column in (title, _filled(row, bodies)) if column]
            text = "\n\n".join(text for text in texts if text)
        elif len(columns) == 1:
            text = row.values.get(columns[0], "")
        else:
            text = "\n".join(f"{column}: {value}" for column, value in row.values.items() if value)
        if text:
            named = row.values.get(title, "") if title else ""
            pages.append(Page(f"{name}#{label}", row.number, text, title=clean_title(named)))
    return Document(
        pages,
        empty_pages=len(rows) - len(pages),
        encoding=decoded.encoding if decoded.guessed else None,
        guess=decoded.guess,
        replaced_bytes=decoded.replaced,
        warnings=tuple(warnings),
    )


def _filled(row: _Row, bodies: Sequence[str]) -> str | None:
    """The column that holds a row's text: records of several makers call it by several names."""
    return next((column for column in bodies if row.values.get(column)), None)


def _first(wanted: Iterable[str], by_name: dict[str, str]) -> str | None:
    return next((by_name[name] for name in wanted if name in by_name), None)


def _ids(by_name: dict[str, str]) -> list[str]:
    return [by_name[name] for name in _ID_COLUMNS if name in by_name]


def _labels(rows: Sequence[_Row], column: str | None, warnings: list[str]) -> list[str]:
    """The rows' own ids where each has one and no two the same, else their numbers."""
    ids = [row.values.get(column, "") for row in rows] if column else []
    if all(ids) and len(set(ids)) == len(rows):
        return ids
    if ids:
        repeated = next((key for key, count in Counter(ids).items() if key and count > 1), None)
        fault = "rows without one" if repeated is None else f"'{repeated}' more than once"
        warnings.append(f"has in its column {column} {fault}, so that its rows are named by their numbers")
    return [str(row.number) for row in rows]


def _csv_rows(text: str, warnings: list[str]) -> list[_Row]:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    head, _, rest = text.partition("\n")
    if re.fullmatch(r"sep=.", head.strip().strip('"'), re.IGNORECASE):  # Excel's own first line
        delimiter, text = head.strip().strip('"')[-1], rest
    else:
        delimiter = _delimiter(text)
    records = _parse(text, delimiter)
    records = [record for record in records if any(value.strip() for value in record)]
    if not records:
        return []
    first = [clean_characters(value).strip() for value in records[0]]
    header = first if _is_header(first, warnings) else []
    if header and {name.lower() for name in header} & {*_TEXT_COLUMNS}:
        _refuse_longer(records, len(header))
    names = _names(header, max(map(len, records)))
    return [
        _Row(number, {name: clean_characters(value).strip() for name, value in zip(names, record, strict=False)})
        for number, record in enumerate(records[1:] if header else records, start=1)
    ]


def _is_header(first: Sequence[str], warnings: list[str]) -> bool:
    """Tells whether the first row names the columns.

    Raises:
        CorpusError: It does, and one of them twice.
    """
    filled = [value for value in first if value]
    if not all(len(value) <= _LONGEST_NAME and any(map(str.isalpha, value)) for value in filled):
        return False
    twice = next((value for value, count in Counter(filled).items() if count > 1), None)
    if twice is None:
        return True
    if {value.lower() for value in filled} & {*_TEXT_COLUMNS, *_TITLE_COLUMNS, *_ID_COLUMNS}:
        raise CorpusError(f"has two columns '{twice}': rename one of them")
    warnings.append(
        f"has '{twice}' twice in its first line, which was read as a row: if it names the columns, rename one"
    )
    return False


def _refuse_longer(records: Sequence[Sequence[str]], width: int) -> None:
    """A text that holds the separator, and stands without quotation marks, would lose all that is behind it."""
    for number, record in enumerate(records[1:], start=1):
        if any(cell.strip() for cell in record[width:]):
            raise CorpusError(
                f"has {len(record)} cells in row {number} and {width} columns in its first line: put texts that hold the "
                "separator in quotation marks"
            )


def _names(header: Sequence[str], width: int) -> list[str]:
    """A name for each column, none of them twice: those of the header, else their numbers."""
    names: list[str] = []
    taken = set(header)
    for index in range(width):
        name = header[index] if index < len(header) else ""
        if not name:
            name = f"column {index + 1}"
            while name in taken:
                name += "'"
            taken.add(name)
        names.append(name)
    return names


def _delimiter(text: str) -> str:
    """The separator that cuts the first records into the most cells, the same number in most of them."""
    sample = text[: 1 << 16]
    if len(text) > len(sample):
        sample = sample[: sample.rfind("\n") + 1] or sample
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        widths = [len(record) for record in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if record]
        widths = widths[:50]
        usual = max(set(widths), key=widths.count) if widths else 1
        score = widths.count(usual) / len(widths) * min(usual, 20) if usual > 1 else 0.0
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _parse(text: str, delimiter: str) -> list[list[str]]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        if "end of data" in str(error):
            line = _open_quote(text, delimiter)
            raise CorpusError(f"has a quote that opens in line {line} and is never closed: close it") from None
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _open_quote(text: str, delimiter: str) -> int:
    """The line in which the last record starts: its quote takes in all the rest."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    start = end = 0
    for _ in reader:
        start, end = end + 1, reader.line_num
    return start


def _jsonl_rows(text: str) -> list[_Row]:
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = parse_json(line, strict=True)
        except ValueError as error:
            raise CorpusError(f"has a line {number} that is not JSON ({error}): correct it") from None
        if isinstance(record, str):
            record = {"text": record}
        if not isinstance(record, dict):
            raise CorpusError(f"has a line {number} that is no JSON object: each line is {{column: value, ...}}")
        values = {clean_characters(key).strip(): _plain(value) for key, value in record.items()}
        if len(values) < len(record):
            raise CorpusError(f"has a line {number} with two keys that differ in white space alone: rename one of them")
        rows.append(_Row(number, values))
    return rows


def _plain(value: object) -> str:
    """The text of a JSON value; lists and objects give their values, separated by semicolons."""
    texts: list[str] = []
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(reversed(list(item.values())))
        elif isinstance(item, list):
            stack.extend(reversed(item))
        elif item is not None and (
            text := clean_characters(json.dumps(item) if isinstance(item, bool) else str(item)).strip()
        ):
            texts.append(text)
    return "; ".join(texts)
