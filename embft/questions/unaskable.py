"""Chunks that nobody asks about: tables of contents, signatures, indexes, what is left of tables."""

from __future__ import annotations

import re

from embft.questions.sentences import is_chinese

_LEADER = re.compile(r"(?:\.\s?){4,}|…{2,}|(?:·\s?){4,}")
_ENTRY = re.compile(r"\S.{2,}?(?:\s|\.{2,}|…)\s*(?:[A-Z]-)?\d{1,4}\s*$")
_CONTENTS = re.compile(r"^\W*(?:table of contents|contents|index|目\s*录|索\s*引)\W*$", re.IGNORECASE | re.MULTILINE)
_SIGNATURE = re.compile(
    r"/s/|\b(?:signed|signature|signatory|duly authorized|power of attorney|in witness whereof|by:\s*_{2,})|_{5,}|"
    r"(?:签字|签名|签章|盖章)[：:]?\s*_*",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[a-z)”\"'][.?!](?:\s|$)|[。！？；]")
_LETTER = re.compile(r"[^\W\d_]")


def boilerplate(text: str) -> str | None:
    """What kind of boilerplate a chunk is, or None: prose, and everything in doubt.

    Rules are narrow on purpose: a chunk that is kept costs a poor question, one that is lost cannot be asked about.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    letters = len(_LETTER.findall(text))
    entries = sum(bool(_ENTRY.search(line)) and not _SENTENCE.search(line) for line in lines)
    leaders = len(_LEADER.findall(text))
    if leaders >= 4 or (len(lines) >= 5 and entries >= (0.5 if _CONTENTS.search(text) else 0.8) * len(lines)):
        return "table of contents"
    # Names, titles and dates around the marks; a contract that speaks of signatures has sentences.
    marks, sentences = len(_SIGNATURE.findall(text)), len(_SENTENCE.findall(text))
    if marks >= 3 and marks > 2 * sentences:
        return "signatures"
    visible = sum(not character.isspace() for character in text)
    if letters < 0.4 * visible and not sentences:
        return "figures without text"
    return "hardly any words" if letters < (8 if is_chinese(text) else 20) else None
