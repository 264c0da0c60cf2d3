"""Excel workbooks as text: one page per sheet, one line per row."""

from __future__ import annotations

import datetime
import re
import zipfile
from pathlib import Path
from typing import Any

from embft.errors import CorpusError

_WITHOUT_VALUE = re.compile(rb"</f>(?:<v\s*/>|<v></v>)?</c>|<f[^<>]*/>(?:<v\s*/>|<v></v>)?</c>")
_MOST_ROWS = 1_048_576  # Excel's own limit
_WIDEST_GAP = 50  # columns; a wider one is shown like this
_MOST_EMPTY = 20_000_000
"""Cells between those that are filled: seconds; sheets of people have a hundredth of that."""


def sheet_texts(openpyxl: Any, archive: zipfile.ZipFile, path: Path) -> tuple[list[str], list[str]]:
    """Returns the text of each sheet, its name above, cells separated by ``|``; and warnings.

    Args:
        openpyxl: The library.
        archive: The opened file, to look for formulas without a value.
        path: Where it lies.
    """
    workbook = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    texts = []
    empty_cell = openpyxl.cell.read_only.EMPTY_CELL
    room, empty = most_characters(archive), 0
    try:
        for sheet in workbook.worksheets:
            if hasattr(sheet, "reset_dimensions"):
                sheet.reset_dimensions()  # some programs write a wrong size, and rows beyond it would be lost
            lines = []
            for number, row in enumerate(sheet.iter_rows(), start=1):
                if number > _MOST_ROWS:
                    raise CorpusError(f"has a sheet '{sheet.title}' with rows beyond {_MOST_ROWS:,}: save it anew")
                cells = [(at, text) for at, cell in enumerate(row) if cell is not empty_cell and (text := _cell(cell))]
                empty += len(row) - len(cells)
                room -= sum(len(text) for _, text in cells)
                if empty > _MOST_EMPTY or room < 0:
                    raise CorpusError(
                        f"has a sheet '{sheet.title}' that gives far more cells or text than the file holds: copy what is needed "
                        "into a new workbook"
                    )
                if cells:
                    lines.append(_line(cells))
            texts.append("\n".join([sheet.title, "", *lines]) if lines else "")
    finally:
        workbook.close()
    sheets = [part for part in archive.namelist() if re.fullmatch(r"xl/worksheets/[^/]+\.xml", part)]
    unknown = sum(len(_WITHOUT_VALUE.findall(archive.read(part))) for part in sheets)
    warning = (
        f"has {unknown} formulas without a stored value, which were left out: open it in a spreadsheet and save it"
    )
    return texts, [warning] if unknown else []


def most_characters(archive: zipfile.ZipFile) -> int:
    """How much text may come of an office file: parts of it can be shown again and again, a few times are usual."""
    return 10_000_000 + 10 * sum(part.file_size for part in archive.infolist())


def _line(cells: list[tuple[int, str]]) -> str:
    """Filled cells, each with its column from 0, as a row of a table; one alone is a text."""
    if len(cells) == 1:
        return cells[0][1]
    parts, before = [], 0
    for at, text in cells:
        parts += [" | " * min(at - before, _WIDEST_GAP), text]
        before = at
    return "".join(parts)


def _cell(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ", "minutes")
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        if "%" in (cell.number_format or ""):
            return f"{value * 100:.10g}%"
        return f"{value:.10g}" if abs(value) < 1e10 else f"{value:.15g}"
    if isinstance(value, int) and "%" in (cell.number_format or ""):
        return f"{value * 100}%"
    return " ".join(str(value).split())
