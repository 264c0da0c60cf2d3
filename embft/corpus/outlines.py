"""Headings of documents: as a format names them, and where they stand in the text that was made of it.

The text is cleaned, joined and cut after a format was read, so its headings' places are looked for in the result: a line that
says the same, in order. One that is not found (its line was boilerplate, or part of a longer one) is left out.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from embft.records import Page

_LONGEST = 100
"""Characters of a heading in a path."""
_DEEPEST = 3
"""Headings in a path: the highest and the lowest say most."""
_MOST_LOOKED = 200_000
_UNDERLINED = re.compile(r"^(?=\S)(.{2,100})\n([=\-~^\"*+#`])\2{2,}[ \t]*$", re.MULTILINE)
_MARKED = re.compile(r"^(=+|\*+)[ \t]+(\S.{0,100})$", re.MULTILINE)
_TEX = re.compile(r"\\(chapter|section|subsection|subsubsection)\*?\{([^{}\n]{1,100})\}")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Heading:
    """A heading.

    Attributes:
        level: From 1, the highest.
        text: What it says.
        page: The number of the page that it is on; None where the document is one page, or nobody knows.
    """

    level: int
    text: str
    page: int | None = None


@dataclass(frozen=True)
class Outlined:
    """What was read of a format that names its headings.

    Attributes:
        title: That the file gives itself beside its headings; empty where it gives none.
    """

    text: str
    title: str = ""
    headings: tuple[Heading, ...] = ()


def with_headings(pages: Sequence[Page], outline: Sequence[Heading]) -> list[Page]:
    """A document's pages with the paths of its headings and where each begins to hold; a page starts in the path before."""
    by_page: dict[int | None, list[Heading]] = {}
    for heading in outline:
        by_page.setdefault(heading.page, []).append(heading)
    path: list[Heading] = []
    entitled = []
    for page in pages:
        own = by_page.get(page.number, []) if page.number in by_page or None not in by_page else by_page[None]
        places = [(0, _path(path))] if path else []
        for start, heading in _places(page.text, own):
            path = [above for above in path if above.level < heading.level] + [heading]
            places.append((start, _path(path)))
        entitled.append(replace(page, headings=tuple(places)))
    return entitled


def headings_of_text(text: str) -> list[Heading]:
    """The headings of a plain text in reStructuredText, AsciiDoc, Org or TeX; of other texts those that are underlined."""
    found: list[tuple[int, int, str]] = []
    marks: list[str] = []
    for match in _UNDERLINED.finditer(text):
        if match[1].strip(match[2]).strip() and len(match[0].split("\n")[1].strip()) >= 0.7 * len(match[1].strip()):
            if match[2] not in marks:
                marks.append(match[2])
            found.append((match.start(), 1 + marks.index(match[2]), match[1].strip()))
    if not found:
        found = [(match.start(), len(match[1]), match[2].strip(" =")) for match in _MARKED.finditer(text)]
        found = found if len(found) > 1 else []
    levels = {"chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4}
    found += [(match.start(), levels[match[1]], match[2]) for match in _TEX.finditer(text)]
    return [Heading(level, said) for _, level, said in sorted(found)]


def _path(path: Sequence[Heading]) -> tuple[str, ...]:
    texts = [_shortened(heading.text) for heading in path]
    return tuple(texts if len(texts) <= _DEEPEST else [texts[0], *texts[1 - _DEEPEST :]])


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[:_LONGEST].rsplit(" ", 1)[0]


def _places(text: str, headings: Iterable[Heading]) -> list[tuple[int, Heading]]:
    """Where each heading's line begins, in order."""
    starts, keys = [], []
    position = 0
    for line in text.split("\n"):
        starts.append(position)
        keys.append(_key(line))
        position += len(line) + 1
    places: list[tuple[int, Heading]] = []
    at, looked = 0, [0]
    lines: dict[str, list[int]] = {}
    for number, key in enumerate(keys):
        lines.setdefault(key, []).append(number)
    for heading in headings:
        key = _key(heading.text)
        same = lines.get(key, []) if key else []
        number = bisect_left(same, at)
        if number < len(same):
            at = same[number] + 1
            places.append((starts[same[number]], heading))
        elif key and heading.page is not None and (begins := _beginning(keys, key, at, looked)) is not None:
            at = begins + 1
            places.append((starts[begins], heading))
        elif key and heading.page is not None and not places:
            places.append((0, heading))  # an outline names the page, and the page's own words are others
    return places


def _beginning(keys: Sequence[str], key: str, at: int, looked: list[int]) -> int | None:
    """The line that a heading of an outline begins with, or that begins with it: long ones are broken, numbers left out.

    Args:
        looked: How many lines of the page were looked at so far: thousands of bookmarks of one page are none that anybody set.
    """
    for number in range(at, len(keys) if looked[0] < _MOST_LOOKED else at):
        looked[0] += 1
        line = keys[number]
        if len(line) >= 4 and (
            key.startswith(line) or line.endswith(key) or (line.startswith(key) and len(line) < 2 * len(key))
        ):
            return number
    return None


def _key(line: str) -> str:
    return " ".join(_WORD.findall(line.casefold()))
