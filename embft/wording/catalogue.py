"""A catalogue: English sentences and what another language has in their place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from string import Formatter

_NUMBER = r"[-+]?[\d.,]+%?"
_TEXT = r".+?"
_KINDS = {"": _TEXT, "w": r"\S+", "o": r".*?"}
"""What a place may hold that has no number: some text; one word; a clause that is there or not."""
_FEWEST_LETTERS = 4
"""Of a sentence's own letters: with fewer, and values besides, it could be any sentence."""
_NEVER_WRITTEN = ("compare.yaml",)
"""Files of sentences that are said on a page and written down nowhere: what a stage wrote down is none of them, though a document
named "fighting against malware.pdf" looks like "{system} against {job}"."""
_HAN = "\u3400-\u9fff\uf900-\ufaff"
_SEAM = re.compile(rf"[{_HAN}]\n[A-Za-z0-9.$+\-−\[(#\"'`/@±]|[A-Za-z0-9.%+\]\)\"'`/@]\n[{_HAN}]")


@dataclass(frozen=True)
class Catalogue:
    """Sentences of a language.

    Attributes:
        sentences: English to the other language. Both have the same named places; ``!t`` after a place's name in the other
            language: what stands there is retold too.
        only_said: Those of the sentences that no text which was written down is taken for.
    """

    sentences: Mapping[str, str]
    only_said: frozenset[str] = frozenset()

    def say(self, text: str, values: Mapping[str, object]) -> str:
        """The other language's sentence with these values; the English one where there is no other."""
        if not values:
            return self.sentences.get(text, text)
        return self._filled(self.sentences.get(text, text), values)

    def retold(self, text: str) -> str:
        """What a sentence that was filled in before is in the other language; itself where it is not in here."""
        if text in self.sentences and text not in self.only_said:
            return self.sentences[text]
        for pattern, other in self._patterns:
            if match := pattern.fullmatch(text):
                return self._filled(other, match.groupdict())
        return text

    def knows(self, text: str) -> bool:
        """Whether a filled sentence is in here."""
        return text in self.sentences or any(pattern.fullmatch(text) for pattern, _ in self._patterns)

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        """Of the sentences with values: the one with the most letters of its own first."""
        found = []
        for text, other in self.sentences.items():
            letters, pattern = _pattern(text)
            if letters >= _FEWEST_LETTERS and "{" in text and text not in self.only_said:
                found.append((letters, re.compile(pattern, re.DOTALL), other))
        return [(pattern, other) for _, pattern, other in sorted(found, key=lambda row: -row[0])]

    def _filled(self, text: str, values: Mapping[str, object]) -> str:
        """A sentence with its values; a space stands between Han and Latin where the two meet."""
        parts: list[str] = []
        for literal, name, form, conversion in Formatter().parse(text):
            parts.append(literal)
            if name is not None:
                value = values[name]
                if conversion == "t":
                    value = self.retold(str(value))
                # A value that was retold is text already.
                parts.append(str(value) if isinstance(value, str) else format(value, form or ""))
        return _spaced(parts)


@cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of a language, from all files of its folder."""
    files = read(language)
    return Catalogue(
        {row["en"]: row[language] for rows in files.values() for row in rows},
        frozenset(row["en"] for name in _NEVER_WRITTEN for row in files.get(name, ())),
    )


def read(language: str) -> dict[str, list[dict[str, str]]]:
    """The files of a language: name to rows of ``en`` and the language's own."""
    import yaml

    folder = resources.files(__package__) / language
    return {
        file.name: yaml.safe_load(file.read_text(encoding="utf-8"))
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".yaml")
    }


def places(text: str) -> dict[str, str]:
    """Name and form of each place of a sentence."""
    return {name: form or "" for _, name, form, _ in Formatter().parse(text) if name is not None}


def _pattern(text: str) -> tuple[int, str]:
    """How many letters of its own a sentence has, and the pattern that finds it again with values in it."""
    letters, parts, seen = 0, [], set()
    for literal, name, form, _ in Formatter().parse(text):
        letters += sum(map(str.isalpha, literal))
        parts.append(re.escape(literal))
        if name is not None:
            what = f"(?P<{name}>{_KINDS.get(form or '', _NUMBER)})"
            parts.append(f"(?P={name})" if name in seen else what)
            seen.add(name)
    return letters, "".join(parts)


def _spaced(parts: Iterable[str]) -> str:
    text = ""
    for part in filter(None, parts):
        text += f" {part}" if text and _SEAM.fullmatch(f"{text[-1]}\n{part[0]}") else part
    return text
