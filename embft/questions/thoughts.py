"""What a reasoning model thinks before it answers: cut out of its reply, so that no draft becomes a question."""

from __future__ import annotations

import re

_NAMES = (
    "think|thinking|thoughts?|thought_process|reasoning|reason|reflection|reflect|scratch_?pad|analysis|inner_monologue|"
    "monologue|plan|planning|draft|drafts|cot|deliberation|antthinking|ant_thinking|seed:think|internal|"
    "思考|思考过程|思路|推理|推理过程|分析|反思"
)
# <think>, </think>, [THINK], ◁think▷, <|begin_of_thought|>, <|START_THINKING|>; escaped as &lt;think&gt; too.
_TAG = re.compile(
    rf"(?:<|&lt;|◁|\[)(?P<slash>/?)(?:{_NAMES})(?:\s[^<>\[\]]{{0,80}})?(?:>|&gt;|▷|\])"
    r"|<\|(?P<edge>begin_of|start_of|end_of|start|end)_?(?:thought|thinking|think|reasoning)\|>"
    r"|<(?P<unused>unused9[45])>",
    re.IGNORECASE,
)
_FINAL_CHANNEL = re.compile(
    r"<\|channel\|>\s*final\s*(?:<\|constrain\|>\s*\w+\s*)?<\|message\|>|assistantfinal(?=[\W\dA-Z])"
)
_CHANNEL = re.compile(r"<\|channel\|>\s*(?:analysis|commentary)")
_BARE_CHANNEL = re.compile(r"\s*analysis(?=[A-Z])")
# What chat templates leave: <|im_end|>, <|eot_id|>, </s>; and tags around the whole of an answer.
_LEFT_OVER = re.compile(
    r"<\|[\w/ -]{1,40}\|>|</?s>|</?(?:final|final_answer|output|response|result|solution)>|\[/?INST\]", re.IGNORECASE
)
_WORDS = (
    r"(?:thinking|thoughts?|thought process|reasoning(?: process)?|analysis|chain of thought|"
    r"思考(?:过程)?|推理(?:过程)?|分析(?:过程)?)"
)
_DRAFTS = re.compile(
    rf"```[ \t]*(?:think|{_WORDS})[ \t]*\n[^`]*(?:```|\Z)"
    rf"|<details[^<>]{{0,80}}>\s*<summary[^<>]{{0,80}}>[^<]{{0,20}}{_WORDS}(?:(?!</?details).){{0,20000}}(?:</details>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_FIRST_HEADING = re.compile(
    rf"[#*_]{{0,6}}[ \t]{{0,3}}(?:\d\. )?{_WORDS}[ \t]{{0,3}}[*_]{{0,3}}[ \t]{{0,3}}(?:[:：]|\n)", re.IGNORECASE
)
_ANSWER_HEADING = re.compile(
    r"^[#*_ \t]{0,9}(?:(?:the )?(?:(?:final|generated|resulting) )?(?:answers?|questions?|outputs?|responses?)|"
    r"最终(?:答案|问题|输出)|(?:生成的)?问题(?:列表)?|输出|回答|答案)[ \t]{0,3}[*_]{0,3}[ \t]{0,3}[:：]?[*_ \t]{0,5}$",
    re.IGNORECASE | re.MULTILINE,
)
_QUOTING = "`'\"“”‘’「」"
_ENDS_BEFORE = re.compile(r"(?:^|[.!?:;。！？：；…\]>)}*`])[ \t]*$")
_NEAR = 200
"""Characters of a line that are looked at before a tag."""


def without_thoughts(reply: str) -> str:
    """The reply less its thoughts, under any tag.

    Thoughts may be nested; without an end the rest is thought, and where the chat template holds the opening tag, all
    before the end is. A tag that is quoted, or that stands within a sentence, is a word of it.
    """
    text = _DRAFTS.sub("\n", _final_channel(reply))
    kept: list[str] = []
    depth = start = 0
    for match in _TAG.finditer(text):
        closes = _closes(match)
        if _is_a_word(text, match, closes, depth):
            continue
        if not closes:
            if depth == 0:
                kept.append(text[start : match.start()])
            depth += 1
            continue
        if depth == 0:
            kept = []  # no opening tag: all so far was thought
        depth = max(0, depth - 1)
        start = match.end()
    if depth == 0:
        kept.append(text[start:])
    return _without_section(_LEFT_OVER.sub("\n", "\n".join(kept)))


def _without_section(text: str) -> str:
    """The text less a section of thoughts: from a heading at its beginning to the heading of the answer."""
    if _FIRST_HEADING.match(text.lstrip()) and (answer := _ANSWER_HEADING.search(text)):
        return text[answer.end() :]
    return text


def _closes(match: re.Match[str]) -> bool:
    if match["unused"]:
        return match["unused"].lower().endswith("5")
    if match["edge"]:
        return match["edge"].lower().startswith("end")
    return bool(match["slash"])


def _is_a_word(text: str, match: re.Match[str], closes: bool, depth: int) -> bool:
    before, after = text[max(0, match.start() - 1) : match.start()], text[match.end() : match.end() + 1]
    if before and after and before in _QUOTING and after in _QUOTING:
        return True
    if closes and depth:
        return False
    line = text[max(0, match.start() - _NEAR) : match.start()].rpartition("\n")[2]
    if _ENDS_BEFORE.search(line):
        return False
    # A closing tag without an opening one may follow a sentence without its full stop, at the end of a line.
    return not (closes and (not after or after in "\r\n"))


def _final_channel(text: str) -> str:
    """The last channel ``final`` of the harmony format; nothing where there is only analysis."""
    finals = list(_FINAL_CHANNEL.finditer(text))
    marked = _CHANNEL.search(text) or _BARE_CHANNEL.match(text)
    if finals and (marked or finals[-1].group().startswith("<")):
        return text[finals[-1].end() :]
    return "" if _CHANNEL.search(text) else text
