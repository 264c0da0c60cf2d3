"""A corpus as numbers: its terms, and pairs of neighbouring ones, of those that are asked for. A block of chunks at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
import numpy.typing as npt

from embft.embedded_text import IndexedCorpus
from embft.text.corpus_terms import analysers_of
from embft.text.languages import Languages
from embft.text.terms import LONGEST_KEPT, MOST_KEPT, Analyser

Places = npt.NDArray[np.int64]

_BLOCK = 1 << 11
"""Chunks cut into terms at once."""


@dataclass(frozen=True)
class Numbered:
    """Some texts as the numbers of their terms; -1 stands for a term that is not asked for.

    Attributes:
        terms: int32 [n_terms], text after text; each text's context stands before its own terms.
        lengths: int64 [n_texts]: terms of each.
        contexts: int64 [n_texts]: how many of these are the context's.
    """

    terms: npt.NDArray[np.int32]
    lengths: Places
    contexts: Places

    @property
    def owners(self) -> Places:
        """int64 [n_terms]: the text that each term stands in."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @property
    def positions(self) -> Places:
        """int64 [n_terms]: each term's place in its text."""
        starts = np.cumsum(self.lengths) - self.lengths
        return np.arange(len(self.terms)) - np.repeat(starts, self.lengths)


def numbered(corpus: IndexedCorpus, languages: Languages, number_of: Callable[[str], int]) -> Iterator[Numbered]:
    """Chunks as numbers, block by block; no block reaches over the end of a shard."""
    readers = {language: _Numbers(analyser, number_of) for language, analyser in analysers_of(languages).items()}
    every = zip(corpus.own.items(), languages.each, strict=True)
    while block := list(islice(every, _BLOCK)):
        own = [readers[language].of(text) for (_, text), language in block]
        before = [readers[language].of(corpus.context(chunk_id)) for (chunk_id, _), language in block]
        contexts = np.array([len(one) for one in before], np.int64)
        lengths = contexts + np.array([len(one) for one in own], np.int64)
        terms = chain.from_iterable(chain.from_iterable(zip(before, own, strict=True)))
        yield Numbered(np.fromiter(terms, np.int32, int(lengths.sum())), lengths, contexts)


class _Numbers(dict[str, tuple[int, ...]]):
    """Runs of characters to the numbers of their terms."""

    def __init__(self, analyser: Analyser, number_of: Callable[[str], int]) -> None:
        self.analyser = analyser
        self._number_of = number_of

    def of(self, text: str) -> list[int]:
        """The numbers of a text's terms."""
        return [*chain.from_iterable(map(self.__getitem__, self.analyser.runs(text)))] if text else []

    def __missing__(self, run: str) -> tuple[int, ...]:
        numbers = tuple(map(self._number_of, self.analyser.terms_of_run(run)))
        if len(run) <= LONGEST_KEPT and len(self) < MOST_KEPT:
            self[run] = numbers
        return numbers


@dataclass(frozen=True)
class Vocabulary:
    """The terms and the pairs of neighbouring terms that are asked for.

    Attributes:
        terms: Each one's number.
        pairs: int64, sorted: the key of each pair; a pair's number is its place.
    """

    terms: Mapping[str, int]
    pairs: Places

    @classmethod
    def of(cls, questions: Sequence[Sequence[str]], pairs: Sequence[Sequence[str]]) -> Vocabulary:
        """Of some questions, given as their terms, and their pairs as "first second"."""
        terms: dict[str, int] = {}
        for question in questions:
            for term in question:
                terms.setdefault(term, len(terms))
        words = [pair.split(" ") for pair in {pair for question in pairs for pair in question}]
        return cls(terms, np.unique(np.array([_key(terms[one], terms[other]) for one, other in words], np.int64)))

    @classmethod
    def whole(cls, corpus: IndexedCorpus, languages: Languages, *, with_pairs: bool) -> Vocabulary:
        """Of a corpus: whatever may be asked."""
        terms: dict[str, int] = {}
        keys = np.zeros(0, np.int64)
        for block in numbered(corpus, languages, lambda term: terms.setdefault(term, len(terms))):
            if with_pairs:
                keys = np.union1d(keys, pairs_in(block)[0])
        return cls(terms, keys)

    def number(self, term: str) -> int:
        """A term's number; -1 where it is not asked for."""
        return self.terms.get(term, -1)

    def pair(self, pair: str) -> int:
        """The number of a pair, "first second"; -1 where it is not asked for."""
        first, second = map(self.number, pair.split(" "))
        place = int(np.searchsorted(self.pairs, _key(first, second)))
        known = min(first, second) >= 0 and place < len(self.pairs) and self.pairs[place] == _key(first, second)
        return place if known else -1


def _key(first: int, second: int) -> int:
    return first << 31 | second


def pairs_in(block: Numbered) -> tuple[Places, Places]:
    """The keys of neighbouring asked terms, and the texts that they stand in; int64 both."""
    owners = block.owners
    both = (owners[1:] == owners[:-1]) & (block.terms[1:] >= 0) & (block.terms[:-1] >= 0)
    return (block.terms[:-1][both].astype(np.int64) << 31) | block.terms[1:][both], owners[:-1][both]
