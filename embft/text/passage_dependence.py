"""Questions that lean on a passage which only their writer saw: "according to the text", 根据上文.

A filter of the questions and an audit of any dataset, so it belongs to no stage package.
"""

from __future__ import annotations

import re

_NOUN = (
    r"(?:context|document|documents|text|passage|passages|excerpt|paragraph|article|section|page|table|figure|chapter)"
)
_POINTER = r"(?:the|this|these|that|those|given|provided|above|following|preceding|attached|said)"
_PASSAGE_DEPENDENT = re.compile(
    rf"""
      \bcontext\s+information\b
    | \b(?:the|this)\s+(?:given|provided|above|following|preceding)\s+(?:information|content|context|sentence)s?\b
    | \b(?:information|context)\s+(?:given|provided|above|below)\b
    | \b(?:given|provided|above|following|preceding)\s+{_NOUN}\b
    | \b(?:according\s+to|based\s+on|as\s+(?:per|described|explained|stated|mentioned|outlined|defined|specified)\s+in
         |(?:described|explained|stated|mentioned|outlined|discussed|listed|presented|specified|provided|given)\s+in
         |in\s+the\s+context\s+of)\s+{_POINTER}\s+{_NOUN}\b(?!\s+of\b)
    | \b(?:in|of|by|from|does|do|did|within|under)\s+{_POINTER}\s+(?:document|text|passage|excerpt|paragraph)\b
    | \b(?:in|within|does|do|did)\s+this\s+(?:section|chapter|article|page|table|figure|context)\b
    | \b(?:mentioned|described|listed|shown|discussed|stated|given)\s+(?:above|below)\b
    | \bthe\s+(?:author|speaker|writer)s?\s+(?:of\s+this|says?|states?|mentions?|describes?)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_PASSAGE_DEPENDENT_ZH = re.compile(
    r"[该本此](?:文(?![件化字学书明本])|段|篇|节|文档|文本|段落|文章|材料|条款)|这(?:段|篇|节|份|个)(?:文字|文章|话|内容|文档|材料|段落|条款|条)|"
    r"(?:上述|以上|下述|以下|所给|给出的|提供的)(?:文字|文章|内容|文本|文档|材料|段落|信息|条款|规定)|[上前]文|文中|文章中|材料中|原文"
)
_LOOKED_AT = 300  # characters
_TALK = re.compile(
    r"(?:sure|certainly|of course|absolutely|okay|got it)\s*[!,.:]\s|"
    r"here(?: are|['’]s| is)\b[^?]*\b(?:questions?|quer(?:y|ies))\b[^?]*$|i hope (?:this|these|that)\b|"
    r"let me know if\b|feel free to\b|as an ai\b|i(?:['’]m| am) sorry,|<think>|"
    r"i can(?:not|['’]t) (?:help|assist|generate)|"
    r"```|[\[\]{}]+\s*$|(?:questions?|quer(?:y|ies)|问题|提问)\s*\d*\s*[:：]?$|"
    r"(?:好的|当然)[，,!！。]|希望这些问题|"
    r"(?:以下|这里|下面)(?:是|为)[^？?]*(?:问题|提问)",
    re.IGNORECASE,
)
_ANNOUNCED = re.compile(
    r"\b(?:questions?|quer(?:y|ies)|preguntas|fragen|domande|perguntas)\b[^?]{0,60}[:：]$|"
    r"(?:问题|提问|質問|질문)[^？?]{0,10}[:：]$",
    re.IGNORECASE,
)


def passage_dependence(question: str) -> str | None:
    """The words by which a question leans on its passage ("according to the document", "该文"); None where it stands alone."""
    match = _PASSAGE_DEPENDENT.search(question) or _PASSAGE_DEPENDENT_ZH.search(question)
    return " ".join(match.group().split()) if match else None


def is_talk(question: str) -> bool:
    """Whether a line is what an LLM says around its questions: "Here are two questions:", 以下是两个问题."""
    text = question.strip()
    return bool(_TALK.match(text[:_LOOKED_AT])) or bool(_ANNOUNCED.search(text[-_LOOKED_AT:]))
