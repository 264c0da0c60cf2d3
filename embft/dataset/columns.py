"""What the columns of a table mean: the names that datasets on the hub and in tools give to question, passage and grade."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from embft.dataset.cells import Item, items_of

QUESTION = (
    "question", "query", "anchor", "q", "question_text", "query_text", "user_query", "sentence1", "sentence_1", "text1",
    "sentence_a", "user_input", "instruction", "prompt", "问题", "提问", "查询",
)  # fmt: skip
PASSAGE = (
    "passage", "positive", "pos", "positives", "context", "document", "doc", "chunk", "passage_text", "chunk_text",
    "positive_text", "passages", "documents", "docs", "contexts", "sentence2", "sentence_2", "text2", "段落", "文档", "原文",
    "positive_passages", "positive_passage", "positive_ctxs", "positive_docs", "positive_doc", "pos_text", "reference_contexts",
    "relevant_passage", "relevant_passages", "sentence_b", "chosen",
    "text", "content", "answer", "response", "output", "completion", "答案",
)  # fmt: skip
NEGATIVE = re.compile(
    r"(?:hard_)?neg(?:ative)?s?(?:_(?:passage|text|doc|document|context|ctx|chunk|answer|sentence)s?)?_?\d*"
    r"|rejected|irrelevant_passages?|负例|负样本"
)
LABEL = ("label", "labels", "grade", "relevance", "rel", "score", "scores", "is_relevant", "标签", "相关性", "分数")
QUESTION_ID = ("question_id", "query_id", "qid", "q_id")
PASSAGE_ID = ("chunk_id", "passage_id", "corpus_id", "doc_id", "docid", "document_id", "pid", "positive_id")
NEGATIVE_ID = ("negative_id",)
SPLIT = ("split",)
_NEGATIVES = ("negative", "neg", "negatives", "hard_negative", *(f"negative_{number}" for number in range(1, 9)))
KNOWN = frozenset((*QUESTION, *PASSAGE, *_NEGATIVES, *LABEL, *QUESTION_ID, *PASSAGE_ID, *NEGATIVE_ID, *SPLIT))
_YES = "true yes y t relevant positive pos match 是 相关 真 有关".split()
_NO = ["not relevant", *"false no n f irrelevant negative neg mismatch 否 不相关 假 无关".split()]
_WORDS = dict.fromkeys(_YES, 1.0) | dict.fromkeys(_NO, 0.0)
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
_SPLITS = {
    name: split
    for split, names in {
        "train": ("train", "training"),
        "dev": ("dev", "val", "validation", "valid", "devel", "development"),
        "test": ("test", "testing"),
    }.items()
    for name in names
}
_HALF = 0.5
"""Similarity from which two texts belong together, where scores are fractions between 0 and 1."""

Row = Mapping[str, object]


def pick(row: Row, names: Sequence[str]) -> Any:
    """The first of these columns that has a value in the row; None where none has."""
    return next((row[name] for name in names if row.get(name) not in (None, "")), None)


def read_columns(columns: Iterable[str]) -> set[str]:
    """The columns whose values are used."""
    present = set(columns)
    used = {name for name in present if is_negative(name)}
    for names in (QUESTION, PASSAGE, LABEL, QUESTION_ID, PASSAGE_ID):
        first = next((name for name in names if name in present), None)
        used |= {first} if first else set()
    used |= present & {*NEGATIVE_ID, *SPLIT}
    return used


def is_negative(column: str) -> bool:
    """Whether a column holds texts that do not answer the question."""
    return column not in NEGATIVE_ID and bool(NEGATIVE.fullmatch(column))


def negatives_of(row: Row) -> list[Item]:
    """All texts of a row that do not answer its question."""
    return [item for name in row if is_negative(name) for item in items_of(row[name])]


def split_of(value: Any) -> str | None:
    """A split's name: ``validation`` and ``Val`` are ``dev``."""
    name = id_of(value)
    return None if name is None else _SPLITS.get(name.strip().casefold(), name)


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
    raise ValueError(
        f"the id is neither a text nor a whole number but {json.dumps(value, default=str, ensure_ascii=False)[:40]}"
    )


def number_of(value: Any) -> float:
    """A label as a number; yes and true are 1.

    Raises:
        ValueError: It is no number.
    """
    if isinstance(value, str):
        word = value.strip().casefold()
        if word in _WORDS:
            return _WORDS[word]
        if _DECIMAL_COMMA.fullmatch(word):
            value = word.replace(",", ".")
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"the label {json.dumps(value, default=str, ensure_ascii=False)[:40]} is no number")
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
