"""Excel workbooks as text: one page per sheet, one line per row."""

from __future__ import annotations

import datetime
import re
import zipfile
from pathlib import Path
from typing import Any

_WITHOUT_VALUE = re.compile(rb"</f>(?:<v\s*/>|<v></v>)?</c>|<f[^>]*/>(?:<v\s*/>|<v></v>)?</c>")


def sheet_texts(openpyxl: Any, archive: zipfile.ZipFile, path: Path) -> tuple[list[str], list[str]]:
    """Returns the text of each sheet, its name above, cells separated by ``|``; and warnings.

    Args:
        openpyxl: The library.
        archive: The opened file, to look for formulas without a value.
        path: Where it lies.
    """
    workbook = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    texts = []
    try:
        for sheet in workbook.worksheets:
            if hasattr(sheet, "reset_dimensions"):
                sheet.reset_dimensions()  # some programs write a wrong size, and rows beyond it would be lost
            lines = [line for row in sheet.iter_rows() if (line := _line(row))]
            texts.append("\n".join([sheet.title, "", *lines]) if lines else "")
    finally:
        workbook.close()
    sheets = [part for part in archive.namelist() if re.fullmatch(r"xl/worksheets/[^/]+\.xml", part)]
    empty = sum(len(_WITHOUT_VALUE.findall(archive.read(part))) for part in sheets)
    warning = f"has {empty} formulas without a stored value, which were left out: open it in a spreadsheet and save it"
    return texts, [warning] if empty else []


def _line(row: tuple[Any, ...]) -> str:
    cells = [_cell(cell) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    if cells and not any(cells[:-1]):
        return cells[-1]
    return " | ".join(cells)


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
