"""Files of people's questions: JSON Lines, tables, or one question per line as query logs have them."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from embft.errors import QuestionError
from embft.foreign_json import parse_json
from embft.questions.human_rows import KNOWN_COLUMNS, QUESTION_COLUMNS, HumanQuestion, question_of, unread_columns
from embft.questions.labels import is_labelled, unlabelled
from embft.text.outside import decoded, lines_of, require_file
from embft.text.rows import JSON_LINES, PARQUET, SEPARATED, Rows, plain_name, read_rows, separated_rows

logger = logging.getLogger(__name__)

BUNDLED = "bundled:"
_NO_TEXT = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b")
_BULLET = re.compile(r"\s*(?:[-*+•·◦▪●○■–—]\s+(?:\[[ xX]\]\s+)?|[•◦▪●■]\s*)")
_SHOWN_COLUMNS = 12
_LOOKED_AT, _COMMAS = 20, 2  # lines that all have as many commas are rows, whatever their first one names
_FORMS = (
    'A line is {"question": "...", "evidence": "a quote that answers it"} or {"question": "...", "document": "file.pdf", '
    '"page": 12} or {"question": "...", "chunk_ids": ["..."]} or the question alone; a table has these columns'
)


@dataclass(frozen=True)
class HumanFile:
    """What a file of questions holds.

    Attributes:
        notes: What was guessed or left out, a sentence each.
    """

    questions: list[HumanQuestion]
    notes: tuple[str, ...] = ()


def read_human(source: str) -> list[HumanQuestion]:
    """The questions of a file; see `read_human_file`."""
    return read_human_file(source).questions


def read_human_file(source: str) -> HumanFile:
    """Reads questions with ``evidence`` (a quote), ``document`` and ``page``, ``chunk_ids`` (and ``grades``), or nothing.

    JSON Lines, a table (CSV, TSV, Parquet), or a text file with one question per line, in any encoding. ``count`` says how
    often each was asked.

    Args:
        source: A path, or ``bundled:NAME`` for questions that embft carries.

    Raises:
        QuestionError: No such file, or lines that cannot be used; names file and line, all of them at once.
    """
    questions: list[HumanQuestion] = []
    wrong: list[str] = []
    notes: list[str] = []
    unread: dict[str, None] = {}
    for where, row in _rows(source, notes):
        parsed = question_of(row, where)
        if isinstance(row, Mapping):
            unread |= dict.fromkeys(unread_columns(row))
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
    if unread:
        listed = ", ".join(list(unread)[:_SHOWN_COLUMNS]) + (", ..." if len(unread) > _SHOWN_COLUMNS else "")
        notes.append(f"Columns of {source} that were not read: {listed}.")
    for note in notes:
        logger.warning("%s", note)
    return HumanFile(questions, tuple(notes))


def _rows(source: str, notes: list[str]) -> Iterator[tuple[str, Any]]:
    """Each row with its place; a row that cannot be read is its reason in words.

    Args:
        notes: Gets what a person should know.
    """
    if source.startswith(BUNDLED):
        for name, text in _bundled(source):
            yield from _json_lines(name, text)
        return
    path = Path(source).expanduser()
    try:
        require_file(path)
        if path.suffix.lower() == PARQUET:
            yield from _table(path, read_rows(path, KNOWN_COLUMNS))
            return
        content = path.read_bytes()
        if content.startswith(_NO_TEXT):
            raise ValueError("a packed file such as Excel's, or a PDF, not text: save it as CSV (UTF-8)")
        file = decoded(content)
        notes += [f"{path} {note}." for note in file.notes]
        text = file.text
        form = _form(path, text)
        if form == "json":
            yield from _json_lines(str(path), text)
        elif form == "table":
            yield from _table(path, separated_rows(text, KNOWN_COLUMNS))
        else:
            yield from _plain_lines(path, text, notes)
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
    if names & set(QUESTION_COLUMNS) or any(separator in first for separator in ";\t|"):
        return "table"
    cells = {line.count(",") for line in [line for line in lines_of(text) if line.strip()][:_LOOKED_AT]}
    return "table" if len(cells) == 1 and min(cells) >= _COMMAS else "lines"


def _json_lines(name: str, text: str) -> Iterator[tuple[str, Any]]:
    if text.lstrip()[:1] == "[":
        try:
            rows = parse_json(text, strict=True)
        except ValueError as error:
            raise ValueError(f"not a JSON list ({error})") from error
        for at, row in enumerate(rows, 1):
            yield f"{name}, item {at}", {"question": row} if isinstance(row, str) else row
        return
    for at, line in enumerate(lines_of(text), 1):
        if not line.strip():
            continue
        try:
            yield f"{name}, line {at}", parse_json(line, strict=True)
        except json.JSONDecodeError as error:
            yield f"{name}, line {at}", f"not JSON ({error.msg})"
        except ValueError as error:
            yield f"{name}, line {at}", f"not JSON ({error})"


def _plain_lines(path: Path, text: str, notes: list[str]) -> Iterator[tuple[str, Any]]:
    """One question per line, without the bullets of a list; its numbers go where most lines have one."""
    lines = [(at, line) for at, line in enumerate(lines_of(text), 1) if line.strip()]
    texts = [_BULLET.sub("", line, count=1) for _, line in lines]
    numbered = [unlabelled(line) if is_labelled(line) else line for line in texts]
    changed = sum(one != other for one, other in zip(numbered, texts, strict=True))
    if changed > len(lines) / 2:
        texts = numbered
    bare = sum(one.strip() != line.strip() for one, (_, line) in zip(texts, lines, strict=True))
    if bare:
        first = next(at for one, (at, line) in zip(texts, lines, strict=True) if one.strip() != line.strip())
        notes.append(
            f"{path}: {bare:,} lines lost the bullet or number before their question, the first in line {first}."
        )
    yield from (
        (f"{path}, line {at}", {"question": one}) for one, (at, _) in zip(texts, lines, strict=True) if one.strip()
    )


def _table(path: Path, rows: Rows) -> Iterator[tuple[str, Any]]:
    if not set(rows.columns) & set(QUESTION_COLUMNS):
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
