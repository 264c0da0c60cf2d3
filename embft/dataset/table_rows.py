"""Rows of a table to datasets: ids, grades and negatives as they are given, and a word about all that is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embft.dataset.cells import Item, items_of
from embft.dataset.columns import (
    LABEL,
    NEGATIVE_ID,
    PASSAGE,
    PASSAGE_ID,
    QUESTION,
    QUESTION_ID,
    SPLIT,
    Row,
    Scale,
    id_of,
    negatives_of,
    number_of,
    pick,
    read_columns,
    split_of,
)
from embft.errors import DatasetError
from embft.records import RetrievalDataset
from embft.text.rows import Rows

_FORMS = "question and passage, query and answer, anchor and positive, query and pos, sentence1 and sentence2"


@dataclass(frozen=True)
class _Fields:
    """A row, understood.

    Attributes:
        passages: Each with its id and label, where it has them.
        negatives: Each with its id, where it has one.
    """

    where: str
    split: str
    question_id: str | None
    question: str
    passages: Sequence[tuple[str | None, str, float | None]]
    negatives: Sequence[tuple[str | None, str]]


@dataclass
class _Part:
    """A split as it is gathered. Grades of 0 are kept until the end, to name what nothing answers."""

    queries: dict[str, str] = field(default_factory=dict)
    corpus: dict[str, str] = field(default_factory=dict)
    grades: dict[str, dict[str, int]] = field(default_factory=dict)
    contradicted: int = 0


def parts_of(rows: Rows, path: Path) -> dict[str, RetrievalDataset]:
    """Split to dataset; without a column ``split`` all of it is ``train``.

    Raises:
        DatasetError: No rows, or one that cannot be used; names the row and the columns found.
    """
    if not rows.rows:
        raise DatasetError(f"{path} has no rows. Columns found: {rows.layout}.")
    fields = [_understood(row, f"{path}, row {at}", rows.layout) for at, row in rows.rows]
    labels = [label for one in fields for _, _, label in one.passages if label is not None]
    try:
        scale = Scale(labels)
    except ValueError as error:
        raise DatasetError(f"{path}: {error}.") from error
    notes = _notes(rows, fields, scale, path)
    parts: dict[str, _Part] = {}
    ids = _Ids(fields)
    for one in fields:
        _add(parts.setdefault(one.split, _Part()), one, ids, scale)
    return {split: _finished(part, notes, path) for split, part in parts.items()}


def _understood(row: Row, where: str, layout: str) -> _Fields:
    try:
        asked, items, others = items_of(pick(row, QUESTION)), items_of(pick(row, PASSAGE)), negatives_of(row)
        questions, passages, negatives = ([text for _, text in found] for found in (asked, items, others))
        labels = _labels(row, passages)
        question_id, split = id_of(pick(row, QUESTION_ID)), split_of(pick(row, SPLIT))
        passage_ids = _ids(pick(row, PASSAGE_ID), items)
        negative_ids = _ids(pick(row, NEGATIVE_ID), others)
    except ValueError as error:
        raise DatasetError(f"{where}: {error}. Columns found: {layout}.") from error
    missing = [] if len(questions) == 1 and questions[0].strip() else ["question"]
    missing += [] if any(text.strip() for text in passages) or negatives else ["passage"]
    if missing:
        raise DatasetError(
            f"{where}: no text in {' and '.join(missing)}. Columns found: {layout}. A table has {_FORMS}; and where there are "
            "any, ids, label or grade, negative."
        )
    for text in (*questions, *passages, *negatives):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise DatasetError(f"{where} holds half a character: remove or mend it.") from error
    return _Fields(
        where,
        split or "train",
        question_id,
        questions[0],
        list(zip(passage_ids, passages, labels, strict=True)),
        list(zip(negative_ids, negatives, strict=True)),
    )


def _labels(row: Row, passages: Sequence[str]) -> list[float | None]:
    name = next((name for name in LABEL if name in row), None)
    if name is None:
        return [None] * len(passages)
    value = row[name]
    if isinstance(value, list | tuple):
        if len(value) != len(passages):
            raise ValueError(f"{len(value)} labels for {len(passages)} passages")
        return [number_of(item) for item in value]
    if value is None or value == "":
        raise ValueError(f"no value in {name}")
    return [number_of(value)] * len(passages)


def _ids(value: Any, items: Sequence[Item]) -> list[str | None]:
    if value is None:
        return [key for key, _ in items]
    if isinstance(value, list | tuple):
        if len(value) != len(items):
            raise ValueError(f"{len(value)} ids for {len(items)} texts")
        return [id_of(item) for item in value]
    # One id names one text; of several it can only be the first.
    return [id_of(value) if at == 0 else None for at in range(len(items))]


class _Ids:
    """Ids that are given, and new ones for texts without; none of them twice."""

    def __init__(self, fields: Sequence[_Fields]) -> None:
        self._taken = {
            key
            for one in fields
            for key in (one.question_id, *(item[0] for item in (*one.passages, *one.negatives)))
            if key is not None
        }
        self._made: dict[tuple[str, str], str] = {}
        self._count = 0

    def of(self, kind: str, given: str | None, text: str) -> str:
        if given is not None:
            return given
        while (kind, text) not in self._made:
            self._count += 1
            key = f"{kind}{self._count}"
            if key not in self._taken:
                self._made[kind, text] = key
        return self._made[kind, text]


def _add(part: _Part, one: _Fields, ids: _Ids, scale: Scale) -> None:
    question_id = ids.of("q", one.question_id, one.question)
    _put(part.queries, question_id, one.question, one.where)
    grades = part.grades.setdefault(question_id, {})
    for given, text, label in one.passages:
        chunk_id = ids.of("c", given, text)
        _put(part.corpus, chunk_id, text, one.where)
        grade = 1 if label is None else scale.grade(label)
        part.contradicted += grades.get(chunk_id, grade) != grade
        grades[chunk_id] = max(grades.get(chunk_id, 0), grade)
    for given, text in one.negatives:
        _put(part.corpus, ids.of("c", given, text), text, one.where)


def _put(texts: dict[str, str], key: str, text: str, where: str) -> None:
    if texts.setdefault(key, text) != text:
        raise DatasetError(f"{where}: '{key}' had another text in an earlier row; ids must be unique.")


def _finished(part: _Part, notes: Sequence[str], path: Path) -> RetrievalDataset:
    relevant = {
        key: tuple(chunk for chunk, grade in grades.items() if grade > 0) for key, grades in part.grades.items()
    }
    if part.contradicted:
        notes = [
            *notes,
            f"{path} judges {part.contradicted:,} pairs twice with different labels: the higher one counts.",
        ]
    unanswered = [key for key, ids in relevant.items() if not ids]
    if unanswered:
        shown = f"“{part.queries[unanswered[0]][:80]}”"
        notes = [
            *notes,
            f"{len(unanswered):,} questions of {path} have no relevant passage and were left out, such as {shown}.",
        ]
    kept = [key for key, ids in relevant.items() if ids]
    return RetrievalDataset(
        {key: part.queries[key] for key in kept},
        part.corpus,
        {key: relevant[key] for key in kept},
        graded({key: part.grades[key] for key in kept}),
        notes=tuple(notes),
    )


def graded(grades: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """Only the grades that say more than relevance does: a question whose chunks all have grade 1 is left out."""
    above_one = {key: {chunk: grade for chunk, grade in own.items() if grade > 1} for key, own in grades.items()}
    return {key: own for key, own in above_one.items() if own}


def _notes(rows: Rows, fields: Sequence[_Fields], scale: Scale, path: Path) -> list[str]:
    notes = [f"{path} {note}." for note in rows.notes]
    passed = [name or "(no name)" for name in rows.columns if name not in read_columns(rows.columns)]
    if passed:
        notes.append(f"Columns of {path} that were not read: {', '.join(passed)}.")
    labelled = Counter(scale.grade(label) > 0 for one in fields for _, _, label in one.passages if label is not None)
    if scale.is_similarity:
        notes.append(
            f"The labels of {path} are similarities between 0 and 1: {labelled[True]:,} of 0.5 and more count as relevant, "
            f"{labelled[False]:,} below do not."
        )
    elif labelled[False]:
        notes.append(
            f"{labelled[False]:,} rows of {path} with a label of 0 are passages that do not answer their question."
        )
    return notes
