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
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from typing import Any

from embft.text.chinese import jieba
from embft.text.codes import DEFAULTS, scripts_of
from embft.text.languages import Languages, language_of_question, languages_of
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

    def terms(self, text: str, without: Collection[str] = ()) -> list[str]:
        """Index terms in order.

        Args:
            text: Any mix of languages.
            without: Words that are left out besides the stop words.
        """
        kept: list[str] = []
        of = self._of
        latin, han = of["Latin"], of["Han"]
        dropped, stem, elides = stop_words(latin), _stemmer(latin), latin in _WITH_ELISION
        for run in _runs(_prepared(text, of), of):
            first = run[0]
            if first < "\u0250":
                if elides:
                    run = without_article(run, latin)
                if run not in dropped and run not in without:
                    kept.append(stem(run) if stem else run)
            elif _is_han(first):
                kept.extend(_cut_han(run, han))
            else:
                kept.extend(term for term in _others(run, of) if term not in without)
        return kept


@dataclass(frozen=True)
class CorpusTerms:
    """The terms of a corpus, and how questions to it are cut.

    A chunk is cut by the rules of its own language. A question may be about a chunk in any of the corpus's languages, and an
    English name stands in German chunks too; so its words are stemmed by the rules of each of them, and count in any form.
    Where its own language can be told, that one's stop words are left out of all ("die" in a German question does not ask
    for English chunks about dying). A corpus in one language, or one in English and Chinese, has one set of rules.

    Attributes:
        chunks: A list of terms each.
    """

    chunks: list[list[str]]
    languages: Languages

    @classmethod
    def of(cls, texts: Sequence[str], declared: str = "auto") -> CorpusTerms:
        """Finds the languages of texts and cuts them.

        Args:
            texts: Chunks.
            declared: A language that all are in; ``auto``: look.
        """
        languages = languages_of(texts, declared)
        readers = {language: _analyser_in(language, languages.all) for language in languages.all}
        return cls(
            [readers[language].terms(text) for text, language in zip(texts, languages.each, strict=True)], languages
        )

    def of_contexts(self, contexts: Sequence[str]) -> list[list[str]]:
        """The terms of each chunk's context, cut by the rules for that chunk."""
        cut: dict[tuple[str, str], list[str]] = {}
        for language, context in zip(self.languages.each, contexts, strict=True):
            if (language, context) not in cut:
                cut[language, context] = _analyser_in(language, self.languages.all).terms(context)
        return [cut[key] for key in zip(self.languages.each, contexts, strict=True)]

    def question(self, text: str) -> list[list[str]]:
        """A question's terms by the rules of each language of the corpus; one list where they have the same rules."""
        readers = self._readers
        if len(readers) == 1:
            return [next(iter(readers.values())).terms(text)]
        asked_in = language_of_question(text, self.languages.all)
        without = stop_words(asked_in) if asked_in else frozenset()
        return [reader.terms(text, without) for reader in readers.values()]

    @cached_property
    def _readers(self) -> dict[Analyser, Analyser]:
        every = [_analyser_in(language, self.languages.all) for language in self.languages.all]
        return {reader: reader for reader in every}


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
    return _analyser_in(language, (language,))


def pairs_of_characters(run: str) -> list[str]:
    """Each character with the next one; a single one alone."""
    return [first + second for first, second in pairwise(run)] or [run]


@cache
def _analyser_in(language: str, among: tuple[str, ...]) -> Analyser:
    """The rules for a text in one of a collection's languages: its own script by its own, others by the most frequent."""
    of = dict(DEFAULTS)
    for other in (*reversed(among), language):
        of |= dict.fromkeys(scripts_of(other), other)
    return Analyser(tuple(sorted(of.items())))


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or character in "\u3005\u3007"


def _prepared(text: str, of: dict[str, str]) -> str:
    """A text in lower case, accents joined to their letters; forms of full and half width as others where Japanese is."""
    if of["Han"] in {"ja", "ko"} and _WIDE.search(text):
        text = unicodedata.normalize("NFKC", text)
    if of["Latin"] in {"tr", "az"}:
        text = text.translate(_DOTLESS)
    if of["Arabic"] == "fa":
        text = text.replace("\u200c", " ")
    return _composed(text).lower()


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text) if _COMPOSABLE.search(text) else text


def _runs(text: str, of: dict[str, str]) -> Iterator[str]:
    keeps_kana = of["Han"] in {"ja", "ko"}
    pattern = _RUNS_JA if keeps_kana else _RUNS if _NEEDS_MORE.search(text) else _SPACED_RUNS
    for match in pattern.finditer(text):
        yield match.group()


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
