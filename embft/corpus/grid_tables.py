"""Tables drawn with ``+---+`` borders, as plain-text documentation has them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_BORDER = re.compile(r"\s*\+(?:[-=]+\+)+\s*|\s*\|(?:[-=]+[|+])+\s*")


def is_grid_table(block: Sequence[str]) -> bool:
    """Tells whether a block of lines is a grid table: its first and last lines are borders."""
    return len(block) > 2 and bool(_BORDER.fullmatch(block[0]) and _BORDER.fullmatch(block[-1]))


def join_grid_table(block: Sequence[str]) -> str:
    """Returns one line a row, ``cell | cell``; a cell that goes over several lines is joined."""
    rows: list[list[str]] = []
    open_row: list[str] | None = None
    for line in block:
        if _BORDER.fullmatch(line):
            open_row = None
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if open_row is None:
            open_row = cells
            rows.append(open_row)
        elif len(cells) == len(open_row):
            open_row[:] = [f"{above} {below}".strip() for above, below in zip(open_row, cells, strict=True)]
        else:  # a cell that holds the separator itself: keep the text rather than the columns
            open_row[-1] += " " + " ".join(cells)
    return "\n".join(" | ".join(cell for cell in row if cell) for row in rows)
