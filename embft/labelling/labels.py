"""What people say of questions and chunks, saved key by key.

Two files lie side by side. ``NAME.log.jsonl`` gets a line for every key pressed, on the disk before the next one; it is what
``evaluation.judge`` reads. ``NAME.jsonl`` is the state of things, one line for each question, written anew after each key; it is
what ``questions.human`` reads. Only the log is ever read back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from filelock import FileLock, Timeout

from embft.errors import QuestionError
from embft.files import write_jsonl
from embft.foreign_json import parse_json
from embft.text.outside import lines_of

TOP = 3
"""Grades go from 0, says nothing of it, to 3, answers it wholly."""
NO_CHUNK = ""
"""In the place of a chunk: nothing was found that could be judged."""


@dataclass(frozen=True)
class Label:
    """One line of the log.

    Attributes:
        question: Its text.
        chunk_id: What is judged.
        grade: 0 to 3; None takes back what the same judge said before.
        judge: Who says so.
        action: Lines of one key press share a number; `LabelFile.undo` takes back all of them.
        written: The question was written for this chunk, and not asked by somebody else.
        undoes: The action that this line takes back.
        time: ISO 8601, UTC.
    """

    question: str
    chunk_id: str
    grade: int | None
    judge: str
    action: int
    written: bool = False
    undoes: int | None = None
    time: str = ""


@dataclass
class LabelFile:
    """The labels of one judge, open for more.

    Args:
        path: Of the result; the log lies beside it.
        judge: Whose labels are added.

    Raises:
        QuestionError: The log is not one, or another server writes to it.
    """

    path: Path
    judge: str
    _grades: dict[str, dict[str, int]] = field(default_factory=dict, init=False)
    _written: dict[str, str] = field(default_factory=dict, init=False)
    _actions: list[list[tuple[Label, int | None]]] = field(default_factory=list, init=False)
    _last: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.log = log_of(self.path)
        self._lock = FileLock(self.log.with_name(f".{self.log.name}.lock"))
        try:
            self._lock.acquire(timeout=1)
        except Timeout:
            raise QuestionError(
                f"{self.log} is being written by another page of this program. Close that one first, or give --out another "
                "name: files of two people are joined with --merge."
            ) from None
        _drop_half_line(self.log)
        if self.path.is_file() and not self.log.is_file():
            raise QuestionError(
                f"{self.path} is there, and {self.log.name} beside it is not: it would be overwritten. Give --out a new name."
            )
        for label in read_log(self.log):
            self._take(label)
        self._save_result()

    def close(self) -> None:
        """Lets another process write."""
        self._lock.release()

    def grades(self, question: str) -> dict[str, int]:
        """Chunk id to grade, of this judge."""
        return dict(self._grades.get(question, {}))

    @property
    def questions(self) -> list[str]:
        """Every question that has a label, in the order in which they came."""
        return list(self._grades)

    @property
    def written(self) -> dict[str, str]:
        """The questions that were written here, and the chunk of each."""
        return {question: chunk for question, chunk in self._written.items() if self._grades.get(question)}

    @property
    def judgements(self) -> int:
        """How many pairs of question and chunk have a grade."""
        return sum(chunk != NO_CHUNK for own in self._grades.values() for chunk in own)

    def add(self, question: str, grades: Iterable[tuple[str, int]], *, written: bool = False) -> None:
        """Saves what one key press says. It is on the disk when this returns.

        Args:
            question: Its text.
            grades: Chunk ids and their grades.
            written: See `Label`.
        """
        action = self._last + 1
        self._append(
            [Label(question, chunk, grade, self.judge, action, written, None, _now()) for chunk, grade in grades]
        )

    def undo(self) -> str | None:
        """Takes back the last action that is left. Returns its question; None where there is nothing to take back."""
        if not self._actions:
            return None
        undone = self._actions[-1]
        action = self._last + 1
        self._append(
            [
                Label(label.question, label.chunk_id, before, self.judge, action, False, label.action, _now())
                for label, before in reversed(undone)
            ]
        )
        return undone[0][0].question

    def _append(self, labels: Sequence[Label]) -> None:
        if not labels:
            return
        lines = "".join(f"{json.dumps(asdict(label), ensure_ascii=False)}\n" for label in labels)
        with self.log.open("ab") as log:
            log.write(lines.encode())
            log.flush()
            os.fsync(log.fileno())
        for label in labels:
            self._take(label)
        self._save_result()

    def _take(self, label: Label) -> None:
        self._last = max(self._last, label.action)
        own = self._grades.setdefault(label.question, {})
        before = own.pop(label.chunk_id, None)
        if label.grade is not None:
            own[label.chunk_id] = label.grade
        if not own:
            del self._grades[label.question]
        if label.written:
            self._written[label.question] = label.chunk_id
        if label.undoes is not None:
            if self._actions and self._actions[-1][0][0].action == label.undoes:
                self._actions.pop()
        elif self._actions and self._actions[-1][0][0].action == label.action:
            self._actions[-1].append((label, before))
        else:
            self._actions.append([(label, before)])

    def _save_result(self) -> None:
        if self._grades or self.path.is_file():
            write_jsonl(self.path, result_rows(self._grades, self._written))


def log_of(path: Path) -> Path:
    """The log beside a result."""
    return path.with_name(f"{path.stem}.log.jsonl")


def result_rows(grades: dict[str, dict[str, int]], written: dict[str, str]) -> Iterator[dict[str, object]]:
    """Lines that ``questions.human`` takes, one a question; chunks of grade 0 are named too."""
    for question, own in grades.items():
        judged = {chunk: grade for chunk, grade in own.items() if chunk != NO_CHUNK}
        row: dict[str, object] = {"question": question}
        if judged:
            row |= {"chunk_ids": list(judged), "grades": list(judged.values())}
        yield row | ({"written": True} if question in written else {})


def read_log(path: Path) -> list[Label]:
    """Every line of a log; empty where there is none.

    Raises:
        QuestionError: A line is none of a log's; says which.
    """
    if not path.is_file():
        return []
    labels = []
    for number, line in enumerate(lines_of(path.read_text(encoding="utf-8", errors="replace")), 1):
        if not line.strip():
            continue
        try:
            row = parse_json(line, strict=True)
            label = Label(
                str(row["question"]),
                str(row["chunk_id"]),
                row["grade"],
                str(row.get("judge") or "somebody"),
                int(row.get("action") or number),
                bool(row.get("written")),
                row.get("undoes"),
                str(row.get("time") or ""),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise QuestionError(
                f"{path}, line {number} is no line of a log of labels. Move the file away, or mend that line."
            ) from None
        if label.grade is not None and (type(label.grade) is not int or not 0 <= label.grade <= TOP):
            raise QuestionError(f"{path}, line {number}: the grade is {label.grade!r}, where 0 to {TOP} is wanted.")
        labels.append(label)
    return labels


def _drop_half_line(path: Path) -> None:
    """A process that was killed while it wrote leaves half a line at the end, which nobody was told was saved.

    A whole line there, which an editor left without its end, gets one.
    """
    if not path.is_file():
        return
    content = path.read_bytes()
    start = content.rfind(b"\n") + 1
    if start == len(content):
        return
    with path.open("r+b") as log:
        try:
            parse_json(content[start:].decode())
        except ValueError:
            log.truncate(start)
        else:
            log.seek(0, os.SEEK_END)
            log.write(b"\n")


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
