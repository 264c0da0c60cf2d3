"""Chunks that people do not ask about: tables of contents, signatures, indexes, what is left of tables."""

from __future__ import annotations

import re

from embft.text.scripts import HAN, HANGUL, KANA, LOWER, MARKS

_LEADER = re.compile(r"(?:\.\s?){4,}|…{2,}|(?:·\s?){4,}")
_ENTRY = re.compile(r"\S.{2,}?(?:\s|\.{2,}|…)\s*(?:[A-Z]-)?\d{1,4}\s*$")
_NUMBERED = re.compile(r"^(?:[A-Z]\.)?\d+(?:\.\d+)+\.?\s+[^\W\d]")
_CONTENTS = re.compile(
    r"^\W*(?:table of contents|contents|index|目\s*[录錄]|索\s*引|目\s*次|もくじ|차\s*례|목\s*차|สารบัญ|inhaltsverzeichnis|inhalt|"
    r"table des matières|sommaire|índice|indice|sommario|sumário|inhoud(?:sopgave)?|spis treści|содержание|оглавление|зміст|"
    r"съдържание|obsah|sisällys(?:luettelo)?|innehåll(?:sförteckning)?|indhold(?:sfortegnelse)?|innhold(?:sfortegnelse)?|"
    r"tartalom(?:jegyzék)?|cuprins|περιεχόμενα|içindekiler|daftar isi|mục lục|"
    r"المحتويات|فهرس|فهرست|תוכן העניינים|विषय[- ]सूची)\W*$",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"/s/|\b(?:signed|signature|signatory|duly authorized|power of attorney|in witness whereof|by:\s*_{2,})|_{5,}|"
    r"(?:签字|签名|签章|盖章)[：:]?\s*_*",
    re.IGNORECASE,
)
_SENTENCE = re.compile(rf"[{LOWER})”\"'][.?!](?:\s|$)|[。！？；।॥۔؟።။។]|[{HANGUL}][.?!](?:\s|$)")
_LETTER = re.compile(rf"[^\W\d_]|[{MARKS}]")
_DENSE = re.compile(f"[{HAN}{KANA}{HANGUL}]")
"""Scripts of which a few letters say something."""


def boilerplate(text: str) -> str | None:
    """What kind of boilerplate a chunk is, or None: prose, and everything in doubt.

    Rules are narrow on purpose: a chunk that is kept costs a poor question, one that is lost cannot be asked about.
    """
    letters = len(_LETTER.findall(text))
    if is_contents(text):
        return "table of contents"
    # Names, titles and dates around the marks; a contract that speaks of signatures has sentences.
    marks, sentences = len(_SIGNATURE.findall(text)), len(_SENTENCE.findall(text))
    if marks >= 3 and marks > 2 * sentences:
        return "signatures"
    visible = sum(not character.isspace() for character in text)
    if letters < 0.4 * visible and not sentences:
        return "figures without text"
    dense = len(_DENSE.findall(text)) > 0.3 * letters
    return "hardly any words" if letters < (8 if dense else 20) else None


def is_contents(text: str) -> bool:
    """Whether a chunk is a table of contents or an index: lines that end with a page, or begin with a section's number."""
    if len(_LEADER.findall(text)) >= 4:
        return True
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) < 5:
        return False
    entries = sum(line[-1].isdecimal() and bool(_ENTRY.search(line)) and not _SENTENCE.search(line) for line in lines)
    numbered = sum(bool(_NUMBERED.search(line)) and not _SENTENCE.search(line) for line in lines)
    share = 0.5 if any(len(line) < 40 and _CONTENTS.search(line) for line in lines) else 0.8
    return max(entries, numbered) >= share * len(lines)
