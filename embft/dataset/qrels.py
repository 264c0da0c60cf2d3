"""Judgements of relevance: BEIR's three columns with tabs, TREC's four columns with spaces or tabs."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from embft.errors import DatasetError
from embft.text.known_ids import KnownIds

SUFFIXES = (".tsv", ".txt", ".qrels", ".qrel")
_QUERY = ("query-id", "query_id", "qid", "query", "topic", "topic_id", "q_id", "queryid")
_DOCUMENT = (
    "corpus-id",
    "corpus_id",
    "doc-id",
    "doc_id",
    "docid",
    "docno",
    "document",
    "pid",
    "passage_id",
    "chunk_id",
    "corpusid",
)
_SCORE = ("score", "relevance", "rel", "label", "grade", "judgment", "judgement")
_EXPECTED = "query-id, corpus-id, score"
_FOUR = "TREC's topic, iteration, document, relevance"


@dataclass(frozen=True)
class Judgements:
    """What a file judges.

    Attributes:
        grades: Query id to document id to grade; 0 and less: judged not relevant.
        notes: What is odd about it, one sentence each.
    """

    grades: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_judgements(
    path: Path, lines: Callable[[], list[str]], queries: Collection[str], documents: Collection[str]
) -> Judgements:
    """Reads a file of judgements, with or without a header that names its columns.

    Args:
        path: For messages.
        lines: Its lines.
        queries, documents: Ids that there are; see `embft.text.known_ids`.

    Raises:
        DatasetError: A line is none; names it.
    """
    grades: dict[str, dict[str, int]] = {}
    places: tuple[int, int, int] | None = None
    contradicted = 0
    query_ids, document_ids = KnownIds(queries), KnownIds(documents)
    for number, cells in _cells(path, lines()):
        if places is None:
            places = _from_header(cells, queries, documents)
            if places is not None:
                continue
            places = _from_width(cells)
        try:
            query, document = cells[places[0]], cells[places[1]]
            grade = _grade(cells[places[2]])
            if len(cells) not in {3, 4} and len(cells) <= max(places):
                raise IndexError
        except (IndexError, ValueError) as error:
            raise DatasetError(
                f"{path}, line {number}: expected {_EXPECTED} with tabs between, or {_FOUR}; the score a whole number. "
                f"Found {len(cells)} columns: {' | '.join(cells)[:80]}."
            ) from error
        own = grades.setdefault(query_ids.find(query), {})
        document = document_ids.find(document)
        contradicted += own.get(document, grade) != grade
        own[document] = max(own.get(document, grade), grade)
    notes = (
        (f"{path} judges {contradicted:,} pairs twice with different scores: the higher one counts.",)
        if contradicted
        else ()
    )
    return Judgements(grades, notes)


def _cells(path: Path, lines: list[str]) -> Iterable[tuple[int, list[str]]]:
    if not any("\t" in line for line in lines):
        yield from ((number, line.split()) for number, line in enumerate(lines, 1) if line.strip())
        return
    reader = csv.reader((line + "\n" for line in lines), delimiter="\t")
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise DatasetError(f"{path}, line {reader.line_num}: not a table with tabs ({error}).") from error


def _from_header(cells: list[str], queries: Collection[str], documents: Collection[str]) -> tuple[int, int, int] | None:
    """Places of query, document and score where the first line names its columns; None where it is a judgement."""
    names = [cell.strip().strip("\ufeff").casefold() for cell in cells]
    columns = [
        next((at for at, name in enumerate(names) if name in choices), None) for choices in (_QUERY, _DOCUMENT, _SCORE)
    ]
    query, document, score = columns
    if query is not None and document is not None and score is not None:
        return query, document, score
    places = _from_width(cells)
    if len(cells) in {3, 4} and cells[places[0]] not in queries and cells[places[1]] not in documents:
        try:
            float(cells[places[2]])
        except ValueError:
            return places  # a header in words of its own
    return None


def _from_width(cells: list[str]) -> tuple[int, int, int]:
    return (0, 2, 3) if len(cells) == 4 else (0, 1, 2)


def _grade(cell: str) -> int:
    value = float(cell)
    if not math.isfinite(value) or not value.is_integer():
        raise ValueError(cell)
    return int(value)
