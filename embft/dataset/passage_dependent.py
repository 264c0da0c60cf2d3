"""Questions that nobody asks who has not got the passage before them: "according to the text", 根据上文."""

from __future__ import annotations

import re

_NOUN = (
    r"(?:context(?: information)?|passage|excerpt|text|section|paragraph|document|article|snippet|chunk|information|"
    r"table|page)"
)
_WHICH = r"(?:above|aforementioned|following|given|mentioned|preceding|provided|supplied)"
_CITING = (
    r"(?:according to|based (?:up)?on|(?:as )?(?:described|discussed|explained|given|listed|mentioned|outlined|"
    r"presented|provided|referred to|shown|specified|stated) (?:in|by)|as per|per)"
)
_ENGLISH = re.compile(
    rf"\b(?:{_CITING} (?:the |this |that |these |your )?(?:{_WHICH} )?{_NOUN}(?: {_WHICH})?(?! [0-9IVX])"
    rf"|this (?:{_WHICH} )?(?:passage|excerpt|text|section|paragraph|snippet|chunk|context)"
    rf"|the {_WHICH} {_NOUN}"
    rf"|the {_NOUN} (?:above|below|given|provided)"
    rf"|(?:context|section \S+) of the {_NOUN}|(?:does|do) the (?:document|passage|excerpt)"
    rf"|context information)\b",
    re.IGNORECASE,
)
_CHINESE = re.compile(
    r"(?:上述|以上|该|本|这段|此|这篇|所给|给定的?|提供的)(?:文章|文本|段落|短文|材料|段|章节|节|文(?![件化字明本献凭])|上下文)"
    r"|上文|文中|文章中|材料中|原文|上下文|根据(?:文章|文本|段落|材料|短文)"
)


def is_passage_dependent(question: str) -> bool:
    """True where a question, English or Chinese, points at a passage that only its writer saw."""
    return bool(_ENGLISH.search(question) or _CHINESE.search(question))
