"""Where a question's words stand in a passage, so that a reader's eye falls on them."""

from __future__ import annotations

import re

from embft.text.terms import words

_WORD = re.compile(r"\w+(?:[.'’]\w+)*")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0eff]")


def marks_of(question: str, passage: str) -> list[tuple[int, int]]:
    """Character spans of a passage, in order and apart, whose word stands in the question too, in any form.

    Stop words are not marked. Words of scripts without spaces are looked for as they stand in the question.
    """
    terms = set(words(question))
    spans = [
        match.span()
        for match in _WORD.finditer(passage)
        if not _UNSPACED.search(match[0]) and terms & set(words(match[0]))
    ]
    for term in terms:
        if _UNSPACED.search(term):
            spans += [match.span() for match in re.finditer(re.escape(term), passage)]
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined
