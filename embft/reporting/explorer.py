"""What the report's table of questions works on: every question, its ranks, and each passage once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from embft.evaluation.names import label
from embft.results import Outcome
from embft.wording import say, worded

PASSAGE_CHARACTERS = 1200
"""Shown of a passage."""
PASSAGE_BYTES = 6_000_000
"""Of all passages together: keeps a report on 5,000 questions below 10 MB."""
_SHORTER = (PASSAGE_CHARACTERS, 800, 500, 300, 200, 100)
_QUESTION_CHARACTERS = 500
_WORDS = {
    "count": worded(
        "By {metric}, {system} wins {won}, loses {lost} and ties {tied} against {baseline}. {shown} shown; open one to see its "
        "passages. Rank: of the first passage that answers it, – where none was found."
    ),
    "rank": worded("Rank, {system}"),
    "page": worded("{page} of {pages}"),
    "and": worded(" and "),
    "answers": worded("Answers it"),
    "answersFirst": worded("Answers it, and comes first for {systems}"),
    "first": worded("First for {systems}, does not answer it"),
    "nothing": worded("Nothing was retrieved."),
    "absent": worded("The text of chunk {chunk} is not in this report."),
    "context": worded("Context: {text}"),
}
"""What the page's script says, by the names that it uses."""


def explorer_data(
    outcome: Outcome,
    budget: int = PASSAGE_BYTES,
) -> dict[str, object]:
    """The data of the page's table.

    Args:
        outcome: The run's result.
        budget: Bytes that all passages may take; where they take more, each is shown shorter.

    Returns:
        ``systems``, ``metric`` (as people write it), ``questions`` as [text, origin, relevant, [[rank, score, top],
        ...]] with one triple per system, ``passages`` as [id, text], and ``contexts``, one for each
        passage, or none at all; relevant and top count into ``passages``.
    """
    primary = outcome.verdict.metric
    systems = list(outcome.evaluated.systems)
    numbers: dict[str, int] = {}

    def refer(chunk_id: str) -> int:
        return numbers.setdefault(chunk_id, len(numbers))

    questions = [
        [
            _shortened(row.question, _QUESTION_CHARACTERS),
            row.origin,
            [refer(chunk_id) for chunk_id in row.relevant],
            [
                [result.rank, round(result.scores[primary], 4), refer(result.top[0]) if result.top else None]
                for result in (row.systems[system] for system in systems)
            ],
        ]
        for row in outcome.evaluated.rows
    ]
    texts = _fitting({chunk_id: outcome.searched.get(chunk_id, "") for chunk_id in numbers}, budget)
    return {
        "systems": systems,
        "metric": label(primary),
        "questions": questions,
        "passages": list(texts.items()),
        "contexts": [outcome.contexts.get(chunk_id, "") for chunk_id in texts] if outcome.contexts else [],
    }


def explorer_words() -> dict[str, str]:
    """What the page's script says, with places for its values."""
    return {name: say(text) for name, text in _WORDS.items()}


def embedded_json(value: Any) -> Markup:
    """JSON that can stand in a script element: nothing in it can end the element or begin another."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _fitting(texts: Mapping[str, str], budget: int) -> dict[str, str]:
    """The texts, cut as little as the budget allows; below 100 characters each, only the first that fit keep theirs."""
    cut: dict[str, str] = {}
    for limit in _SHORTER:
        cut = {chunk_id: _shortened(text, limit) for chunk_id, text in texts.items()}
        if sum(map(_size, cut.values())) <= budget:
            return cut
    spent = 0
    for chunk_id, text in cut.items():
        spent += _size(text)
        if spent > budget:
            cut[chunk_id] = ""
    return cut


def _size(text: str) -> int:
    """Bytes in the page."""
    return len(embedded_json(text).encode("utf-8", errors="replace"))


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit].rstrip() + " …"
