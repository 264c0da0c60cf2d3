"""What the words of a question give away: its kind, its length, what it shares with its passage."""

from __future__ import annotations

import re

from embft.text.content_words import word_count
from embft.text.question_words import asked_for, knows
from embft.text.terms import plain_words

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
_KIND_OF = {"why": "how or why", "how": "how or why", "yes or no": "yes or no"}
_HEADLINE_WORDS = 8


def kind_of(question: str, language: str = "en") -> str:
    """One of `KINDS`, by the question's form alone: a rule that any reader can check, no classifier."""
    text = question.strip()
    if knows(language):
        asked = asked_for(text, language)
        if asked is not None:
            return _KIND_OF.get(asked, "fact")
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
    return "keywords" if word_count(text) <= _HEADLINE_WORDS else "statement"


def copied_run(question: str, passage: str, share: float) -> str | None:
    """A run of the passage's words that makes up at least ``share`` of the question; None where there is none.

    Chinese is compared by characters: a word is cut by what stands around it, and a copy would go unseen.
    """
    question_terms = terms(question)
    needed = max(2, round(share * len(question_terms)))
    passage_text = f" {' '.join(terms(passage))} "
    for start in range(len(question_terms) - needed + 1):
        run = " ".join(question_terms[start : start + needed])
        if f" {run} " in passage_text:
            return run
    return None


def terms(text: str) -> list[str]:
    """Words in lower case, as copies and shared words are told by: `embft.text.terms.plain_words`."""
    return plain_words(text)
