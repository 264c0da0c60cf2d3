"""Replies of LLMs, in any form, to lists of questions."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from embft.questions.labels import asks_by_label, has_letters, is_labelled, lines_of, unlabelled
from embft.questions.shapes import Shape, asks, from_json, from_table, from_tags
from embft.questions.thoughts import without_thoughts

_FENCE = re.compile(r"(?:```|~~~)[\w+-]*[ \t]*(?=\n|$)|```", re.MULTILINE)
_BLOCK_TAG = re.compile(
    r"</?(?:questions|queries|ul|ol|li|p|br|div|body|h[1-6]|items|list|faq)(?:\s[^<>]{0,100})?/?>", re.IGNORECASE
)
_WHOLE_ANSWER = re.compile(r"^\s*<answer>|</answer>\s*$", re.IGNORECASE)
_INLINE_TAG = re.compile(r"</?(?:b|i|u|em|strong|span)>", re.IGNORECASE)
_FIELD = (
    r"(?:ans|answers?|explanation|notes?|rationale|reason(?:ing)?|evidence|context|passage|source|references?|quote|"
    r"difficulty|(?:question )?types?|category|tags?|keywords?|topic|title|summary|hint|comment|relevance|"
    r"答案|答|回答|参考答案|解析|说明|解释|依据|理由|来源|原文|注|备注|类型|难度|主题|标题|关键词|思路|答え|回答例|답변|답|antwort|respuesta|réponse|réponses)"
)
_ANSWER = re.compile(
    rf"^[\s\[【(（<*_-]{{0,20}}(?:{_FIELD}\s?\d{{0,3}}\s?[\]】)）>*_]{{0,5}}\s?(?:[:：]|[.)、](?=\s)|[–—-]\s)"
    r"|a\s?\d{0,3}\s?[*_]{0,4}[:：]|(?:assistant|bot|助手|助理)\s?[*_]{0,4}[:：]\s*(?=\S)"
    r"|(?:answer|ans|explanation|reason)\w{0,10}\s?=\s?[\"'“])",
    re.IGNORECASE,
)
_BRACKETED_ANSWER = re.compile(rf"^\s?[\[【<]\s?(?:{_FIELD}|a)\s?\d{{0,3}}\s?[\]】>]", re.IGNORECASE)
_INLINE_ANSWER = re.compile(
    r"(?<=[?？])[\"'”’*_)）\]]*\s*(?:[(（\[【|/–—-]{1,5}\s*)?(?:\*\*)?(?:a|ans|answer|答案|答|回答|explanation|because|解析)\s*\d*\s*"
    r"(?:\*\*)?[:：\]】].*$|(?<=[?？])\s*(?:->|=>|→|⇒|–>|\|).*$",
    re.IGNORECASE | re.DOTALL,
)
# Behind the question mark in brackets: (easy), [Source: passage 3], （难度：中）. "(four digits)" is a part of the question.
_ASIDE = re.compile(
    rf"(?<=[?？])\s*[(（\[【]\s*(?:{_FIELD}\s*[:：][^()（）\[\]【】?？]{{1,60}}|(?:very )?(?:easy|simple|basic|medium|moderate|"
    r"intermediate|hard|difficult|advanced|factual|conceptual|inferential|analytical|open-ended|short answer)|"
    r"(?:level|passage|source)\s\d{1,3}|简单|中等|困难|容易|[易中难])\s*[)）\]】]\s*$",
    re.IGNORECASE,
)
_QUESTION_THEN_STATEMENT = re.compile(r"^(.{8,}?[?？])[\"'”’]?\s*([A-Z\d\u3400-\u9fff][^?？]*[.!。！])$", re.DOTALL)
_PART_OF_THE_QUESTION = re.compile(
    r"^(?:explain|describe|discuss|give|list|please|provide|consider|assume|suppose|name|state|show|justify|include|be |"
    r"answer|compare|use|cite|note|I |we |my |our |请|说明|举例|列出|假设)",
    re.IGNORECASE,
)
_CHATTER = re.compile(
    r"^(?:sure|certainly|of course|okay|ok|absolutely|great|got it|understood|here (?:are|is)|here['’]s|the following|"
    r"below (?:are|is)|i hope|let me know|feel free|these questions|this question|"
    r"the (?:above )?questions? (?:above|below|are|is|cover)|"
    r"hope (?:this|these)|as requested|as an ai|sorry|unfortunately|apologies|end of|thank|happy to|to create|"
    r"(?:two|three|four|five|\d+) (?:potential |possible |diverse |different )*questions|potential questions|"
    r"based on the (?:context|passage|text|provided|given|information)[^?]*[:：]|"
    r"好的|当然|以下|这里是|下面|根据(?:以上|上述|所给|提供|给定|您|你)[^？]*(?:问题|如下)|希望|如果您|如果你|如需|抱歉|对不起|很抱歉|"
    r"我无法|无法|作为一个|作为ai|这些问题|上述问题|以上(?:是|就是|问题)|请注意|生成的问题|没问题)",
    re.IGNORECASE,
)
_OFFER = re.compile(
    r"^(?:would you like (?:me|more|another|additional|any more|to see)|"
    r"do you (?:want|need) (?:me|more|any (?:more|further|other))\b|"
    r"(?:shall|should|can|may) i (?:generate|write|add|provide|help|create|continue|make)|"
    r"(?:is there )?anything else|need (?:more|anything)|want (?:me|more)|how (?:can|may) i (?:help|assist)|"
    r"let me know|are these|do these|does this (?:help|work)|"
    r"您?还?(?:是否)?需要(?:我|更多)|要不要我|要我|还需要|需要我|是否需要(?:我|更多)|"
    r"还有(?:什么|其他|别的)(?:需要|问题)|这些问题(?:可以|是否|符合))",
    re.IGNORECASE,
)
_TITLE = re.compile(
    r"^(?:[\w-]+ ){0,3}(?:questions?|quer(?:y|ies)|q|faqs?|问题|提问|问题列表)\s*(?:and answers|列表)?\s*\d{0,3}\s*[:：]?$",
    re.IGNORECASE,
)
# Several sentences that ask nothing, or somebody speaking of himself: a small model that talks in place of asking.
_PROSE = re.compile(r"[.!]\s+[A-Z]|[。！].|^(?:I|I['’]\w+|The task|My|We need|Let me|Let['’]s|The user)\s")
_UNKNOWN = re.compile(r"^(?:[{}\[\]<|]|[\w.-]+\s*[=({]\s*[\"'\[{(]|https?://|---|===)|^[^\w]*$")
_HTML = re.compile(r"<!doctype html|<html[\s>]", re.IGNORECASE)
_HALF = re.compile(r"[\ud800-\udfff\ufffd]")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_FULL_WIDTH_LIST = re.compile(r"^\s*[［【]\s*((?:[“\"][^“”\"\n]{1,300}[”\"]\s*[，,、；;]?\s*){1,50})[］】]\s*$")
_ESCAPED = re.compile(r"^[\[{]\s*\\[\"n]")
_LONGEST = 300
"""Characters; what is longer is an essay."""
_LONGEST_TAIL = 2000


@dataclass(frozen=True)
class Parsed:
    """What a reply holds.

    Attributes:
        questions: At most as many as were asked for, each once.
        chatter: Lines that are no question: talk, answers, essays.
        duplicates: Questions that stood more than once.
        surplus: Questions beyond the number asked for.
        unknown: Texts in a form that no list of questions has, or with damaged characters: rejected, not guessed at.
    """

    questions: tuple[str, ...]
    chatter: int
    duplicates: int
    surplus: int
    unknown: int = 0


@dataclass
class _Sifted:
    """Questions so far, and counts of what is none."""

    questions: list[str] = field(default_factory=list)
    chatter: int = 0
    unknown: int = 0


def parse_reply(reply: str, count: int) -> Parsed:
    """Takes a reply apart: thoughts are cut, then JSON and its relatives, tags, tables, or lines give the questions.

    JSON may be fenced, cut off, with single quotes, one object per line, with answers beside the questions; lines may be
    numbered, lettered, bulleted, quoted or plain, with talk and answers between them.

    Args:
        reply: The LLM's text.
        count: Questions asked for.
    """
    text = _CONTROL.sub(" ", _INVISIBLE.sub("", without_thoughts(reply)))
    sifted = _Sifted()
    _sift(text, sifted, nested=False)
    distinct = list({_key(question): question for question in reversed(sifted.questions)}.values())[::-1]
    return Parsed(
        tuple(distinct[:count]),
        sifted.chatter,
        len(sifted.questions) - len(distinct),
        max(0, len(distinct) - count),
        sifted.unknown,
    )


def _sift(text: str, sifted: _Sifted, nested: bool) -> None:
    if _HTML.search(text):
        sifted.unknown += 1  # an error page
        return
    if text.lstrip()[:8].casefold() == "<answer>":
        text = _WHOLE_ANSWER.sub("", text)  # around the whole of it, not the answer to a question
    text = _FENCE.sub("\n", _json_string(text))
    text = _FULL_WIDTH_LIST.sub(lambda match: f"[{match[1].replace('，', ', ').replace('、', ', ')}]", text)
    shape = _structure(text)
    if shape is None:
        _sift_lines(text, sifted)
        return
    sifted.unknown += shape.unknown + (not shape.texts and not shape.unknown)
    before = len(sifted.questions)
    for item in shape.texts:
        if "\n" in item.strip() and not nested:
            _sift(item, sifted, nested=True)  # the whole list in one string
        else:
            _sift_item(item, sifted)
    if len(sifted.questions) == before:
        _sift_lines(shape.outside, sifted)
    else:
        sifted.chatter += sum(any(letter.isalnum() for letter in line) for line in shape.outside.splitlines())


def _structure(text: str) -> Shape | None:
    for read in (from_tags, from_json, from_table):
        shape = read(text)
        if shape is not None:
            return shape
    return None


def _json_string(text: str) -> str:
    """A reply that is one JSON string is what that string says."""
    stripped = text.strip()
    if len(stripped) > 1 and stripped[0] == stripped[-1] == '"' and "\\" in stripped:
        try:
            value = json.loads(stripped)
        except json.JSONDecodeError:
            return text
        return str(value)
    if _ESCAPED.match(stripped):  # escaped once too often
        return stripped.replace("\\n", "\n").replace('\\"', '"')
    return text


def _sift_item(item: str, sifted: _Sifted) -> None:
    """A string of a structure: a question, unless it is an answer or talk."""
    question = _bare(item, letters=False)
    if not question:
        return
    if _HALF.search(question):
        sifted.unknown += 1
    elif _is_chatter(question) or len(question) > _LONGEST:
        sifted.chatter += 1
    else:
        sifted.questions.append(question)


def _sift_lines(text: str, sifted: _Sifted) -> None:
    lines = lines_of(_INLINE_TAG.sub("", _BLOCK_TAG.sub("\n", text)))
    letters = has_letters(lines)
    # Where some lines are marked as items or questions, a statement that is neither is talk around them.
    marked = any(_is_marked(line, letters) for line in lines)
    answering = False
    for line in lines:
        question = _bare(line, letters)
        if not question:
            continue
        labelled = is_labelled(line, letters)
        if _is_answer(line) or _is_answer(question):
            answering = True
            sifted.chatter += 1
            continue
        if answering and not asks_by_label(line) and not (labelled and asks(question)):
            sifted.chatter += 1  # an answer of several lines
            continue
        answering = False
        unmarked = not (labelled or asks(question))
        if _HALF.search(question) or (not labelled and _UNKNOWN.search(line.strip()[:_LONGEST])):
            sifted.unknown += 1
        elif (
            _is_chatter(question)
            or (not labelled and _OFFER.match(question))
            or (unmarked and (marked or _PROSE.search(question)))
            or len(question) > _LONGEST
        ):
            sifted.chatter += 1
        else:
            sifted.questions.append(question)


def _bare(line: str, letters: bool) -> str:
    """A line's question: no label, and nothing of an answer that stands behind it."""
    text = unlabelled(line, letters)
    if len(text) > _LONGEST_TAIL:
        return text
    text = _ASIDE.sub("", _INLINE_ANSWER.sub("", text)).strip()
    both = _QUESTION_THEN_STATEMENT.match(text)
    if both and not _PART_OF_THE_QUESTION.match(both[2]):
        text = both[1].strip()
    return unlabelled(text, letters)


def _is_answer(text: str) -> bool:
    start = text[:_LONGEST]
    return bool(_ANSWER.match(start) or _BRACKETED_ANSWER.match(start))


def _is_chatter(text: str) -> bool:
    # A Han character says as much as a short word.
    letters = sum(1 + 2 * (character > "\u3000") for character in text if character.isalnum())
    asking = asks(text)
    if letters < (2 if asking else 4) or _is_answer(text):
        return True
    return not asking and bool(_CHATTER.match(text) or _TITLE.match(text) or text.endswith((":", "：")))


def _is_marked(line: str, letters: bool) -> bool:
    return is_labelled(line, letters) or asks(line)


def _key(question: str) -> str:
    return "".join(character for character in question.casefold() if character.isalnum())
