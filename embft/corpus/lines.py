"""Hard-wrapped lines become paragraphs again; tables, lists, headings and code stay lines.

A line was wrapped where the next line's first word would not have fitted on it. That one rule, with the page's own
width, tells a paragraph from a heading, a table or code; the rest of this module is its exceptions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from embft.corpus.cleaning import join_hyphenated, vocabulary
from embft.corpus.grid_tables import is_grid_table, join_grid_table
from embft.text.tokens import CJK

_WIDE = re.compile(rf"[{CJK}\u3000-\u303f\uff00-\uffef]")
_STARTS_WIDE = re.compile(rf"[{CJK}\u3000-\u303f\uff00-\uffef“”‘’—…]")
_ITEM = re.compile(
    r"\s*(?:[*•–·◦‣○-]|\(?\d{1,3}[.)]|\(?[A-Za-z][.)]|\([ivxlc]{1,6}\)|\[\d{1,3}\]|[①-⑳]|（?[一二三四五六七八九十]{1,3}[、）])\s+\S"
)
_IDEOGRAPH = re.compile(rf"[{CJK}，、；]")
_BARE_BULLET = re.compile(r"\s*[*•–·◦‣○-]\s*$")
_NUMBER = r"[$€£¥(]*\s?(?:\d[\d,.]*|—)\s?[)%]*"
_GAP = r"(?:\s{3,}|\t)"
_FIGURES = re.compile(
    rf"(?:^|\s){_NUMBER}\s+{_NUMBER}\s*$"  # ends in two numbers; asking for any number of them takes exponential time
    rf"|^\s*{_NUMBER}\s*$"  # is a number
)
_ENDS_IN_FIGURE = re.compile(r"[\d,.—)%]")
_WIDE_GAP = re.compile(r"\s{3}|\t")
_COLUMNS = re.compile(rf"\S{_GAP}\S.*\S{_GAP}\S")
_RULES = ("....", ". . . . ", "######", "======", "------", "______")  # tables of contents, rules
_TREE = re.compile("[─━├└│]")
_SENTENCE_ENDS = tuple(".!?。！？")
_CLOSERS = "\"'”’)]）"
_INDENTED_SENTENCE = re.compile(r"(?=[A-Z“\"*(])(?:[^=\s]+\s+){3}[^=]*[.:!?)\"]|[A-Z][\w ]*:")
_CODE = re.compile(r"^\s*(?:>>>|\$ |#!)|::=|\S {2,}#|\S {3,}\S|[;{]\s*$")
_FIXED_PITCH = 0.95  # a slack from here on means that widths are exact
_BROKEN_WORD = re.compile(r"[^\W\d_]-$")
_TAIL = 256  # characters; more than any word or figure, so that a long line or paragraph takes time in proportion to it
_MIN_WIDTH = 30  # columns; narrower than any column of text that is worth joining


@dataclass
class _Unit:
    text: WrappedText
    kind: str  # "prose", "item", "row" or "code"
    indent: int
    last: str = field(default="")  # its last source line, which decides whether it continues
    lines: int = 1


class WrappedText:
    """A text that grows by continuation lines: no space within Chinese or Japanese, else one.

    Args:
        line: The first line, without space around it.
        words: The document's vocabulary, to tell a broken word from a hyphenated one; None where a hyphen at a line's
            end is always the author's own.
    """

    def __init__(self, line: str, words: Counter[str] | None) -> None:
        self._parts = [line]
        self._tail = line[-_TAIL:]
        self._words = words

    def __str__(self) -> str:
        return "".join(self._parts)

    def append(self, line: str) -> None:
        """Puts a continuation line, without space around it, behind the text."""
        tail = self._tail
        if _BROKEN_WORD.search(tail[-2:]) and line[0].isalpha():
            if self._words is not None and len(join_hyphenated(tail[:-1], line, self._words)) < len(tail) + len(line):
                self._parts[-1] = self._parts[-1][:-1]
                tail = tail[:-1]
        elif not _joins_without_space(tail, line):
            line = " " + line
        self._parts.append(line)
        self._tail = (tail + line)[-_TAIL:]


def _joins_without_space(tail: str, line: str) -> bool:
    if not (tail and _STARTS_WIDE.match(tail[-1]) and _STARTS_WIDE.match(line)):
        return False
    # Curly quotes and dashes belong to either script: what stands beside them tells which.
    return bool(_WIDE.search(tail[-2:]) or _WIDE.search(line[:2]))


def columns(line: str) -> int:
    """Width of a line in character cells: a CJK character takes two."""
    return len(line) if line.isascii() else len(line) + len(_WIDE.findall(line))


def _is_row(line: str) -> bool:
    """Tells whether a line belongs to a table or a drawing."""
    text = line.strip()
    if _ENDS_IN_FIGURE.match(text[-1:]) and _FIGURES.search(line[-_TAIL:]):
        return True
    if any(rule in line for rule in _RULES) or (len(text) > 1 and text[0] == text[-1] == "|"):
        return True
    if _WIDE_GAP.search(line) and _COLUMNS.search(line):
        return True
    return not line.isascii() and _TREE.search(line) is not None


def _ends_sentence(line: str) -> bool:
    return line.rstrip(_CLOSERS).endswith(_SENTENCE_ENDS)


def usual_width(lines: Iterable[str]) -> int:
    """Returns the width that lines are wrapped at: the 95th percentile of those that are not table rows."""
    widths = sorted(columns(line) for line in lines if line.strip() and not _is_row(line))
    return max(_MIN_WIDTH, widths[int(0.95 * (len(widths) - 1))]) if widths else _MIN_WIDTH


def join_lines(lines: Sequence[str], width: int, words: Counter[str], slack: float = 0.85) -> tuple[str, int]:
    """Joins the wrapped lines of one page.

    Args:
        lines: Of one page; blank lines separate blocks, where the format has them.
        width: See `usual_width`.
        words: The document's vocabulary, for `join_hyphenated`.
        slack: The share of the width from which a line counts as full: 1 for a fixed pitch, less for proportional type.

    Returns:
        The text, paragraphs separated by a blank line (two blank lines stay two), and the number of lines joined.
    """
    parts: list[str] = []
    joined = 0
    for gap, block in _blocks(lines):
        if is_grid_table(block):
            text, count = join_grid_table(block), 0
        elif _is_verbatim(block, width, slack):
            text, count = "\n".join(line.rstrip() for line in block), 0
        else:
            text, count = _join_block(block, width, words, slack)
        joined += count
        parts += ["\n\n\n" if gap > 1 else "\n\n", text]
    return "".join(parts[1:]), joined


def join_pages(pages: Sequence[Sequence[str]]) -> tuple[list[str], int]:
    """Joins the wrapped lines of each page of a document.

    Returns:
        The text of each page, and the number of lines joined.
    """
    words = vocabulary("\n".join(lines) for lines in pages)
    document_width = usual_width(line for lines in pages for line in lines)
    joined = []
    for lines in pages:
        # A page of a table alone is narrow; its own width would make its rows look full.
        width = max(usual_width(lines), int(0.6 * document_width))
        joined.append(join_lines(lines, width, words))
    return [text for text, _ in joined], sum(count for _, count in joined)


def _blocks(lines: Sequence[str]) -> list[tuple[int, list[str]]]:
    """Returns runs of lines that are not blank, each with the number of blank lines before it."""
    blocks: list[tuple[int, list[str]]] = []
    gap = 1
    for line in lines:
        if not line.strip():
            gap += 1
            continue
        if gap:
            blocks.append((gap, []))
        blocks[-1][1].append(line.expandtabs(8).replace("\u3000", "  ") if line[0].isspace() else line)
        gap = 0
    return blocks


def _is_verbatim(block: Sequence[str], width: int, slack: float) -> bool:
    """Tells whether a block is indented and not prose: code, grammar, a diagram."""
    if min(_indent(line) for line in block) < 2:
        return False
    if any(_CODE.search(line) for line in block):
        return True
    if len(block) == 1:
        return not (_ITEM.match(block[0]) or _INDENTED_SENTENCE.fullmatch(block[0].strip()))
    return not all(_ITEM.match(after) or _is_full(before, after, width, slack) for before, after in pairwise(block))


def _join_block(block: Sequence[str], width: int, words: Counter[str], slack: float) -> tuple[str, int]:
    units: list[_Unit] = []
    for line in block:
        kind = "row" if _is_row(line) else "item" if _ITEM.match(line) or _BARE_BULLET.match(line) else "prose"
        if units and _goes_on(units[-1], line, kind, width, slack):
            unit = units[-1]
            unit.text.append(_tidy(line))
            unit.last, unit.lines = line, unit.lines + 1
        else:
            units.append(_Unit(WrappedText(_tidy(line), words), kind, _indent(line), line))
    texts = [str(unit.text) for unit in units]
    are_paragraphs = [_is_paragraph(unit, text, width) for unit, text in zip(units, texts, strict=True)]
    parts = texts[:1]
    for index in range(1, len(units)):
        parts += ["\n\n" if are_paragraphs[index - 1] or are_paragraphs[index] else "\n", texts[index]]
    return "".join(parts), sum(unit.lines - 1 for unit in units)


def _is_paragraph(unit: _Unit, text: str, width: int) -> bool:
    if unit.kind == "item":
        return unit.lines > 2
    return unit.kind == "prose" and (unit.lines > 1 or columns(text) >= 0.7 * width or _ends_sentence(text))


def _goes_on(unit: _Unit, line: str, kind: str, width: int, slack: float) -> bool:
    """Tells whether a line (its kind: row, item or prose) continues the unit before it."""
    if _BARE_BULLET.match(unit.last):
        return True
    if unit.kind == "row" or kind != "prose":
        return False
    indent, text = _indent(line), line.strip()
    if unit.kind == "prose" and indent > _indent(unit.last):
        return False  # a new paragraph, or the body of a definition
    if unit.kind == "prose" and indent < unit.indent and unit.lines > 1:
        return False
    before = unit.last.strip()
    if before.isupper() != text.isupper() and (before.isupper() or len(text) > 3):
        return False  # a heading in capitals next to text
    if _ends_sentence(before) and _looks_like_heading(text, width):
        return False
    return _is_full(unit.last, line, width, slack)


def _looks_like_heading(text: str, width: int) -> bool:
    return columns(text) < 0.6 * width and not text[0].islower() and text[-1] not in '.,;:!?。，；：！？、)”"’'


def _is_full(before: str, after: str, width: int, slack: float) -> bool:
    """Tells whether the first word of ``after`` would not have fitted behind ``before``."""
    after = after.strip()
    before = before.rstrip()
    first_word = 2 if _STARTS_WIDE.match(after) else len(after.split(maxsplit=1)[0])
    room_needed = columns(before) + 1 + first_word
    goes_on = after[0].islower() and not _ends_sentence(before)
    goes_on = goes_on or bool(_IDEOGRAPH.match(before[-1:]) and _STARTS_WIDE.match(after))
    if goes_on and slack < _FIXED_PITCH:
        slack = min(slack, 0.6)  # ragged setting: what is said tells more than how far the line goes
    return room_needed > slack * width


def _tidy(line: str) -> str:
    return " ".join(line.split())


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
