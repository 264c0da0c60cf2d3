"""Files of people's questions: JSON Lines, tables, or one question per line as query logs have them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from embft.errors import QuestionError
from embft.text.outside import decoded, lines_of, parse_json
from embft.text.rows import JSON_LINES, PARQUET, SEPARATED, Rows, plain_name, read_rows, separated_rows

BUNDLED = "bundled:"
_QUESTION = (
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
_KNOWN = (*_QUESTION, *_EVIDENCE, *_DOCUMENT, "page", *_CHUNKS, *_GRADES, *_COUNT)
_NO_TEXT = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b")
_LOOKED_AT, _COMMAS = 20, 2  # lines that all have as many commas are rows, whatever their first one names
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")
_FORMS = (
    'A line is {"question": "...", "evidence": "a quote that answers it"} or {"question": "...", "document": "file.pdf", '
    '"page": 12} or {"question": "...", "chunk_ids": ["..."]} or the question alone; a table has these columns'
)


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


def read_human(source: str) -> list[HumanQuestion]:
    """Reads questions with ``evidence`` (a quote), ``document`` and ``page``, ``chunk_ids`` (and ``grades``), or nothing.

    JSON Lines, a table (CSV, TSV, Parquet), or a text file with one question per line. ``count`` says how often each was asked.

    Args:
        source: A path, or ``bundled:NAME`` for questions that embft carries.

    Raises:
        QuestionError: No such file, or lines that cannot be used; names file and line, all of them at once.
    """
    questions: list[HumanQuestion] = []
    wrong: list[str] = []
    for where, row in _rows(source):
        parsed = _parse(row, where)
        if isinstance(parsed, str):
            wrong.append(f"{where}: {parsed}")
        else:
            questions.append(parsed)
    if wrong:
        shown = "\n".join(f"  - {problem}" for problem in wrong[:10])
        more = f"\n  ... and {len(wrong) - 10} more" if len(wrong) > 10 else ""
        raise QuestionError(f"{len(wrong)} lines of human questions cannot be used. {_FORMS}:\n{shown}{more}")
    if not questions:
        raise QuestionError(f"questions.human={source} holds no question.")
    return questions


def _rows(source: str) -> Iterator[tuple[str, Any]]:
    """Each row with its place; a row that cannot be read is its reason in words."""
    if source.startswith(BUNDLED):
        for name, text in _bundled(source):
            yield from _json_lines(name, text)
        return
    path = Path(source).expanduser()
    try:
        if path.suffix.lower() == PARQUET:
            yield from _table(path, read_rows(path, _KNOWN))
            return
        content = path.read_bytes()
        if content.startswith(_NO_TEXT):
            raise ValueError("a packed file such as Excel's, or a PDF, not text: save it as CSV (UTF-8)")
        text = decoded(content)
        form = _form(path, text)
        if form == "json":
            yield from _json_lines(str(path), text)
        elif form == "table":
            yield from _table(path, separated_rows(text, _KNOWN))
        else:
            yield from (
                (f"{path}, line {at}", {"question": line}) for at, line in enumerate(lines_of(text), 1) if line.strip()
            )
    except FileNotFoundError as error:
        raise QuestionError(f"questions.human={source}: no such file (paths are relative to {Path.cwd()}).") from error
    except (ValueError, OSError) as error:
        raise QuestionError(f"questions.human={source} cannot be read: {error}.") from error


def _form(path: Path, text: str) -> str:
    """``json``, ``table`` or ``lines``."""
    suffix, start = path.suffix.lower(), text.lstrip()[:1]
    if suffix in {*JSON_LINES, ".json"} or start == "{":
        return "json"
    if suffix not in SEPARATED:
        return "lines"
    first = next((line for line in lines_of(text) if line.strip()), "")
    names = {plain_name(name.strip("\"'")) for separator in ",;\t|" for name in first.split(separator)}
    # A query log of one column often has no header: then its first line is a question too.
    if names & set(_QUESTION) or any(separator in first for separator in ";\t|"):
        return "table"
    cells = {line.count(",") for line in [line for line in lines_of(text) if line.strip()][:_LOOKED_AT]}
    return "table" if len(cells) == 1 and min(cells) >= _COMMAS else "lines"


def _json_lines(name: str, text: str) -> Iterator[tuple[str, Any]]:
    if text.lstrip()[:1] == "[":
        try:
            rows = parse_json(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"not a JSON list ({type(error).__name__ if not str(error) else error})") from error
        yield from ((f"{name}, item {at}", row) for at, row in enumerate(rows, 1))
        return
    for at, line in enumerate(lines_of(text), 1):
        if not line.strip():
            continue
        try:
            yield f"{name}, line {at}", parse_json(line)
        except json.JSONDecodeError as error:
            yield f"{name}, line {at}", f"not JSON ({error.msg})"
        except (ValueError, RecursionError) as error:
            yield (
                f"{name}, line {at}",
                f"not JSON ({'nested too deeply' if isinstance(error, RecursionError) else error})",
            )


def _table(path: Path, rows: Rows) -> Iterator[tuple[str, Any]]:
    if not set(rows.columns) & set(_QUESTION):
        raise ValueError(f"no column with questions. Columns found: {rows.layout}. Name one of them question")
    yield from ((f"{path}, row {at}", row) for at, row in rows.rows)


def _bundled(source: str) -> list[tuple[str, str]]:
    name = source.removeprefix(BUNDLED)
    folder = files("embft.corpus") / "bundled"
    every = sorted(item.name for item in folder.iterdir() if item.name.endswith(".jsonl"))
    chosen = [item for item in every if item == f"{name}.jsonl" or item.startswith(f"{name}.")]
    if not chosen:
        names = sorted({item.split(".")[0] for item in every})
        raise QuestionError(f"questions.human={source}: there are no such questions. Bundled: {', '.join(names)}.")
    return [(item, (folder / item).read_text(encoding="utf-8")) for item in chosen]


def _parse(row: Any, where: str) -> HumanQuestion | str:
    """The question of a row, or what is wrong with the row."""
    if isinstance(row, str):
        return row if row.startswith("not JSON") else "not an object"
    if not isinstance(row, Mapping):
        return "not an object"
    row = {plain_name(key): value for key, value in row.items()}
    question, evidence, document, page = (_pick(row, names) for names in (_QUESTION, _EVIDENCE, _DOCUMENT, ("page",)))
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
        chunks = _chunks(_pick(row, _CHUNKS), _pick(row, _GRADES))
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


def _pick(row: Mapping[str, object], names: tuple[str, ...]) -> Any:
    return next((row[name] for name in names if row.get(name) not in (None, "", [])), None)


def _whole(value: Any, name: str) -> int | None:
    if value is None:
        return None
    try:
        if isinstance(value, str) and _THOUSANDS.fullmatch(value.strip()):
            value = value.replace(",", "")
        number = float(value)
        if isinstance(value, bool) or not number.is_integer():
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"the {name} {json.dumps(value, default=str)[:40]} is no whole number") from None
    return int(number)


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
        return {key: _grade(grades.get(key, 1)) for key in keys}
    given = [1] * len(keys) if grades is None else [_grade(grade) for grade in _list(grades)]
    if len(given) == 1:
        given *= len(keys)
    if len(given) != len(keys):
        raise ValueError(f"{len(given)} grades for {len(keys)} chunk ids")
    return dict(zip(keys, given, strict=True))


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
    grade = _whole(value, "grade")
    return max(0, grade or 0)
