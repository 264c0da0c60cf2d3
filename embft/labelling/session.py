"""What a person does at the page: looks at a question or a chunk, judges, writes, searches, takes back."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from typing import Any

from embft.errors import QuestionError
from embft.labelling.finder import Finder
from embft.labelling.labels import NO_CHUNK, TOP, LabelFile
from embft.labelling.marks import marks_of
from embft.labelling.source import LabelSource

DEPTH = 10
"""Chunks of each system that are pooled for a question that no run ranked; chunks that a search shows."""
_LONGEST = 2_000
"""Characters of a question."""


@dataclass
class Session:
    """One person's work. Every method may be called from any thread.

    Args:
        source: What is labelled.
        labels: Where it is saved.
    """

    source: LabelSource
    labels: LabelFile

    def __post_init__(self) -> None:
        self._finder = Finder(self.source.indexed, self.source.retrieval)
        self._lock = threading.Lock()
        self._pooled: dict[str, list[str]] = {}
        self._added: dict[str, list[str]] = {}
        # Chunks that nobody asks about first; else in an order that is no order of the documents, and always the same.
        self._chunks = sorted(
            self.source.passages, key=lambda key: (key in self.source.asked, _shuffled("chunks", key))
        )

    def overview(self) -> dict[str, Any]:
        """How much there is and how much is done, and where to go on."""
        with self._lock:
            done = [self._is_done(question) for question in self.source.questions]
            return {
                "name": self.source.name,
                "judge": self.labels.judge,
                "file": str(self.labels.path),
                "questions": len(done),
                "done": sum(done),
                "next": done.index(False) if False in done else 0,
                "chunks": len(self._chunks),
                "judgements": self.labels.judgements,
                "written": len(self.labels.written),
                "top": TOP,
            }

    def question(self, at: int) -> dict[str, Any]:
        """A question with its pool, in an order that hides which system found what."""
        with self._lock:
            text = self._question_at(at)
            grades = self.labels.grades(text)
            return {
                "at": at,
                "question": text,
                "chunks": [self._shown(key, text) | {"grade": grades.get(key)} for key in self._pool(text)],
            }

    def judge(self, at: int, chunk_id: str, grade: int) -> None:
        """Saves a grade.

        Raises:
            QuestionError: There is no such question or chunk, or the grade is out of range.
        """
        if type(grade) is not int or not 0 <= grade <= TOP:
            raise QuestionError(f"A grade is a whole number from 0 to {TOP}.")
        with self._lock:
            text = self._question_at(at)
            self._known(chunk_id)
            if self.labels.grades(text).get(chunk_id) != grade:
                self.labels.add(text, [(chunk_id, grade)])

    def nothing_answers(self, at: int) -> None:
        """Gives 0 to each chunk of the pool that has no grade yet; where there is none, to no chunk in particular."""
        with self._lock:
            text = self._question_at(at)
            grades = self.labels.grades(text)
            open_ones = [key for key in self._pool(text) if key not in grades]
            self.labels.add(text, [(key, 0) for key in open_ones] if grades or open_ones else [(NO_CHUNK, 0)])

    def undo(self) -> dict[str, Any]:
        """Takes the last key back; says which question it was about, where that is one of those to judge."""
        with self._lock:
            question = self.labels.undo()
            known = question in self.source.questions
            return {
                "undone": question,
                "at": list(self.source.questions).index(question) if question and known else None,
            }

    def search(self, at: int, text: str) -> list[dict[str, Any]]:
        """Chunks that a search box finds."""
        with self._lock:
            self._question_at(at)
            return [self._shown(key, text) for key in self._finder.best(_checked(text), DEPTH)]

    def pool_with(self, at: int, chunk_id: str) -> None:
        """Takes a chunk that was searched for into the pool of a question."""
        with self._lock:
            text = self._question_at(at)
            self._known(chunk_id)
            if chunk_id not in self._pool(text):
                self._added.setdefault(text, []).append(chunk_id)

    def chunk(self, at: int) -> dict[str, Any]:
        """A chunk to write a question about, with those that were written about it."""
        with self._lock:
            key = self._chunks[at % len(self._chunks)]
            own = [question for question, chunk in self.labels.written.items() if chunk == key]
            return {"at": at % len(self._chunks), **self._shown(key, ""), "written": own}

    def trace(self, chunk_id: str, text: str) -> dict[str, Any]:
        """How far the words of a question give its chunk away."""
        with self._lock:
            self._known(chunk_id)
            trace = self._finder.trace(_checked(text), chunk_id)
            return {"rank": trace.rank, "of": trace.of}

    def write(self, chunk_id: str, text: str) -> None:
        """Saves a question that was written for a chunk.

        Raises:
            QuestionError: It is empty, too long, or there already.
        """
        with self._lock:
            self._known(chunk_id)
            question = " ".join(_checked(text).split())
            if self.labels.grades(question).get(chunk_id) is not None:
                raise QuestionError("This question is there already.")
            self.labels.add(question, [(chunk_id, TOP)], written=True)

    def _pool(self, text: str) -> list[str]:
        """The question's pool, shuffled; then what was searched for or judged besides."""
        more = [*self._added.get(text, []), *self.labels.grades(text)]
        known = (key for key in more if key in self.source.passages)
        return list(dict.fromkeys([*self._found(text), *known]))

    def _found(self, text: str) -> list[str]:
        """What the systems found; for a question that no run ranked, what they find now."""
        if text not in self._pooled:
            search = self.source.search or self._finder.best
            pool = self.source.pools.get(text) or search(text, DEPTH)
            known = (key for key in pool if key in self.source.passages)
            self._pooled[text] = sorted(known, key=lambda key: _shuffled(text, key))
        return self._pooled[text]

    def _is_done(self, text: str) -> bool:
        grades = self.labels.grades(text)
        return bool(grades) and all(key in grades for key in self._found(text))

    def _shown(self, key: str, question: str) -> dict[str, Any]:
        passage = self.source.passages[key]
        return {
            "id": key,
            "text": passage.text,
            "document": passage.document,
            "page": passage.page,
            "marks": marks_of(question, passage.text) if question else [],
        }

    def _question_at(self, at: int) -> str:
        if not 0 <= at < len(self.source.questions):
            raise QuestionError(f"There is no question {at + 1}; there are {len(self.source.questions)}.")
        return self.source.questions[at]

    def _known(self, chunk_id: str) -> None:
        if chunk_id not in self.source.passages:
            raise QuestionError("There is no such chunk.")


def _checked(text: str) -> str:
    if not text.strip():
        raise QuestionError("The question is empty.")
    if len(text) > _LONGEST:
        raise QuestionError(f"The question has {len(text):,} characters; {_LONGEST:,} are the most.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise QuestionError("The question holds half a character. Type it again.") from None
    return text


def _shuffled(salt: str, key: str) -> str:
    return hashlib.sha256(f"{salt}\0{key}".encode()).hexdigest()
