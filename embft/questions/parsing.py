"""Replies of LLMs to lists of questions, whatever form they chose."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_FENCE = re.compile(r"```[\w-]*\n?|```")
# "1.", "1)", "(1)", "Q1:", "Question 1 -", "问题1：", "第1题：", "-", "*", "•"
_LABEL = re.compile(
    r"^(?:[-*•·]\s+|\(?\d{1,3}[.)、:：](?!\d)\)?\s*|(?:q|question|query|问题|第)\s*\d{0,3}\s*(?:题)?\s*[.):：、-]\s*)+",
    re.IGNORECASE,
)
_ANSWER = re.compile(r"^(?:a|answer|ans|explanation|note|答案|答|解析|说明)\s*\d*\s*[.):：]", re.IGNORECASE)
_CHATTER = re.compile(
    r"^(?:sure|certainly|of course|okay|ok|here (?:are|is)|the following|below are|i hope|let me know|these questions|"
    r"hope this|as requested|based on the (?:context|passage)[^?]*:|好的|当然|以下|这里是|下面是|希望)",
    re.IGNORECASE,
)
# Several sentences that ask nothing, or somebody speaking of himself: a small model that talks in place of asking.
_PROSE = re.compile(r"[.!]\s+[A-Z]|[。！].|^(?:I|I['’]\w+|The task|My)\s")
_LONGEST = 300
"""Characters; what is longer is an essay."""
_WRAPPING = "\"'“”‘’«»*_` \t"


@dataclass(frozen=True)
class Parsed:
    """What a reply holds.

    Attributes:
        questions: At most as many as were asked for, each once.
        chatter: Lines that are no question.
        duplicates: Questions that stood more than once.
        surplus: Questions beyond the number asked for.
    """

    questions: tuple[str, ...]
    chatter: int
    duplicates: int
    surplus: int


def parse_reply(reply: str, count: int) -> Parsed:
    """Reads JSON lists, fenced or not, and numbered, bulleted, quoted or plain lines, whole or cut off.

    Args:
        reply: The LLM's text.
        count: Questions asked for.
    """
    strings = _json_strings(reply)
    lines = _FENCE.sub("\n", reply).splitlines() if strings is None else strings
    # Where some lines are marked as items or questions, a statement that is neither is talk around them.
    marked = strings is None and any(_is_marked(line) for line in lines)
    chatter = 0
    found: list[str] = []
    for line in lines:
        question = _clean(line)
        if not question:
            continue
        unmarked = strings is None and not _is_marked(line)
        if _is_chatter(question) or (unmarked and (marked or _is_prose(question))) or len(question) > _LONGEST:
            chatter += 1
        else:
            found.append(question)
    distinct = list({_key(question): question for question in reversed(found)}.values())[::-1]
    return Parsed(tuple(distinct[:count]), chatter, len(found) - len(distinct), max(0, len(distinct) - count))


def _json_strings(reply: str) -> list[str] | None:
    """The strings of the first JSON list or object in a reply; None where there is none.

    A list that was cut off gives the strings that are whole.
    """
    text = _FENCE.sub("", reply).strip()
    # At the start of a line or after a colon; elsewhere brackets belong to a question: "Is ['a', 'b'] a list?"
    opening = re.search(r"(?:^|:)\s*([\[{])", text, re.MULTILINE)
    if opening is None:
        return None
    start = opening.start(1)
    try:
        value, _ = json.JSONDecoder().raw_decode(text[start:])
    except json.JSONDecodeError:
        if not re.match(r'[\[{]\s*["{\[]', text[start:]):
            return None
        whole = re.findall(r'"((?:[^"\\]|\\.)*)"\s*(?=[,\]}])', text[start:])
        return [json.loads(f'"{item}"') for item in whole if _decodable(item)]
    strings = _strings(value)
    return strings or None


def _decodable(item: str) -> bool:
    try:
        json.loads(f'"{item}"')
    except json.JSONDecodeError:
        return False
    return True


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    if isinstance(value, dict):
        for key in ("questions", "question", "queries", "query", "问题"):
            if key in value:
                return _strings(value[key])
        return [text for item in value.values() for text in _strings(item)]
    return []


def _clean(line: str) -> str:
    text = line.strip()
    while True:
        shorter = _LABEL.sub("", text.strip(_WRAPPING)).strip(_WRAPPING).rstrip(",").strip(_WRAPPING)
        if shorter == text:
            return " ".join(text.split())
        text = shorter


def _is_chatter(text: str) -> bool:
    # A Han character says as much as a short word.
    letters = sum(1 + 2 * (character > "\u3000") for character in text if character.isalnum())
    asks = text.endswith(("?", "？"))
    if letters < (2 if asks else 4) or _ANSWER.match(text):
        return True
    return not asks and (bool(_CHATTER.match(text)) or text.endswith((":", "：")))


def _is_prose(text: str) -> bool:
    """Several sentences, or an LLM that speaks of itself, in a line that nothing marks as a question."""
    return bool(_PROSE.search(text))


def _is_marked(line: str) -> bool:
    text = line.strip().strip(_WRAPPING)
    return bool(_LABEL.match(line.strip()) or _LABEL.match(text)) or text.endswith(("?", "？"))


def _key(question: str) -> str:
    return "".join(character for character in question.casefold() if character.isalnum())
