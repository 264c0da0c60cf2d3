"""Running heads, running feet and page numbers: lines that say nothing about the page they stand on."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

EDGE_LINES = 3
MIN_PAGES = 5
MIN_SHARE = 0.6
_ROMAN = re.compile(r"[-–—\s]*[ivxlcdm]{1,7}[-–—\s]*", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Boilerplate:
    """A line that was dropped.

    Attributes:
        line: The line with each number as ``#``.
        pages: On how many pages it stood.
    """

    line: str
    pages: int


def drop_boilerplate(pages: Sequence[Sequence[str]]) -> tuple[list[list[str]], list[Boilerplate]]:
    """Drops lines that repeat at the top or the bottom of most pages.

    A line counts where it is among the first or the last three lines that are not blank. It is dropped where it stands
    at the same edge of at least five pages and of 60% of the pages from its first to its last: a running head may hold
    for one part of a document only (in a 10-K, for all but the exhibits). Its numbers may differ if they count pages.

    Args:
        pages: The lines of each page, in order.
    """
    kept = [list(lines) for lines in pages]
    dropped: list[Boilerplate] = []
    while repeated := _repeated_lines(kept):  # a head of four lines shows its last only when the first are gone
        by_count = sorted(repeated.items(), key=lambda item: -item[1])
        dropped += [Boilerplate(line, count) for (_, line), count in by_count]
        for lines in kept:
            edges = _edge_lines(lines)
            lines[:] = [line for index, line in enumerate(lines) if repeated.keys().isdisjoint(edges.get(index, ()))]
    return kept, dropped


def _repeated_lines(pages: Sequence[Sequence[str]]) -> dict[tuple[str, str], int]:
    """Maps (edge, line) to its number of pages, for each line that repeats."""
    stands_on: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for number, lines in enumerate(pages):
        keys = {key: lines[index] for index, keys in _edge_lines(lines).items() for key in keys}
        for key, line in keys.items():
            stands_on[key].append((number, line))
    return {key: len(places) for key, places in stands_on.items() if _is_running(places)}


def _is_running(places: Sequence[tuple[int, str]]) -> bool:
    pages = places[-1][0] - places[0][0] + 1
    if len(places) < MIN_PAGES or len(places) < MIN_SHARE * pages:
        return False
    # "EXHIBIT 32.1" on seven pages in a row is a heading; "Page 3 of 9" is not: one of its numbers moves as pages do.
    steps = [after[0] - before[0] for before, after in pairwise(places)]
    enough = MIN_SHARE * len(steps)
    if sum(_ROMAN.fullmatch(line.strip()) is not None for _, line in places) >= enough:
        return True
    if sum(before[1].split() == after[1].split() for before, after in pairwise(places)) >= enough:
        return True
    numbers = zip(*(map(int, _NUMBER.findall(line)) for _, line in places), strict=False)
    return any(
        sum(later - earlier == step for (earlier, later), step in zip(pairwise(column), steps, strict=True)) >= enough
        for column in numbers
    )


def _edge_lines(lines: Sequence[str]) -> dict[int, set[tuple[str, str]]]:
    """Maps the index of each edge line to (edge, form without numbers); on a short page a line can be at both edges."""
    filled = [index for index, line in enumerate(lines) if line.strip()]
    edges: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for edge, indices in (("top", filled[:EDGE_LINES]), ("bottom", filled[-EDGE_LINES:])):
        for index in indices:
            edges[index].add((edge, _without_numbers(lines[index])))
    return edges


def _without_numbers(line: str) -> str:
    line = " ".join(line.split())
    return "#" if _ROMAN.fullmatch(line) else _NUMBER.sub("#", line)
