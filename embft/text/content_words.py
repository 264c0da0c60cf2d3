"""The words of a text: how many there are, and which of them carry meaning.

`embft.text.terms` has the terms that BM25 indexes; here are words as a reader counts them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

from embft.text.chinese import jieba
from embft.text.scripts import HAN, HANGUL, KANA, MARKS, UNSPACED, script_of_letter
from embft.text.stop_words import function_words, stop_words
from embft.text.terms import without_article
from embft.text.word_breaks import icu_words

_WORD = re.compile(f"[{HAN}]+|[A-Za-z0-9_][A-Za-z0-9_'’.+#/-]*[A-Za-z0-9_+#]|[A-Za-z0-9_]")
_CUT = f"{HAN}{KANA}{HANGUL}{UNSPACED}"
_LETTER = rf"(?:[^\W{_CUT}]|[{MARKS}\u200c\u200d])"
_JAPANESE = re.compile(f"[{KANA}]")
_WORD_OF_ALL = re.compile(
    rf"[{HAN}]+|[{HANGUL}]+|[{UNSPACED}]+|[{KANA}{HAN}]+|{_LETTER}(?:{_LETTER}|['’.+#/-])*(?:{_LETTER}|[+#])|{_LETTER}"
)
_WORD_JA = re.compile(_WORD_OF_ALL.pattern.removeprefix(rf"[{HAN}]+|"))
_HIRAGANA = re.compile("[\u3041-\u309f]+")
_WITHOUT_SPACES = re.compile(f"[{UNSPACED}]+|[{HAN}{KANA}]+")
_KEPT = 4096
"""Texts whose words are kept: many questions are about one passage."""

STOP_WORDS = frozenset(
    """a about above after again all also although am an and any are as at be because been before being below between both
    but by can cannot could did do does doing during each either for from further had has have having he her here hers him
    his how however i if in into is it its itself just may me might more most must my neither no nor not now of off on once
    one only or other our ours out over own same shall she should so some such than that the their theirs them then there
    therefore these they this those through thus to too under until up upon us very was we were what when where which while
    who whom whose why will with within without would you your yours see following e.g i.e etc example note used use using
    two new well many several including include includes""".split()
)
STOP_WORDS_ZH = frozenset(
    "的 了 和 是 在 与 及 或 等 也 都 就 而 对 于 中 为 以 其 之 所 并 将 被 由 从 到 把 向 这 那 有 不 应 "
    "可以 应当 按照 根据 进行 以及 或者 一 个 该 本 各 上 下 内 外 前 后 时 者 依照 规定 有关 下列 情形 予以".split()
)


def content_words(text: str, language: str | None = None) -> list[str]:
    """Words that carry meaning, in order, as they are written; stop words and lone digits left out.

    Args:
        text: Any text.
        language: Of words in Latin, Cyrillic, Arabic... letters; None: English. Other scripts speak for themselves.
    """
    words: list[str] = []
    stop = _stop_words(language or "en")
    for match in _word_pattern(text, language).finditer(unicodedata.normalize("NFC", text)):
        word = without_article(match.group().rstrip(".'’-/"), language or "en")
        script = "Latin" if word < "\u0250" else script_of_letter(word[0])
        if script in {"Han", "Kana"}:
            words.extend(_words_of_han(word))
        elif script in {"Thai", "Lao", "Khmer", "Burmese"}:
            own = {"Thai": "th", "Lao": "lo", "Khmer": "km", "Burmese": "my"}[script]
            words.extend(term for term in icu_words(word, own) if len(term) > 1 and term not in stop_words(own))
        elif script == "Hangul":
            if len(word) > 1 and word not in function_words("ko"):
                words.append(word)
        elif len(word) > 1 and word.lower() not in stop and not word.isdigit():
            words.append(word)
    return words


def _word_pattern(text: str, language: str | None) -> re.Pattern[str]:
    if text.isascii():
        return _WORD
    return _WORD_JA if language == "ja" or _JAPANESE.search(text) else _WORD_OF_ALL


@cache
def _stop_words(language: str) -> frozenset[str]:
    return STOP_WORDS if language in {"en", "ja", "ko", "zh"} else stop_words(language)


def _words_of_han(run: str) -> list[str]:
    """Words of a run of Han characters by jieba, of one with kana by ICU; endings and particles in hiragana left out."""
    if not _JAPANESE.search(run):
        return [term for term in jieba().lcut(run) if len(term) > 1 and term not in STOP_WORDS_ZH]
    return [term for term in icu_words(run, "ja") if len(term) > 1 and not _HIRAGANA.fullmatch(term)]


def word_count(text: str) -> int:
    """Words: between spaces; where there are none, jieba cuts Chinese, and ICU Japanese, Thai and its like."""
    count = 0
    for run in _WITHOUT_SPACES.findall(text):
        if _JAPANESE.search(run):
            count += len(icu_words(run, "ja"))
        elif script_of_letter(run[0]) == "Han":
            count += len(jieba().lcut(run))
        else:
            count += len(icu_words(run, "th"))
    return count + sum(any(map(str.isalnum, word)) for word in _WITHOUT_SPACES.sub(" ", text).split())


def words_shared(question: str, passage: str, language: str | None = None) -> float:
    """Share of a question's content words that its passage has too, case aside: the one measure of how much it repeats."""
    asked = _distinct(question, language)
    return len(asked & _distinct(passage, language)) / len(asked) if asked else 0.0


@lru_cache(maxsize=_KEPT)
def _distinct(text: str, language: str | None) -> frozenset[str]:
    return frozenset(word.lower() for word in content_words(text, language))
