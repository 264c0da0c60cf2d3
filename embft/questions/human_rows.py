"""A row of a file of people's questions: what it asks, and what it says of the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embft.text.rows import plain_name

QUESTION_COLUMNS = (
    "question", "query", "q", "question_text", "query_text", "search_query", "search_term", "search_terms", "search_phrase",
    "keyword", "top_queries", "queries", "questions", "user_query", "user_input", "问题", "查询", "提问", "搜索词",
)  # fmt: skip
_EVIDENCE = ("evidence", "quote", "证据", "引文")
_DOCUMENT = ("document", "file", "文件", "文档")
_CHUNKS = (
    "chunk_ids",
    "chunk_id",
    "chunks",
    "corpus_id",
    "doc_id",
    "docid",
    "doc_ids",
    "passage_id",
    "relevant",
    "relevant_docs",
)
_GRADES = ("grades", "grade", "relevance", "label", "score", "相关性")
_COUNT = ("count", "counts", "frequency", "freq", "times", "searches", "total_unique_searches", "total_searches",
          "unique_searches", "hits", "search_volume", "volume", "clicks", "次数", "搜索次数")  # fmt: skip
_IDS = ("id", "_id", "question_id", "query_id", "qid", "written")
"""Of the question itself, which nothing refers to, and a mark of `embft.labelling`."""
KNOWN_COLUMNS = (*QUESTION_COLUMNS, *_EVIDENCE, *_DOCUMENT, "page", *_CHUNKS, *_GRADES, *_COUNT)
_MOST = 10**12
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")


@dataclass(frozen=True)
class HumanQuestion:
    """A question with what answers it: a quote, a page, or chunks; or with nothing, where it is not judged yet.

    Attributes:
        where: File and line, for messages.
        chunk_ids: Chunks that are known to answer it, with ``grades`` beside them.
        grades: How relevant each of the chunks is; 0 is not.
        count: How often it was asked.
    """

    question: str
    evidence: str | None
    document: str | None
    page: int | None
    where: str
    chunk_ids: tuple[str, ...] = ()
    grades: tuple[int, ...] = ()
    count: int = 1

    @property
    def is_judged(self) -> bool:
        """Whether anything says what answers it."""
        return bool(self.evidence or self.chunk_ids or self.document)


def question_of(row: Any, where: str) -> HumanQuestion | str:
    """The question of a row, or what is wrong with the row."""
    if isinstance(row, str):
        return row if row.startswith("not JSON") else "not an object"
    if not isinstance(row, Mapping):
        return "not an object"
    given, row = row, {plain_name(key): value for key, value in row.items()}
    if len(row) < len(given):
        return "two columns whose names differ in case or white space alone"
    question, evidence, document, page = (
        _pick(row, names) for names in (QUESTION_COLUMNS, _EVIDENCE, _DOCUMENT, ("page",))
    )
    if not isinstance(question, str) or not question.strip():
        return "no question"
    if evidence is not None and (not isinstance(evidence, str) or not evidence.strip()):
        return "the evidence is not a quote"
    if document is not None and not isinstance(document, str):
        return "the document is not a name"
    for text in (question, evidence or "", document or ""):
        try:
            text.encode()
        except UnicodeEncodeError:
            return "half a character in the text"
    try:
        number = _whole(page, "page")
        count = _whole(_pick(row, _COUNT), "count")
        chunks = _chunks(_pick(row, _CHUNKS), _grades(row))
    except ValueError as error:
        return str(error)
    if document is not None and number is None and evidence is None and not chunks:
        return "a document without a page or evidence"
    if number is not None and document is None and evidence is None and not chunks:
        return "a page without its document"
    if count is not None and count < 1:
        return f"the count {count} is below 1"
    return HumanQuestion(
        question.strip(), evidence, document, number, where, tuple(chunks), tuple(chunks.values()), count or 1
    )


def unread_columns(row: Mapping[Any, Any]) -> list[str]:
    """The columns with a value that say nothing to embft, or that another one speaks for."""
    filled = {plain_name(key) for key, value in row.items() if value not in (None, "", [])}
    used = {"page", *_IDS}
    for names in (QUESTION_COLUMNS, _EVIDENCE, _DOCUMENT, _CHUNKS, _GRADES, _COUNT):
        used |= set([name for name in names if name in filled][:1])
    return [str(key) for key in row if plain_name(key) in filled - used]


def _pick(row: Mapping[str, object], names: tuple[str, ...]) -> Any:
    return next((row[name] for name in names if row.get(name) not in (None, "", [])), None)


def _whole(value: Any, name: str) -> int | None:
    if value is None:
        return None
    try:
        if isinstance(value, str) and _THOUSANDS.fullmatch(value.strip()):
            value = value.replace(",", "")
        number = float(value)
        if isinstance(value, bool) or not number.is_integer() or abs(number) > _MOST:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"the {name} {json.dumps(value, default=str)[:40]} is no whole number") from None
    return int(number)


def _grades(row: Mapping[str, object]) -> Any:
    """What a row says of grades; None where it has no such column."""
    named = [name for name in _GRADES if name in row]
    if named and _pick(row, _GRADES) is None and row[named[0]] != [] and _pick(row, _CHUNKS) is not None:
        raise ValueError(f"no value in {named[0]}; where nobody graded, leave the column out")
    return _pick(row, _GRADES)


def _chunks(ids: Any, grades: Any) -> dict[str, int]:
    """Chunk id to grade, from one id, several, several in a cell, or a map; without grades all are 1."""
    if ids is None:
        return {}
    if isinstance(ids, Mapping):
        return {str(key): _grade(grade) for key, grade in ids.items()}
    names = _list(ids)
    if not all(isinstance(name, str | int) and not isinstance(name, bool) for name in names):
        raise ValueError("the chunk ids are no list of ids")
    keys = [str(name) for name in names]
    if isinstance(grades, Mapping):
        if strange := next((key for key in grades if key not in keys), None):
            raise ValueError(f"a grade for '{strange}', which is none of the chunk ids")
        return {key: _grade(grades.get(key, 1)) for key in keys}
    given = [1] * len(keys) if grades is None else [_grade(grade) for grade in _list(grades)]
    if len(given) == 1:
        given *= len(keys)
    if len(given) != len(keys):
        raise ValueError(f"{len(given)} grades for {len(keys)} chunk ids")
    chunks: dict[str, int] = {}
    for key, grade in zip(keys, given, strict=True):
        if chunks.setdefault(key, grade) != grade:
            raise ValueError(f"the chunk '{key}' has the grades {chunks[key]} and {grade}")
    return chunks


def _list(value: Any) -> list[Any]:
    """A list, or a cell that holds one: as JSON, or with spaces or bars between."""
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, str):
        if value.strip()[:1] == "[":
            try:
                parsed = json.loads(value)
            except ValueError:
                parsed = None
            if isinstance(parsed, list):
                return parsed
        for separator in ("|", ";"):
            if separator in value:
                return [part.strip() for part in value.split(separator) if part.strip()]
    return [value]


def _grade(value: Any) -> int:
    if value is None:
        raise ValueError("a grade has no value")
    return max(0, _whole(value, "grade") or 0)
