"""The labels before questions and around them, in English and Chinese: ``1.``, ``Q1:``, ``（1）``, ``一、``, ``【问题1】``."""

from __future__ import annotations

import re

WRAPPING = "\"'“”‘’「」『』«»*_`~ \t\u3000"
_LONGEST_LINE = 2000
"""Characters; what is longer is neither a question nor its label."""
_NUMBER = r"[0-9０-９]{1,3}"
_HAN = r"(?:[一二三四五六七八九十百]{1,4}|[壹贰貳叁參肆伍陆陸柒捌玖拾]{1,3}|[甲乙丙丁戊己庚辛壬癸])"
_ROMAN = r"[\u2160-\u217f]{1,3}"
_WORD = (
    r"(?:(?:follow-?up|sample|example|possible|potential|suggested|generated|search|user|test)\s+)?"
    r"(?:questions?|quest|ques|query|queries|q|问题|提问|题目|试题|問題|問い|问句|问|题|題|質問|问题描述|질문|문제|frage|pregunta|domanda|"
    r"pergunta|questão|вопрос|запитання|питання|pytanie|otázka|vraag|fråga|spørsmål|spørgsmål|kysymys|kérdés|întrebare|soru|"
    r"ερώτηση|câu hỏi|pertanyaan|سؤال|السؤال|שאלה|प्रश्न|คำถาม(?:ที่)?)"
)
_ORDINAL = (
    rf"(?:[\s._-]*(?:no\.?|number|#|№)?\s*(?:{_NUMBER}|{_HAN}|(?:one|two|three|four|five|six|seven|eight|nine|ten)\b))?"
)
# "Q-learning" and "Q.E.D." are words: a dash or a full stop has a space behind it, or a number before it.
_STOP = r"(?:[)\]〕:、：）】]|[.．](?=\s|[^\x00-\x7f])|(?<=[0-9０-９])[.．]|\s*[–—-](?=\s))"
_RANK = r"(?:first|second|third|fourth|fifth|last|[1-9](?:st|nd|rd|th)|erste|zweite|dritte|première|deuxième|primera|segunda)"
_ASKING = (
    rf"{_RANK}\s+{_WORD}\s*{_STOP}\s*",
    rf"{_WORD}\s*[(（]\s*(?:{_NUMBER}|{_HAN})\s*[)）]\s*[:：.、]?\s*",
    rf"{_WORD}{_ORDINAL}\s*=\s*(?=[\"'“])",  # an assignment of TOML or Python
    r"(?:user|human|student|reader|用户|使用者|学生|读者)\s*[:：]\s*",
    rf"[\[【(（<《]\s*{_WORD}{_ORDINAL}\s*[\]】)）>》]\s*[:：.、]?\s*",
    rf"第\s*(?:{_NUMBER}|{_HAN})\s*(?:个|個|道|条)?\s*(?:问题|題|题|问)?\s*[、，,:：.．)）]\s*",
    rf"{_WORD}{_ORDINAL}\s*[\"'*_]{{0,4}}\s*{_STOP}[\"'*_]{{0,4}}\s*",
)
_LABELS = (
    r"\#{1,6}\s+",  # a heading
    r">\s+",  # a quotation
    r"[-*+–—]\s+(?:\[[ xX]\]\s+)?",  # bullets
    r"[•·◦▪▫●○■□►▶→‣※★☆✓✔]\s*",
    "[✅☑❓❔❗💡🔹🔸👉📌⭐🔍📝🤔✏🟢🔵🔴⚪⚫🔷🔶▪◾◽➡➤➔]\ufe0f?\\s*",
    r"[①-⒛⓪-⓿❶-➓㈠-㈩㊀-㊉][.、．]?\s*",
    r"[0-9]\ufe0f?\u20e3\s*",  # keycaps
    rf"[(（\[【〔〈《「『]\s*(?:{_NUMBER}|{_HAN}|{_ROMAN}|[a-zA-Z]|[ivxIVX]{{1,4}})\s*[)）\]】〕〉》」』]\s*[.、．:：]?\s*",
    rf"{_NUMBER}\s*\\?[.)、:：．)）〕〉》」』](?![0-9０-９])\)?\s*",
    rf"{_ROMAN}\s*[.)、:：．）]\s*",
    rf"(?:no|nr|num|number)\.?\s*{_NUMBER}\s*[.):：]\s*",
    rf"{_NUMBER}\s+[-–—]\s+(?=\D)",
    rf"[#№]\s?{_NUMBER}[.):：]\s*",
    rf"{_HAN}[、．.：:）)]\s*",
    *_ASKING,
)
_LABEL = re.compile("(?:" + "|".join(_LABELS) + ")+", re.IGNORECASE)
_ASKING_LABEL = re.compile(r"^[\s#>*_\"'•-]*(?:" + "|".join(_ASKING) + ")", re.IGNORECASE)
_LETTER_BRACKET = re.compile(r"^[a-zA-Z][)）]\s*|^[ivx]{1,4}[)）]\s*")
_LETTER_DOT = re.compile(
    r"^(?:([a-zA-Z]|[ivx]{1,4}|[IVX]{1,4})[.．、]\s+|(#[0-9]{1,3})\s+|(首先|其次|再次|然后|最后|first(?:ly)?|second(?:ly)?)[，,:：]\s*)",
    re.IGNORECASE,
)
_SERIES = ({"a", "b"}, {"i", "ii"}, {"#1", "#2"}, {"首先", "其次"}, {"first", "second"}, {"firstly", "secondly"})
_NEXT_LABEL = re.compile(
    rf"(?:(?<=[?？])[ \t\u3000]+|(?<=？))"
    rf"(?=[(（]?{_NUMBER}[.)、．）](?!\d)|{_WORD}\s*{_NUMBER}\s*[.:：)]|[①-⒛]|[(（]{_HAN}[)）]|{_HAN}、)",
    re.IGNORECASE,
)
_QUOTED_LIST = re.compile(r"(?<=[\"”'’])\s*[,;，；、]\s*(?=[\"“'‘])")


def lines_of(text: str) -> list[str]:
    """The lines of a reply; a line with several labelled or quoted questions is as many lines."""
    lines: list[str] = []
    for line in text.splitlines():
        if len(line) > _LONGEST_LINE:
            lines.append(line)
            continue
        for part in _NEXT_LABEL.split(line):
            stripped = part.strip()
            whole = stripped[:1] in "\"“'‘" and stripped[-1:] in "\"”'’,;"
            lines.extend(_QUOTED_LIST.split(part) if whole else [part])
    return lines


def has_letters(lines: list[str]) -> bool:
    """True where lines are labelled a., b. or i., ii. or #1, #2: alone, such a letter may be somebody's initial."""
    labels = {
        match[match.lastindex or 1].casefold() for line in lines if (match := _LETTER_DOT.match(line.strip(WRAPPING)))
    }
    return any(series <= labels for series in _SERIES)


def unlabelled(line: str, letters: bool = False) -> str:
    """A line without labels, quotation marks and emphasis around it.

    Args:
        line: The line.
        letters: ``a.`` and ``i.`` are labels here (see `has_letters`).
    """
    text = line.strip()
    if len(text) > _LONGEST_LINE:
        return text
    while True:
        shorter = _shorter(text.strip(WRAPPING), letters).strip(WRAPPING).rstrip(",，;").strip(WRAPPING)
        if shorter == text:
            return " ".join(text.split())
        text = shorter


def is_labelled(line: str, letters: bool = False) -> bool:
    """True where a label stands before the line."""
    text = line.strip()[:_LONGEST_LINE]
    return any(_shorter(start, letters) != start for start in (text, text.strip(WRAPPING)))


def asks_by_label(line: str) -> bool:
    """True where the label says that a question follows: ``Q1:``, ``问题：``."""
    return bool(_ASKING_LABEL.match(line[:_LONGEST_LINE]))


def _shorter(text: str, letters: bool) -> str:
    match = _LABEL.match(text) or _LETTER_BRACKET.match(text) or (_LETTER_DOT.match(text) if letters else None)
    return text[match.end() :] if match else text
