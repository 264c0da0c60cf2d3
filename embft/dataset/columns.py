"""What the columns of a table mean: the names that datasets on the hub and in tools give to question, passage and grade."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

QUESTION = (
    "question", "query", "anchor", "q", "question_text", "query_text", "user_query", "sentence1", "sentence_1", "text1",
    "问题", "提问", "查询",
)  # fmt: skip
PASSAGE = (
    "passage", "positive", "pos", "positives", "context", "document", "doc", "chunk", "passage_text", "chunk_text",
    "positive_text", "passages", "documents", "docs", "contexts", "sentence2", "sentence_2", "text2", "段落", "文档", "原文",
    "text", "content", "answer", "response", "答案",
)  # fmt: skip
NEGATIVE = ("negative", "neg", "negatives", "hard_negative", "hard_negatives", "负例")
NUMBERED_NEGATIVE = re.compile(r"(?:hard_)?neg(?:ative)?s?_?\d+")
LABEL = ("label", "labels", "grade", "relevance", "rel", "score", "scores", "is_relevant", "标签", "相关性", "分数")
QUESTION_ID = ("question_id", "query_id", "qid", "q_id")
PASSAGE_ID = ("chunk_id", "passage_id", "corpus_id", "doc_id", "docid", "document_id", "pid", "positive_id")
NEGATIVE_ID = ("negative_id",)
SPLIT = ("split",)
_NUMBERED = tuple(f"negative_{number}" for number in range(1, 9))
KNOWN = frozenset((*QUESTION, *PASSAGE, *NEGATIVE, *_NUMBERED, *LABEL, *QUESTION_ID, *PASSAGE_ID, *NEGATIVE_ID, *SPLIT))
_WORDS = {"true": 1.0, "yes": 1.0, "relevant": 1.0, "false": 0.0, "no": 0.0, "irrelevant": 0.0, "not relevant": 0.0}
_HALF = 0.5
"""Similarity from which two texts belong together, where scores are fractions between 0 and 1."""

Row = Mapping[str, object]


def pick(row: Row, names: Sequence[str]) -> Any:
    """The first of these columns that has a value in the row; None where none has."""
    return next((row[name] for name in names if row.get(name) not in (None, "")), None)


def read_columns(columns: Iterable[str]) -> set[str]:
    """The columns whose values are used."""
    present = set(columns)
    used = {name for name in present if NUMBERED_NEGATIVE.fullmatch(name)}
    for names in (QUESTION, PASSAGE, LABEL, QUESTION_ID, PASSAGE_ID):
        first = next((name for name in names if name in present), None)
        used |= {first} if first else set()
    used |= present & {*NEGATIVE, *NEGATIVE_ID, *SPLIT}
    return used


def texts_of(value: Any) -> list[str]:
    """A text, a list of texts, or a cell of CSV that holds such a list.

    Raises:
        ValueError: It is something else.
    """
    if value is None or value == "":
        return []
    if isinstance(value, str):
        if value.startswith('["') and value.endswith('"]'):
            try:
                parsed = json.loads(value)
            except ValueError:
                return [value]
            if isinstance(parsed, list) and all(isinstance(item, str) for item in parsed):
                return parsed
        return [value]
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return [item for item in value if item.strip()]
    raise ValueError(f"not a text but {json.dumps(value, default=str)[:40]}")


def negatives_of(row: Row) -> list[str]:
    """All texts of a row that do not answer its question."""
    numbered = [name for name in row if NUMBERED_NEGATIVE.fullmatch(name)]
    return [text for name in (*NEGATIVE, *numbered) for text in texts_of(row.get(name))]


def id_of(value: Any) -> str | None:
    """An id as text: 0 is ``"0"``; None where there is none.

    Raises:
        ValueError: It is no text and no whole number.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"the id is neither a text nor a whole number but {json.dumps(value, default=str)[:40]}")


def number_of(value: Any) -> float:
    """A label as a number; yes and true are 1.

    Raises:
        ValueError: It is no number.
    """
    if isinstance(value, str):
        word = value.strip().casefold()
        if word in _WORDS:
            return _WORDS[word]
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"the label {json.dumps(value, default=str)[:40]} is no number")
    return number


class Scale:
    """What the labels of a table say: grades, or similarities between 0 and 1.

    Args:
        labels: All of them.

    Raises:
        ValueError: Fractions on a scale that does not say where relevance begins.
    """

    def __init__(self, labels: Sequence[float]) -> None:
        fractions = [label for label in labels if not label.is_integer()]
        self.is_similarity = bool(fractions)
        if fractions and not all(0 <= label <= 1 for label in labels):
            raise ValueError(
                f"labels such as {fractions[0]:g} are fractions beyond 0 to 1: write grades, 0 for not relevant, 1 and more for "
                "relevant"
            )

    def grade(self, label: float) -> int:
        """0 where a passage is not relevant."""
        return int(label >= _HALF) if self.is_similarity else max(0, int(label))
