"""Finds quotes as people copy them: by their words, in order, with gaps, where the letters alone do not lead there.

Another program copies a table with other spaces, other line ends, cells in another order, words glued together or broken at
hyphens, and without currency signs. What stays are words and numbers, and the rare ones among them say where they stand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log
from pathlib import PurePath

from rapidfuzz.distance import LCSseq

from embft.questions.quote_words import WIDE, IndexedText, index_text, join, tokens_of, unbroken
from embft.records import Page

BOUND = 0.75
"""Score from which a quote counts as found: wrong places reach .7 where a document repeats itself with other words."""

_FEWEST_TOKENS = 3
_CANDIDATES = 24  # pages that are looked at closely
_ROOM = 2.0  # how many times as long as the quote its place may be
_MOST_PLACES = 8  # what stands in more is no quote, but a table's head
_ORDER = 0.3  # of the score is for the order of the words
_LONG = 4  # characters from which a word is looked for within others
_PIECES = 4
_STRAY_LINE = 0.4  # of a line stands there: a line of which less does belongs somewhere else
_NEARLY_ALL = 0.9
_FEW_NUMBERS = 3  # of two digits or more; a quote that has them is at home only where half of them stand
_OTHER_NUMBERS = 0.6  # of the score is left elsewhere: the same sentence of another year
_COMMON = 0.2  # of the pages hold a word: it does not lead to a page
_FEWEST_LEADS = 4
_CLOSE = 0.1


@dataclass(frozen=True)
class QuotePlace:
    """Where a quote stands, or nearly.

    Attributes:
        start, end: Character span in the page's text.
        text: What stands there.
        score: 0 to 1: the share of the quote's words that stand there, rare ones counting more, times their order.
    """

    document: str
    page: int | None
    start: int
    end: int
    text: str
    score: float


@dataclass(frozen=True)
class QuoteSearch:
    """What a search gave.

    Attributes:
        places: Where the quote stands: one, or several that fit equally well; two pages where it goes over a page's end.
            Empty where none reaches `BOUND`.
        nearest: The best place below the bound, for the message.
    """

    places: tuple[QuotePlace, ...] = ()
    nearest: QuotePlace | None = None


@dataclass(frozen=True)
class _Wanted:
    """A quote: its tokens, those of each line, and what each counts."""

    tokens: list[str]
    lines: list[list[str]]
    weights: Mapping[str, float]


@dataclass(frozen=True)
class _Window:
    score: float
    first: int
    last: int
    within: IndexedText


class QuoteFinder:
    """An index of pages for quotes; a search takes time in proportion to the places of the quote's words.

    Args:
        pages: Of the corpus, those of a document side by side.
    """

    def __init__(self, pages: Sequence[Page]) -> None:
        self._pages = list(pages)

    @cached_property
    def _indexed(self) -> list[IndexedText]:
        return [index_text(number, page.text) for number, page in enumerate(self._pages)]

    @cached_property
    def _holders(self) -> dict[str, list[int]]:
        holders: dict[str, list[int]] = {}
        for number, page in enumerate(self._indexed):
            for token in set(page.tokens):
                holders.setdefault(token, []).append(number)
        return holders

    def find(self, quote: str, document: str | None = None, page: int | None = None) -> QuoteSearch:
        """Looks for a quote.

        Args:
            quote: As it was copied.
            document: Name of the document, or of its file, that it stands in; no other is looked at, where the corpus has it.
            page: Its page. The quote is looked for there first, then in the whole document: people count pages in several
                ways.
        """
        lines = [self._spelt_as_here(tokens_of(line)) for line in unbroken(quote).splitlines()]
        tokens = [token for line in lines for token in line]
        if len(tokens) < _FEWEST_TOKENS:
            return QuoteSearch()
        wanted = _Wanted(tokens, lines, {token: self._weight(token) for token in set(tokens)})
        result = QuoteSearch()
        if page is not None:
            result = self._search(wanted, self._scope(document, page))
        return result if result.places else self._search(wanted, self._scope(document, None))

    def _scope(self, document: str | None, page: int | None) -> set[int] | None:
        """Returns the pages that may be looked at, None for all."""
        if document is None and page is None:
            return None
        by_name = {
            number
            for number, one in enumerate(self._pages)
            if document is None or one.document == document or PurePath(one.document).name == PurePath(document).name
        }
        exact = {number for number in by_name if document is not None and self._pages[number].document == document}
        return {number for number in exact or by_name if page is None or self._pages[number].number == page}

    def _search(self, wanted: _Wanted, scope: set[int] | None) -> QuoteSearch:
        votes: dict[int, float] = {}
        most = _COMMON * len(self._pages)
        leads = [token for token in wanted.weights if 0 < len(self._holders.get(token, ())) <= most]
        for token, weight in wanted.weights.items():
            if scope is None and len(leads) >= _FEWEST_LEADS and len(self._holders.get(token, ())) > most:
                continue
            for number in self._holders.get(token, ()):
                if scope is None or number in scope:
                    votes[number] = votes.get(number, 0.0) + weight
        likely = sorted(votes, key=lambda number: -votes[number])[:_CANDIDATES]
        windows = [_best_window(wanted, self._indexed[number]) for number in likely]
        if not any(window.score >= BOUND for window in windows):
            firsts = {first for number in likely[: _CANDIDATES // 4] for first in (number - 1, number)}
            pairs = (join(self._indexed[one], self._indexed[one + 1]) for one in sorted(filter(self._goes_on, firsts)))
            windows += [_best_window(wanted, pair) for pair in pairs]
        if not windows:
            return QuoteSearch()
        best = max(window.score for window in windows)
        winners = [window for window in windows if window.score > best - 1e-9]
        places = [place for window in winners for place in self._places(window)]
        if best < BOUND or sum(window.score > best - _CLOSE for window in windows) > _MOST_PLACES:
            return QuoteSearch(nearest=places[0])
        return QuoteSearch(tuple(sorted(places, key=lambda place: (place.document, place.page or 0, place.start))))

    def _goes_on(self, number: int) -> bool:
        """Tells whether the next page is of the same document."""
        pages = self._pages
        return 0 <= number < len(pages) - 1 and pages[number].document == pages[number + 1].document

    def _weight(self, token: str) -> float:
        """Inverse document frequency of the pages that hold it."""
        return log(1 + (len(self._pages) + 1) / (len(self._holders.get(token, ())) + 1))

    def _places(self, window: _Window) -> Iterable[QuotePlace]:
        spans = window.within.spans[window.first : window.last + 1]
        for number in window.within.pages:
            here = [(start, end) for page, start, end in spans if page == number]
            if here:
                page, start, end = self._pages[number], here[0][0], here[-1][1]
                yield QuotePlace(page.document, page.number, start, end, page.text[start:end], round(window.score, 3))

    def _spelt_as_here(self, tokens: list[str]) -> list[str]:
        """Joins and parts words that the corpus does not have, where that gives words that it has."""
        spelt: list[str] = []
        position = 0
        while position < len(tokens):
            token = tokens[position]
            after = tokens[position + 1] if position + 1 < len(tokens) else ""
            joined = token + after
            if (
                (token not in self._holders or (after and after not in self._holders))
                and joined in self._holders
                and after
            ):
                spelt.append(joined)
                position += 2
                continue
            parts = self._parted(token, _PIECES) if token not in self._holders and len(token) >= _LONG else None
            spelt += parts or [token]
            position += 1
        return spelt

    def _parted(self, token: str, pieces: int) -> list[str] | None:
        if token in self._holders:
            return [token]
        if pieces > 1:
            for end in range(len(token) - 1, 0, -1):
                if token[:end] in self._holders and (end > 2 or token[:end].isdigit()):
                    rest = self._parted(token[end:], pieces - 1)
                    if rest:
                        return [token[:end], *rest]
        return None


def in_words(search: QuoteSearch) -> str:
    """The nearest place, for the message about a quote that was not found."""
    near = search.nearest
    if near is None:
        return ""
    where = f"'{near.document}'" + (f", page {near.page}" if near.page is not None else "")
    return f"; the nearest is in {where} ({near.score:.0%}): “{' '.join(near.text.split())[:80]}”"


def _best_window(quote: _Wanted, page: IndexedText) -> _Window:
    """Finds the stretch of a page that holds most of the quote."""
    wanted, weights = Counter(quote.tokens), quote.weights
    hits = [position for position, token in enumerate(page.tokens) if token in wanted]
    if not hits:
        return _Window(0.0, 0, 0, page)
    room = int(_ROOM * len(quote.tokens)) + 8
    held: Counter[str] = Counter()
    weight = best = 0.0
    left, span = 0, (hits[0], hits[0])
    for position in hits:
        token = page.tokens[position]
        held[token] += 1
        if held[token] <= wanted[token]:
            weight += weights[token]
        while position - hits[left] >= room or held[page.tokens[hits[left]]] > wanted[page.tokens[hits[left]]]:
            gone = page.tokens[hits[left]]
            if held[gone] <= wanted[gone]:
                weight -= weights[gone]
            held[gone] -= 1
            left += 1
        shorter = position - hits[left] < span[1] - span[0]
        if weight > best + 1e-9 or (weight > best - 1e-9 and shorter):
            best, span = max(weight, best), (hits[left], position)
    return _Window(_score(quote, page.tokens[span[0] : span[1] + 1]), *span, page)


def _score(quote: _Wanted, there: Sequence[str]) -> float:
    left = Counter(there)
    glued = "".join(there)
    shared = 0
    by_line: list[tuple[float, float]] = []  # what a line counts, and what of it is there
    for line in quote.lines:
        total = matched = 0.0
        for token in line:
            weight = quote.weights[token]
            total += weight
            if left[token] > 0:
                left[token] -= 1
                matched += weight
                shared += 1
            elif len(token) >= _LONG and not WIDE.match(token) and token in glued:
                matched += weight
        by_line.append((total, matched))
    order = 1 - _ORDER + _ORDER * (LCSseq.similarity(quote.tokens, there) / shared if shared else 1.0)
    numbers = Counter(token for token in quote.tokens if len(token) > 1 and token.isdigit())
    if numbers.total() >= _FEW_NUMBERS and 2 * (numbers & Counter(there)).total() < numbers.total():
        order *= _OTHER_NUMBERS
    whole = _share(by_line) * order
    # Running heads and notes get into a quote, and embft leaves them out of its text.
    kept = [(total, matched) for total, matched in by_line if matched >= _STRAY_LINE * total]
    if _share(kept) * order >= _NEARLY_ALL and sum(total for total, _ in kept) >= 0.5 * sum(
        total for total, _ in by_line
    ):
        return max(whole, BOUND)
    return whole


def _share(lines: Sequence[tuple[float, float]]) -> float:
    total = sum(total for total, _ in lines)
    return sum(matched for _, matched in lines) / total if total else 0.0
