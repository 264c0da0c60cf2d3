"""Index terms: what BM25, and every figure about shared words, takes for the same word.

By the script of each run of characters, and within a script by language:

- Words written with spaces are lower-cased, freed of stop words and stemmed by Snowball, where there is a stemmer.
- Chinese is cut into words by jieba.
- Japanese and Korean become pairs of neighbouring characters, as in Lucene's CJKBigramFilter: no dictionary decides, and a
  Korean noun is found whatever particle it carries.
- Thai, Lao, Khmer and Burmese are cut into words by ICU.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain, pairwise
from typing import Any

from embft.text.chinese import jieba
from embft.text.codes import DEFAULTS, scripts_of
from embft.text.scripts import HAN, HANGUL, KANA, MARKS, UNSPACED, script_of_letter
from embft.text.stop_words import stop_words
from embft.text.word_breaks import icu_words

_CUT = f"{HAN}{KANA}{HANGUL}{UNSPACED}"
# Runs of Han characters, or words with their inner apostrophes dots and underscores (10.5, __init__, don't).
_SPACED_RUNS = re.compile(rf"[{HAN}]+|[^\W{HAN}]+(?:[.'’][^\W{HAN}]+)*")
_LETTER = rf"(?:[^\W{_CUT}]|[{MARKS}\u200c\u200d])"
_WORD = rf"{_LETTER}+(?:[.'’]{_LETTER}+)*"
_RUNS = re.compile(rf"[{HAN}]+|[{KANA}]+|[{HANGUL}]+|[{UNSPACED}]+|{_WORD}")
# Japanese mixes Han and kana within a word.
_RUNS_JA = re.compile(rf"[{HAN}{KANA}\u3005\u3007]+|[{HANGUL}]+|[{UNSPACED}]+|{_WORD}")
_NEEDS_MORE = re.compile(rf"[{KANA}{HANGUL}{UNSPACED}{MARKS}\u200c\u200d]")
_COMPOSABLE = re.compile("[\u0300-\u036f\u1100-\u11ff\u3099\u309a]")
_HALF_WIDTH = re.compile("[\uff66-\uff9f]")
_UNSEEN = re.compile("[\u00ad\u200b\u2060\ufeff]")  # in questions, and in chunks of others, that nobody cleaned
_WIDE = re.compile("[\uff01-\uffdc]")
_JOINERS = str.maketrans("", "", "\u200c\u200d")
_ELIDED = re.compile(
    "^(?:[cdjlmnstv]|qu|jusqu|lorsqu|puisqu|quoiqu|quelqu|presqu|un|all|dall|dell|nell|sull|coll|gl|quest|quell|sant|anch)['’]"
    r"(?=\w\w)",
    re.IGNORECASE,
)
"""Lucene's articles of French, Italian and Catalan: l'installation and installation are one word."""
_WITH_ELISION = {"ca", "fr", "it"}
_DOTLESS = str.maketrans({"I": "ı", "İ": "i"})
LONGEST_KEPT = 24
"""Characters of a run whose terms are kept: longer ones, such as Chinese sentences, hardly come again."""
MOST_KEPT = 1 << 17
"""Runs whose terms are kept: some 20 MB."""
_SNOWBALL = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish", "fr": "french",
    "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian",
    "lt": "lithuanian", "ne": "nepali", "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip


@dataclass(frozen=True)
class Analyser:
    """Which language's rules each script is read by.

    Attributes:
        languages: Pairs of script and language.
    """

    languages: tuple[tuple[str, str], ...]

    @cached_property
    def _of(self) -> dict[str, str]:
        return dict(self.languages)

    @cached_property
    def _known(self) -> _KnownRuns:
        return _KnownRuns(self)

    def runs(self, text: str) -> list[str]:
        """A text's runs of characters, each of which gives terms regardless of its neighbours."""
        return _runs(_prepared(text, self._of), self._of)

    def terms(self, text: str, without: Collection[str] = ()) -> list[str]:
        """Index terms in order.

        Args:
            text: Any mix of languages.
            without: Words that are left out besides the stop words.
        """
        if without:
            return [term for run in self.runs(text) for term in self.terms_of_run(run, without)]
        return list(chain.from_iterable(map(self._known.__getitem__, self.runs(text))))

    def terms_of_run(self, run: str, without: Collection[str] = ()) -> Sequence[str]:
        """Index terms of one of `runs`."""
        of = self._of
        if run[0] < "\u0250":
            latin = of["Latin"]
            run = without_article(run, latin)
            if run in stop_words(latin) or run in without:
                return ()
            stem = _stemmer(latin)
            return (stem(run) if stem else run,)
        if _is_han(run[0]):
            return _cut_han(run, of["Han"])
        return tuple(term for term in _others(run, of) if term not in without)


class _KnownRuns(dict[str, Sequence[str]]):
    """Runs of characters that were cut into terms before; a collection's words are few, and stemming takes most of the time."""

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser

    def __missing__(self, run: str) -> Sequence[str]:
        terms = self._analyser.terms_of_run(run)
        if len(run) <= LONGEST_KEPT and len(self) < MOST_KEPT:
            self[run] = terms
        return terms


def words(text: str, language: str | None = None) -> list[str]:
    """Index terms of a text by the rules of one language; None: English, and each other script by its most usual one."""
    return analyser(language or "en").terms(text)


def merged(lists: Sequence[list[str]]) -> list[str]:
    """Terms of several readings of one text, each as often as the reading has it that has it most often."""
    if len(lists) == 1:
        return lists[0]
    most: Counter[str] = Counter()
    for terms in lists:
        most |= Counter(terms)
    return list(most.elements())


def plain_words(text: str) -> list[str]:
    """Words as they are written, case aside, in any language: copies and shared words are recognised by these.

    Han characters one by one, kana and Hangul in pairs, Thai and its like by ICU.
    """
    folded = text.casefold()
    if not _NEEDS_MORE.search(folded):
        return _PLAIN.findall(folded)
    words: list[str] = []
    if _HALF_WIDTH.search(folded):
        folded = unicodedata.normalize("NFKC", folded)
    for match in _RUNS.finditer(_composed(folded)):
        run = match.group()
        if _is_han(run[0]):
            words.extend(run)
        elif (script := script_of_letter(run[0])) in {"Kana", "Hangul"}:
            words.extend(pairs_of_characters(run))
        elif script in _BY_ICU:
            words.extend(icu_words(run, DEFAULTS[script]))
        else:
            words.extend(_INNER.split(run.translate(_JOINERS)))
    return words


_PLAIN = re.compile(rf"[{HAN}]|[^\W{HAN}]+")
_INNER = re.compile("[.'’]")
_BY_ICU = {"Thai", "Lao", "Khmer", "Burmese"}


def without_article(word: str, language: str) -> str:
    """A word without the article that French, Italian and Catalan write before it: l'installation."""
    return _ELIDED.sub("", word) if language in _WITH_ELISION else word


@cache
def analyser(language: str) -> Analyser:
    """The rules for texts in one language."""
    return analyser_among(language, (language,))


def pairs_of_characters(run: str) -> list[str]:
    """Each character with the next one; a single one alone."""
    return [first + second for first, second in pairwise(run)] or [run]


@cache
def analyser_among(language: str, among: tuple[str, ...]) -> Analyser:
    """The rules for a text in one of a collection's languages: its own script by its own, others by the most frequent."""
    of = dict(DEFAULTS)
    for other in (*reversed(among), language):
        of |= dict.fromkeys(scripts_of(other), other)
    return Analyser(tuple(sorted(of.items())))


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or character in "\u3005\u3007"


def _prepared(text: str, of: dict[str, str]) -> str:
    """A text in lower case, accents joined to their letters; forms of full and half width as others where Japanese is."""
    if _UNSEEN.search(text):
        text = _UNSEEN.sub("", text)
    if of["Han"] in {"ja", "ko"} and _WIDE.search(text):
        text = unicodedata.normalize("NFKC", text)
    if of["Latin"] in {"tr", "az"}:
        text = text.translate(_DOTLESS)
    if of["Arabic"] == "fa":
        text = text.replace("\u200c", " ")
    return _composed(text).lower()


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text) if _COMPOSABLE.search(text) else text


def _runs(text: str, of: dict[str, str]) -> list[str]:
    keeps_kana = of["Han"] in {"ja", "ko"}
    pattern = _RUNS_JA if keeps_kana else _RUNS if _NEEDS_MORE.search(text) else _SPACED_RUNS
    runs: list[str] = pattern.findall(text)
    return runs


def _cut_han(run: str, language: str) -> list[str]:
    if language != "zh":
        return pairs_of_characters(run)
    dropped = stop_words("zh")
    return [term for term in jieba().lcut(run) if term not in dropped]


def _others(run: str, of: dict[str, str]) -> list[str]:
    """Terms of a run that is neither Latin nor Han."""
    script = script_of_letter(run[0])
    if script in {"Kana", "Hangul"}:
        return pairs_of_characters(run)
    language = of.get(script, of["Latin"])
    dropped, stem = stop_words(language), _stemmer(language)
    if script in _BY_ICU:
        return [word for word in icu_words(run, language) if word not in dropped]
    word = run.translate(_JOINERS)
    if not word or word in dropped:
        return []
    return [stem(word) if stem else word]


@cache
def _stemmer(language: str) -> Any:
    """A function of a word; None where Snowball has no stemmer for the language."""
    import Stemmer

    name = _SNOWBALL.get(language)
    return Stemmer.Stemmer(name).stemWord if name in Stemmer.algorithms() else None
