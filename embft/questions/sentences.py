"""Sentences and words of text in any language: what the generation without an LLM works on."""

from __future__ import annotations

import re

from embft.text.chinese import jieba
from embft.text.scripts import HAN, KANA, LOWER

_HAN = HAN
_CHINESE = re.compile(f"[{_HAN}]")
# A stop ends a sentence before white space and a capital, digit, quote or bracket; Chinese stops end it anywhere.
_ENDS = re.compile(r"(?<=[.?!])[\"”’)]*\s+(?=[\"“‘(]?[A-Z0-9])|(?<=[。！？；])|\n{2,}|\n(?=\s*[•*–-]\s)")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|cf|No|Mr|Ms|Dr|Inc|Corp|Ltd|Co|U\.S|Fig|Sec)|\b[A-Z])\.$")
# The same for every other script: any letter but a small one may begin a sentence, and each script has its own stops
# (Japanese 。, Arabic ؟, Urdu ۔, Hindi ।, Ethiopic ።, Burmese ။, Khmer ។, Armenian ։).
_ENDS_OF_ALL = re.compile(
    rf"(?<=[.?!…])[\"”’“»)\]]*\s+(?=[\"“„‘«‹(\[¿¡]*[^\W{LOWER}_])"
    r"|(?<=[。！？])(?![」』）”’])\s*|(?<=[。！？][」』）”’])\s+"
    r"|(?<=[।॥۔؟።፧။។៕։])(?![\"”’»)])\s*"
    r"|\n{2,}|\n(?=\s*(?:[•*–・·-]|\d+[.)])\s)"
)
_GREEK_QUESTION = re.compile("(?<=[;\u037e])\\s+")
_ABBREVIATION_OF_ALL = re.compile(
    r"(?:\b(?:e\.\s?g|i\.\s?e|etc|vs|cf|No|Mr|Ms|Mrs|Dr|Prof|Inc|Corp|Ltd|Co|Fig|Sec|St"
    r"|z\.\s?B|d\.\s?h|u\.\s?a|u\.\s?U|i\.\s?d\.\s?R|o\.\s?ä|bzw|usw|ca|vgl|Nr|Abb|Kap|Abs|Bd|Hr|Fr|ggf|evtl|inkl|sog|gem"
    r"|p\.\s?ex|Mme|art|fig|chap|env|vol|pp|Sra?|p\.\s?ej|núm|pág|ecc|dott|sig|bijv|d\.\s?w\.\s?z|o\.\s?a|dhr|mevr|enz"
    r"|np|tzn|itd|itp|tj|např|atd|napr|т\.\s?е|т\.\s?д|т\.\s?п|др|рис|см|стр|напр|m\.\s?m|f\.\s?eks|t\.\s?ex|bl\.\s?a|esim"
    r"|mm|vb|örn|pl|stb)|\b[^\W\d_])\.$"
)
_ORDINAL = re.compile(r"\b\d{1,2}\.$")
_WITH_ORDINALS = {"bs", "cs", "da", "de", "et", "fi", "hr", "hu", "is", "lv", "no", "pl", "sk", "sl", "sr", "tr"}
"""Languages that write 3. for third."""
_WITHOUT_STOPS = {"lo", "th"}
_CLAUSE = 80
"""Characters of Thai from which a space, where a reader pauses, counts as the end of a sentence."""
_JAPANESE = re.compile(f"[{KANA}]")
_SECTION_WORDS = (
    "sections?|chapters?|abschnitte?|kapitel|chapitres?|rubrique|secci[oó]n|cap[ií]tulo|sezione|capitolo|se[cç][aã]o|paragraaf|"
    "hoofdstuk|rozdział|раздел\\w*|глав\\w*|avsnitt|afsnit|luku"
)
_NUMBER = r"(?:[A-Z]\.)?\d+(?:\.\d+)+\.?"
_CAPTIONS = (
    "tabelle|tableau|tables?|tabla|tabella|tabela|tabel|figures?|figura|abbildung|abb\\.|bild|таблица|рис\\.|рисунок"
)
NUMBERING = re.compile(
    rf"^\s*(?:(?:{_SECTION_WORDS}|{_CAPTIONS})\s+\d[\d.]*|{_NUMBER}|[表図图圖표]\s?\d+(?:[.-]\d+)*|"
    r"第?\s*\d+(?:\.\d+)*\s*[章節节절장])[:.、,]?\s+",
    re.IGNORECASE,
)
"""The number of a section, a table or a figure before its title."""
_REFERENCE = re.compile(
    rf"\b(?:{_SECTION_WORDS})\s+(?:(?:[A-Z]\.)?\d+(?:\.\d+){{2,}},?\s*|{_NUMBER}(?:,\s*|\s*(?=[“„«「\"‘])))"
    rf"|(?<=[「„“«\"]){_NUMBER}\s|第?\s*{_NUMBER}\s*[章節节절장]\s*",
    re.IGNORECASE,
)
"""A pointer to another section by number and title: its title is what says something."""


def is_chinese(text: str) -> bool:
    """True where a good part of the letters are Han characters and hardly any are kana."""
    letters = sum(character.isalpha() for character in text)
    han = len(_CHINESE.findall(text))
    return letters > 0 and han > 0.3 * letters and len(_JAPANESE.findall(text)) <= 0.1 * han


def sentences(text: str, language: str | None = None) -> list[str]:
    """Splits a chunk into sentences, white space made single.

    Args:
        text: A chunk.
        language: None: English or Chinese.
    """
    if language in {None, "en", "zh"}:
        return _joined(_ENDS.split(text), _ABBREVIATION)
    pieces = _ENDS_OF_ALL.split(text)
    if language == "el":
        pieces = [part for piece in pieces for part in _GREEK_QUESTION.split(piece)]
    whole = _joined(pieces, _ABBREVIATION_OF_ALL, ordinals=language in _WITH_ORDINALS)
    return [part for sentence in whole for part in _pauses(sentence)] if language in _WITHOUT_STOPS else whole


def _joined(pieces: list[str], abbreviation: re.Pattern[str], *, ordinals: bool = False) -> list[str]:
    """Pieces as sentences; one that ends with an abbreviation continues in the next."""
    whole: list[str] = []
    for piece in pieces:
        sentence = " ".join(piece.split())
        if not sentence:
            continue
        if whole and (abbreviation.search(whole[-1]) or (ordinals and _ORDINAL.search(whole[-1]))):
            whole[-1] += " " + sentence
        else:
            whole.append(sentence)
    return whole


def _pauses(sentence: str) -> list[str]:
    """Clauses of a language that ends no sentence by a sign."""
    clauses = [""]
    for part in sentence.split(" "):
        if len(clauses[-1]) >= _CLAUSE:
            clauses.append("")
        clauses[-1] = f"{clauses[-1]} {part}".strip()
    return clauses


def without_numbers(sentence: str) -> str:
    """A sentence without its section number, and without those of the sections that it points at."""
    return (
        " ".join(_REFERENCE.sub(" ", NUMBERING.sub("", sentence)).split())
        if any(map(str.isdigit, sentence))
        else sentence
    )


def cut_to(text: str, most: int, language: str = "zh") -> str:
    """The first words of a text without spaces, at most ``most`` characters, no word cut in two."""
    kept = ""
    words = jieba().lcut(text) if language == "zh" else _pieces(text, language)
    for word in words:
        if len(kept) + len(word) > most:
            break
        kept += word
    return kept or text[:most]


def _pieces(text: str, language: str) -> list[str]:
    from icu4py.breakers import WordBreaker

    return list(WordBreaker(text, language))
