"""What the words of a question give away: its kind, its script, what it shares with its passage."""

from __future__ import annotations

import re
from collections import Counter

from embft.questions.sentences import content_words, is_chinese

_COMPARISON = re.compile(
    r"\b(?:differ(?:s|ence|ences|ent)?|compared?|comparison|versus|vs|better|rather than|distinguish)\b"
    r"|区别|不同|相比|比较|哪个更",
    re.IGNORECASE,
)
_HOW_WHY = re.compile(
    r"^\W*(?:how(?! (?:many|much|long|often|old|far)\b)|why|explain|describe)\b|怎么|怎样|如何|为什么|为何", re.I
)
_FACT = re.compile(
    r"^\W*(?:in |on |at |for |to |from |by |with |under |of )?(?:what|who|whom|whose|when|where|which|how|"
    r"name|define|identify|list)\b"
    r"|什么|谁|哪|何时|多少|多久|几|何种|何谓",
    re.IGNORECASE,
)
_YES_NO = re.compile(
    r"^\W*(?:is|are|was|were|does|do|did|can|could|will|would|should|shall|may|must|has|have|had)\b|吗\W*$|是否|能否|可否",
    re.IGNORECASE,
)
KINDS = ("comparison", "how or why", "fact", "yes or no", "keywords", "statement")
_SCRIPTS = (
    ("Han", re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")),
    ("Kana", re.compile("[\u3040-\u30ff]")),
    ("Hangul", re.compile("[\uac00-\ud7af\u1100-\u11ff]")),
    ("Latin", re.compile("[A-Za-z\u00c0-\u024f]")),
    ("Cyrillic", re.compile("[\u0400-\u04ff]")),
    ("Greek", re.compile("[\u0370-\u03ff]")),
    ("Arabic", re.compile("[\u0600-\u06ff]")),
    ("Hebrew", re.compile("[\u0590-\u05ff]")),
    ("Devanagari", re.compile("[\u0900-\u097f]")),
    ("Thai", re.compile("[\u0e00-\u0e7f]")),
)
_HEADLINE_WORDS = 8


def kind_of(question: str) -> str:
    """One of `KINDS`, by the question's form alone: a rule that any reader can check, no classifier."""
    text = question.strip()
    if _COMPARISON.search(text):
        return "comparison"
    if _HOW_WHY.search(text):
        return "how or why"
    if _FACT.search(text):
        return "fact"
    if _YES_NO.search(text):
        return "yes or no"
    if text.endswith(("?", "？")):
        return "fact"
    return "keywords" if length(text) <= _HEADLINE_WORDS else "statement"


def script_of(text: str) -> str | None:
    """The script that most letters are of; None where there are no letters of a script we tell apart."""
    counts = Counter({name: len(pattern.findall(text)) for name, pattern in _SCRIPTS})
    # A Han character says as much as a word, so a few make a text Chinese; and kana make it Japanese.
    if is_chinese(text):
        return "Kana" if counts["Kana"] > 0.2 * counts["Han"] else "Han"
    name, most = counts.most_common(1)[0]
    return name if most else None


def length(text: str) -> float:
    """Words; where there are no spaces, two Han characters count as one."""
    han = len(_SCRIPTS[0][1].findall(text))
    return len(_SCRIPTS[0][1].sub(" ", text).split()) + han / 2


def overlap(question: str, passage: str) -> float:
    """Share of a question's content words that its passage has too, case aside."""
    asked = {word.lower() for word in content_words(question)}
    held = {word.lower() for word in content_words(passage)}
    return len(asked & held) / len(asked) if asked else 0.0


def copied_run(question: str, passage: str, share: float) -> str | None:
    """A run of the passage's words that makes up at least ``share`` of the question; None where there is none."""
    asked = terms(question)
    needed = max(2, round(share * len(asked)))
    held = f" {' '.join(terms(passage))} "
    for start in range(len(asked) - needed + 1):
        run = " ".join(asked[start : start + needed])
        if f" {run} " in held:
            return run
    return None


def terms(text: str) -> list[str]:
    """Words in lower case; Han characters one by one."""
    return re.findall("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\\W\u3400-\u9fff\uf900-\ufaff]+", text.lower())
