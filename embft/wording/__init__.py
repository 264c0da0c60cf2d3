"""The report's own words in the reader's language.

English stands in the code, where it is read beside what it says; every other language is a catalogue beside this module,
as with gettext. What is written for programs (metrics.json, the tracker, the log, errors, the model card) stays English:
only what is said inside of `speaking` is in another language.

- `say` words a sentence where it is made. Its English is the catalogue's key, with named places for values.
- `retold` words a sentence that a stage wrote down in English, maybe long ago, in its result: by its place in the catalogue,
  whatever numbers and names stand in it.

A test compares code and catalogue: each sentence is in both, with the same places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from embft.wording.catalogue import Catalogue, catalogue

LANGUAGES = ("en", "zh")
"""What a report can be written in."""
_speaking: ContextVar[str] = ContextVar("speaking", default="en")


def spoken() -> str:
    """The language that is spoken here: one of `LANGUAGES`."""
    return _speaking.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Says everything inside in a language, in this thread or task."""
    before = _speaking.set(language)
    try:
        yield
    finally:
        _speaking.reset(before)


def say(text: str, /, **values: object) -> str:
    """A sentence, or a name, in the language that is spoken.

    Args:
        text: Its English: ``"{count:,} chunks"``. One that no catalogue has is said in English.
        values: What stands at its places.
    """
    own = _catalogue()
    if own is None:
        return text.format(**values) if values else text
    return own.say(text, values)


def counted(number: int, one: str, many: str) -> str:
    """A number of things: ``counted(2, "{n:,} chunk", "{n:,} chunks")``."""
    return say(one if number == 1 and _catalogue() is None else many, n=number)


def retold(text: str) -> str:
    """An English sentence that was written down, in the language that is spoken; unknown ones as they are."""
    own = _catalogue()
    return text if own is None else own.retold(text)


def listed(items: Iterable[str]) -> str:
    """``a, b, c``, or ``a、b、c``."""
    return (", " if _catalogue() is None else "、").join(items)


def joined(sentences: Iterable[str]) -> str:
    """Whole sentences, one after the other."""
    return (" " if _catalogue() is None else "").join(filter(None, sentences))


def worded(text: str) -> str:
    """Marks English that stands in a table and is said later; gives it back as it is."""
    return text


def _catalogue() -> Catalogue | None:
    language = _speaking.get()
    return None if language == "en" else catalogue(language)
