"""Sentences and words of English and Chinese text: what the generation without an LLM works on."""

from __future__ import annotations

import re

from embft.text.chinese import jieba

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_CHINESE = re.compile(f"[{_HAN}]")
# A stop ends a sentence before white space and a capital, digit, quote or bracket; Chinese stops end it anywhere.
_ENDS = re.compile(r"(?<=[.?!])[\"”’)]*\s+(?=[\"“‘(]?[A-Z0-9])|(?<=[。！？；])|\n{2,}|\n(?=\s*[•*–-]\s)")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|cf|No|Mr|Ms|Dr|Inc|Corp|Ltd|Co|U\.S|Fig|Sec)|\b[A-Z])\.$")
_WORD = re.compile(f"[{_HAN}]+|[A-Za-z0-9_][A-Za-z0-9_'’.+#/-]*[A-Za-z0-9_+#]|[A-Za-z0-9_]")

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


def is_chinese(text: str) -> bool:
    """True where a good part of the letters are Han characters."""
    letters = sum(character.isalpha() for character in text)
    return letters > 0 and len(_CHINESE.findall(text)) > 0.3 * letters


def sentences(text: str) -> list[str]:
    """Splits a chunk into sentences, white space made single."""
    found: list[str] = []
    for piece in _ENDS.split(text):
        sentence = " ".join(piece.split())
        if not sentence:
            continue
        if found and _ABBREVIATION.search(found[-1]):
            found[-1] += " " + sentence
        else:
            found.append(sentence)
    return found


def content_words(text: str) -> list[str]:
    """Words that carry meaning, in order, as they are written; stop words and lone digits left out."""
    words: list[str] = []
    for match in _WORD.finditer(text):
        word = match.group().rstrip(".'’-/")
        if _CHINESE.match(word):
            words.extend(term for term in jieba().lcut(word) if len(term) > 1 and term not in STOP_WORDS_ZH)
        elif len(word) > 1 and word.lower() not in STOP_WORDS and not word.isdigit():
            words.append(word)
    return words


def cut_chinese(text: str, most: int) -> str:
    """The first words of a Chinese text, at most ``most`` characters, no word cut in two."""
    kept = ""
    for word in jieba().lcut(text):
        if len(kept) + len(word) > most:
            break
        kept += word
    return kept or text[:most]
