"""Columns of text are read one after the other, by where words stand rather than by the order that a file holds them in.

Most files hold their columns in the order of reading, and their text is left as it is. Where a file goes from line to line
across the columns, or holds the right one first, the lines are put in order. Tables have columns too, and are read row by row:
only columns of running text count: lines of several words at equal distances, each so long that the first word of the next
one would not have fitted behind it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, pairwise
from statistics import median

from embft.corpus.pdf_words import Word
from embft.text.tokens import CJK

_WIDE = re.compile(rf"[{CJK}]")
_GAP = 0.7  # of a line's height: a wider space parts two pieces of a line
_EDGE = 3.0  # points by which the left edges of a column's lines may differ
_MIN_LINES = 5  # in each column
_MIN_WORDS = 3
_MIN_WIDTH = 8.0  # of a line's height: half of a column's lines are as wide
_MIN_WIDE = 6  # Chinese or Japanese characters that count as so many words
_MIN_FULL = 0.65  # of a column's lines
_MIN_FLOW = 0.2  # of a column's lines start within a sentence
_RIVER = 1.7  # of a line's height: the widest space between words of a justified line
_SAME_STEP = 0.15  # by which distances of lines may differ
_MIN_REGULAR = 0.55  # of a column's lines at the usual distance
_MOST_COLUMNS = 4
_MOST_NUMERIC = 0.25  # of a column's lines
_WIDE_BREAK = 3.0  # of a line's height, free in all columns: what stands below is of its own
_MISPLACED = 0.2  # of the pairs of lines in two columns that a file holds in the wrong order
_MOST_PIECES = 3000  # a page of more is a drawing
_RIGHT_TO_LEFT = "\u0590", "\u08ff"


@dataclass(frozen=True)
class _Piece:
    """Words of one line without a wide space among them."""

    order: int
    start: int
    end: int
    text: str
    left: float
    right: float
    middle: float
    height: float
    first_word: float  # its width

    @cached_property
    def is_numeric(self) -> bool:
        return sum(map(str.isalpha, self.text)) * 2 < len("".join(self.text.split()))

    @cached_property
    def words(self) -> float:
        return len(self.text.split()) + len(_WIDE.findall(self.text)) * _MIN_WORDS / _MIN_WIDE

    @cached_property
    def starts_within_a_sentence(self) -> bool:
        first = next((letter for letter in self.text if letter.isalnum()), "")
        return first.islower() or (first.isalpha() and first.lower() == first.upper())


@dataclass(frozen=True)
class _Band:
    """A stretch of the page in which columns stand side by side."""

    top: float
    bottom: float
    columns: list[list[_Piece]]


def in_reading_order(text: str, words: Sequence[Word]) -> str | None:
    """Puts the columns of a page in order.

    Args:
        text: The page's text in the file's order.
        words: Its words, in that order.

    Returns:
        The text, column by column, or None where its order is right already or the page has no columns of running text.
    """
    pieces = _pieces(text, words)
    if not 2 * _MIN_LINES <= len(pieces) <= _MOST_PIECES:
        return None
    bands = _bands(pieces)
    if not any(_misplaced(band) > _MISPLACED for band in bands):
        return None
    backwards = 2 * sum(_RIGHT_TO_LEFT[0] <= letter <= _RIGHT_TO_LEFT[1] for letter in text) > len(text)
    rest = {piece.order: piece for piece in pieces}
    for band in bands:
        for piece in (piece for column in band.columns for piece in column):
            del rest[piece.order]
    bands.sort(key=lambda band: -band.top)
    zones: list[list[_Piece]] = [[] for _ in range(len(bands) + 1)]
    tops = [-band.top for band in bands]
    for piece in rest.values():
        zones[bisect_right(tops, -piece.middle)].append(piece)
    ordered = zones[0]
    for band, zone in zip(bands, zones[1:], strict=True):
        for column in reversed(band.columns) if backwards else band.columns:
            ordered += _downwards(column)
        ordered += zone
    parts = [ordered[0].text]
    for before, after in pairwise(ordered):
        parts += [text[before.end : after.start] if after.order == before.order + 1 else "\r\n", after.text]
    return "".join(parts)


def _pieces(text: str, words: Sequence[Word]) -> list[_Piece]:
    runs: list[list[Word]] = []
    for word in words:
        before = runs[-1][-1] if runs else None
        if (
            before
            and "\n" not in text[before.end : word.start]
            and text[before.end - 1] not in "\ufffe\x02"
            and -before.height < word.left - before.right < _GAP * max(before.height, word.height)
        ):
            runs[-1].append(word)
        else:
            runs.append([word])
    pieces = []
    for order, run in enumerate(runs):
        bottom, top = min(word.bottom for word in run), max(word.top for word in run)
        start, end = run[0].start, run[-1].end
        left, right = min(word.left for word in run), max(word.right for word in run)
        height = max(top - bottom, 1.0)
        # Chinese breaks its lines anywhere, but for a sign or two that must not stand alone.
        first_word = 2 * height if _WIDE.match(text, start) else run[0].right - run[0].left
        middle = (top + bottom) / 2
        pieces.append(_Piece(order, start, end, text[start:end], left, right, middle, height, first_word))
    return pieces


def _bands(pieces: Sequence[_Piece]) -> list[_Band]:
    """Finds the bands of columns, the tallest first; no piece stands in two of them."""
    bands: list[_Band] = []
    left = list(pieces)
    for edge in _left_edges(left):
        for stretch in _without_crossing(left, edge):
            columns = _columns(stretch, edge)
            if columns and _are_running_text(columns):
                middles = [piece.middle for piece in stretch]
                bands.append(_Band(max(middles), min(middles), columns))
        taken = {piece.order for band in bands for column in band.columns for piece in column}
        left = [piece for piece in left if piece.order not in taken]
    return bands


def _left_edges(pieces: Sequence[_Piece]) -> list[float]:
    """Returns where columns may begin, the likeliest first: left edges that many pieces share, but for the page's own."""
    edges: list[list[float]] = []
    for left in sorted(piece.left for piece in pieces):
        if edges and left - edges[-1][0] <= _EDGE:
            edges[-1].append(left)
        else:
            edges.append([left])
    shared = sorted((edge for edge in edges[1:] if len(edge) >= _MIN_LINES), key=lambda edge: -len(edge))
    return [edge[0] for edge in shared[: 2 * _MOST_COLUMNS]]


def _without_crossing(pieces: Sequence[_Piece], edge: float) -> list[list[_Piece]]:
    """Returns the stretches of the page, from top to bottom, in which nothing stands across the edge.

    A stretch ends, too, where all columns leave a wide space.
    """
    stretches: list[list[_Piece]] = [[]]
    for piece in sorted(pieces, key=lambda piece: -piece.middle):
        if piece.left < edge - _EDGE / 2 and piece.right > edge:
            stretches.append([])
            continue
        above = stretches[-1][-1] if stretches[-1] else None
        if above and above.middle - piece.middle > _WIDE_BREAK * max(above.height, piece.height):
            stretches.append([])
        stretches[-1].append(piece)
    return [stretch for stretch in stretches if len(stretch) >= 2 * _MIN_LINES]


def _columns(stretch: Sequence[_Piece], edge: float) -> list[list[_Piece]] | None:
    """Cuts a stretch at an edge, and each part where it has columns of its own; None where a part has too few lines."""
    sides: list[list[_Piece]] = [[], []]
    for piece in stretch:
        sides[piece.left >= edge - _EDGE / 2].append(piece)
    if min(map(len, sides)) < _MIN_LINES or not _stand_side_by_side(*sides):
        return None
    columns: list[list[_Piece]] = []
    for side in sides:
        parts = None
        for inner in _left_edges(side):
            if not any(piece.left < inner - _EDGE / 2 and piece.right > inner for piece in side):
                parts = _columns(side, inner)
                if parts:
                    break
        columns += parts or [side]
    return columns if len(columns) <= _MOST_COLUMNS else None


def _stand_side_by_side(left: Sequence[_Piece], right: Sequence[_Piece]) -> bool:
    tops = [max(piece.middle for piece in side) for side in (left, right)]
    bottoms = [min(piece.middle for piece in side) for side in (left, right)]
    return min(tops) - max(bottoms) >= 0.5 * min(
        top - bottom for top, bottom in zip(tops, bottoms, strict=True)
    ) and min(tops) > max(bottoms)


def _lines(column: Sequence[_Piece]) -> list[_Piece]:
    """Joins the pieces that the wide spaces of a justified line have parted."""
    lines: list[_Piece] = []
    for piece in _downwards(column):
        line = lines[-1] if lines else None
        if (
            line
            and abs(line.middle - piece.middle) < 0.3 * line.height
            and piece.left - line.right < _RIVER * line.height
        ):
            text = f"{line.text} {piece.text}"
            lines[-1] = replace(line, text=text, left=min(line.left, piece.left), right=max(line.right, piece.right))
        else:
            lines.append(piece)
    return lines


def _are_running_text(columns: Sequence[Sequence[_Piece]]) -> bool:
    lines = [_lines(column) for column in columns]
    if min(map(len, lines)) < _MIN_LINES:
        return False
    steps = [[above.middle - below.middle for above, below in pairwise(column)] for column in lines]
    usual = [median(distances) for distances in steps]
    if max(usual) - min(usual) > _SAME_STEP * max(usual):
        return (
            False  # the cells of a table's first column stand as far apart as the longest ones of its others make them
        )
    return all(
        _is_running_text(column)
        and sum(abs(step - least) <= _SAME_STEP * least for step in distances) >= _MIN_REGULAR * len(distances)
        for column, distances, least in zip(lines, steps, usual, strict=True)
    )


def _is_running_text(lines: Sequence[_Piece]) -> bool:
    right = max(line.right for line in lines)
    full = sum(above.right + 0.2 * above.height + below.first_word > right for above, below in pairwise(lines))
    flow = sum(line.starts_within_a_sentence for line in lines[1:])
    return (
        median(line.words for line in lines) >= _MIN_WORDS
        and median((line.right - line.left) / line.height for line in lines) >= _MIN_WIDTH
        and sum(line.is_numeric for line in lines) <= _MOST_NUMERIC * len(lines)
        and full >= _MIN_FULL * (len(lines) - 1)
        and flow >= _MIN_FLOW * (len(lines) - 1)
    )


def _downwards(column: Sequence[_Piece]) -> list[_Piece]:
    """A column's pieces in the file's order where that goes down the page, else by their places."""
    as_filed = sorted(column, key=lambda piece: piece.order)
    downwards = sum(after.middle - before.middle < 0.5 * before.height for before, after in pairwise(as_filed))
    if downwards >= 0.9 * (len(as_filed) - 1):
        return as_filed
    rows: list[list[_Piece]] = []
    for piece in sorted(column, key=lambda piece: -piece.middle):
        if rows and rows[-1][0].middle - piece.middle < 0.5 * piece.height:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [piece for row in rows for piece in sorted(row, key=lambda piece: piece.left)]


def _misplaced(band: _Band) -> float:
    """Share of the pairs of pieces in two columns whose right one comes first in the file; of the worst two columns."""
    worst = 0.0
    for before, after in combinations(band.columns, 2):
        orders = sorted(piece.order for piece in after)
        wrong = sum(bisect_right(orders, piece.order) for piece in before)
        worst = max(worst, wrong / (len(before) * len(after)))
    return worst
