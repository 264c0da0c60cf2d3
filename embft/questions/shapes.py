"""Replies with a structure: JSON and its relatives, XML tags, Markdown and CSV tables. Which of their texts are questions."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field

from embft.questions.loose_json import Pairs, Value, read_value

_QUESTION_KEYS = frozenset(
    "question questions query queries q qs questiontext questionstring questioncontent generatedquestion "
    "generatedquestions generatedquery searchquery searchqueries userquery userquestion syntheticquestion "
    "syntheticquery hypotheticalquestion hypotheticalquestions faq 问题 提问 问 问句 题目 疑问 查询 問題 質問 질문 frage "
    "fragen pregunta preguntas domanda domande pergunta perguntas вопрос вопросы 问题列表 questionlist "
    "questionslist pytanie otázka vraag fråga soru 문제".split()
)
_SECOND_KEYS = frozenset("instruction input prompt user human ask header heading".split())
"""Questions where nothing better is there: instruction and output, user and assistant."""
_SPEAKER = frozenset(["role", "from", "speaker"])
_PLAIN_KEYS = frozenset("text content value string title name item body".split())
_OTHER_KEYS = frozenset(
    "answer answers a ans as assistant gpt bot explanation reason reasoning rationale "
    "evidence context passage source sources quote reference references difficulty type types category tag tags keywords "
    "topic summary note notes id index number error errors message detail code status thought thoughts thinking "
    "analysis comment metadata meta description schema properties required format example examples "
    "答案 回答 答 解析 说明 依据 原文 理由 解释 参考 来源 类型 难度 思考 分析 答え 回答例 답변 antwort respuesta".split()
)
_ASKS = ("?", "？", "؟", ";?", "⸮")
_OPENING = re.compile(
    r"(?:^|[:：>]|^[ \t]*(?:(?:const|let|var|val|final)[ \t]{1,9})?[A-Za-z_]\w{0,40}[ \t]{0,9}=)[ \t]*"
    r"(?:(?:[-*•+]|[(（]?\d{1,3}[.):、）])[ \t]*)?([\[{(])",
    re.MULTILINE,
)
_LOOKS_LIKE_DATA = re.compile(r"[\[{(](?:\s|//[^\n]*\n|#[^\n]*\n)*(?:[\"'“‘「『\[{]|\w{1,40}\s*[:：]|\Z|[\]}])")
_KEY = re.compile(r"[\s_\-.#*]+|\d+$|[:：]$")
_TAG = re.compile(
    r"<(?P<slash>/?)(?P<name>question|query|q|问题|item|(?P<other>answer|ans|explanation|reason|reasoning|evidence|context|passage|"
    r"答案|解析))(?:[_-]?\d{1,3})?(?:\s[^<>]{0,100})?/?>",
    re.IGNORECASE,
)
_ANY_TAG = re.compile(r"</?[A-Za-z][^<>]{0,100}>")
_RULE = re.compile(r"^\s*\|?\s*:?-{1,100}:?\s*(?:\|\s*:?-{1,100}:?\s*){0,30}\|?\s*$")
_CELL = re.compile(r"(?<!\\)\|")
_HEADER = re.compile(r"^\s*[\"']?[\w# ]{1,30}[\"']?\s*([,\t;])\s*[\"']?[\w# ]{1,30}")
_LONGEST_LINE = 2000


@dataclass
class Shape:
    """What a structured reply holds.

    Attributes:
        texts: Its questions, labels and all.
        unknown: Texts in places that no form of a reply has for questions.
        outside: The reply's text around the structure.
    """

    texts: list[str] = field(default_factory=list)
    unknown: int = 0
    outside: str = ""


def asks(text: str) -> bool:
    """True where a text ends with a question mark, before any closing signs."""
    return text.rstrip("\"'”’」』)）]*_ \t").endswith(_ASKS)


def from_json(text: str) -> Shape | None:
    """Every list and object that begins a line or follows a colon: one reply, or JSON Lines. None where there is none."""
    shape = Shape()
    outside: list[str] = []
    position, is_data = 0, False
    while (opening := _OPENING.search(text, position)) is not None:
        start = opening.start(1)
        if not _LOOKS_LIKE_DATA.match(text, start, min(len(text), start + 100)):
            outside.append(text[position : start + 1])
            position = start + 1
            continue
        value, end = read_value(text, start)
        following = text[end : end + 80].lstrip(" \t")
        inner = Shape()
        _collect(value, inner)
        if following[:1].isalpha() and not any(asks(item) for item in inner.texts):
            outside.append(text[position:end])  # brackets of a sentence: ["a", "b"] is a list of what?
        else:
            outside.append(text[position:start])
            is_data = True
            shape.texts.extend(inner.texts)
            shape.unknown += inner.unknown + (value is None)
        position = end
    if not is_data:
        return None
    shape.outside = "\n".join([*outside, text[position:]])
    return shape


def _collect(value: Value, shape: Shape, asked: bool = False, place: str = "list") -> None:
    """Adds the questions of a value; ``asked``: it stands under a key for questions."""
    if value is None:
        return
    if isinstance(value, str):
        if asked or place == "list" or (place == "plain" and asks(value)):
            shape.texts.append(value)
        elif value.strip():
            shape.unknown += 1
    elif isinstance(value, list):
        _collect_list(value, shape, asked, place)
    else:
        _collect_object(value, shape, asked)


def _collect_list(values: list[Value], shape: Shape, asked: bool, place: str) -> None:
    inner = "plain" if place == "plain" else "list"
    texts = [value for value in values if isinstance(value, str)]
    if inner == "list" and len(texts) == len(values) > 1 and place == "pair" and asks(texts[0]):
        # ["Why?", "Because."]: a question and its answer, or several questions.
        shape.texts.extend(text for text in texts if asks(text))
        return
    for value in values:
        _collect(value, shape, asked, "pair" if isinstance(value, list) and inner == "list" else inner)


def _collect_object(pairs: Pairs, shape: Shape, asked: bool) -> None:
    named = [(_plain_key(key), key, value) for key, value in pairs.items]
    if any(name in _SPEAKER for name, _, _ in named):
        role = next((value for name, _, value in named if name in _SPEAKER), None)
        if not (isinstance(role, str) and role.casefold() in {"user", "human"}):
            return
        named = [
            ("question", key, value) if name in {"content", "text", "value"} else (name, key, value)
            for name, key, value in named
        ]
    for keys in (_QUESTION_KEYS, _SECOND_KEYS):
        chosen = [value for name, _, value in named if name in keys and value is not None]
        for item in chosen:
            _collect(item, shape, asked=True)
        if chosen:
            return
    for name, key, value in named:
        if asks(key):
            shape.texts.append(key)  # the question itself is the key of its answer
        elif name in _OTHER_KEYS:
            continue
        elif isinstance(value, str):
            _collect(value, shape, asked and name in _PLAIN_KEYS, "list" if not name else "plain")
        else:
            _collect(value, shape, False, "list" if isinstance(value, list) and _is_list_of_texts(value) else "plain")


def _is_list_of_texts(values: list[Value]) -> bool:
    return any(isinstance(value, str) and asks(value) for value in values)


def _plain_key(key: str) -> str:
    """``Question_1`` and ``问题1：`` as ``question`` and ``问题``; a number alone as an empty text."""
    name = key.strip().casefold()
    while (shorter := _KEY.sub("", name)) != name:
        name = shorter
    return name


def from_tags(text: str) -> Shape | None:
    """The texts between ``<question>`` tags; what stands in ``<answer>`` is passed over. None without such tags."""
    shape = Shape()
    outside: list[str] = []
    begun: int | None = None
    position, is_tagged, skipping = 0, False, False

    def close(end: int) -> None:
        if begun is not None:
            inner = _ANY_TAG.sub(" ", text[begun:end]).strip()
            shape.texts.append(inner)

    for match in _TAG.finditer(text):
        if begun is None and not skipping:
            outside.append(text[position : match.start()])
        close(match.start())
        opens = not match["slash"]
        begun = match.end() if opens and not match["other"] else None
        skipping = bool(opens and match["other"])
        is_tagged = is_tagged or (opens and not match["other"])
        position = match.end()
    if not is_tagged:
        return None
    if begun is not None:
        rest = text[begun:].strip()
        if asks(rest):
            shape.texts.append(_ANY_TAG.sub(" ", rest).strip())
        elif rest:
            shape.unknown += 1
    elif not skipping:
        outside.append(text[position:])
    shape.texts = [item for item in shape.texts if item]
    shape.outside = "\n".join(outside)
    return shape


def from_table(text: str) -> Shape | None:
    """The questions of a Markdown table, or of lines with commas below a header; None where there is no table."""
    lines = text.splitlines()
    rule = next(
        (at for at, line in enumerate(lines) if at and "|" in line and len(line) < _LONGEST_LINE and _RULE.match(line)),
        None,
    )
    if rule is not None:
        return _from_markdown(lines, rule)
    first = next((at for at, line in enumerate(lines) if line.strip()), None)
    if first is None or len(lines[first]) > _LONGEST_LINE:
        return None
    if header := _HEADER.match(lines[first]):
        return _from_csv(lines, first, header[1])
    return None


def _from_markdown(lines: list[str], rule: int) -> Shape:
    header = _cells(lines[rule - 1])
    last = rule + 1
    while last < len(lines) and "|" in lines[last]:
        last += 1
    rows = [_cells(line) for line in lines[rule + 1 : last] if len(line) <= _LONGEST_LINE]
    shape = _from_columns(header, rows)
    shape.unknown += last - rule - 1 - len(rows)
    shape.outside = "\n".join([*lines[: rule - 1], *lines[last:]])
    return shape


def _from_csv(lines: list[str], first: int, separator: str) -> Shape | None:
    try:
        rows = list(csv.reader(lines[first:], delimiter=separator))
    except csv.Error:
        return None
    if not any(_plain_key(name) in _QUESTION_KEYS for name in rows[0]):
        return None
    return _from_columns(rows[0], [row for row in rows[1:] if len(row) > 1])


def _from_columns(header: list[str], rows: list[list[str]]) -> Shape:
    named = [at for at, name in enumerate(header) if _plain_key(name.strip("*_` ")) in _QUESTION_KEYS]
    width = max([len(header), *map(len, rows)])
    if not named:
        asking = {at: sum(at < len(row) and asks(row[at]) for row in rows) for at in range(width)}
        best = max(asking, key=lambda at: asking[at]) if rows else 0
        named = [best] if rows and asking[best] else []
    shape = Shape()
    for row in rows:
        texts = [row[at] for at in named if at < len(row) and row[at].strip()]
        shape.texts.extend(texts)
        shape.unknown += not texts and any(cell.strip() for cell in row)
    return shape


def _cells(line: str) -> list[str]:
    cells = _CELL.split(line.strip())
    start = 1 if cells and not cells[0].strip() else 0
    end = len(cells) - 1 if len(cells) > 1 and not cells[-1].strip() else len(cells)
    return [cell.replace("\\|", "|").strip() for cell in cells[start:end]]
