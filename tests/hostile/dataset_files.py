"""Files of datasets and questions that are read, and what must come out of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from embft.dataset.validation import validate
from embft.errors import EmbftError
from embft.records import RetrievalDataset

Answers = dict[str, dict[str, int]]
"""Question to passage to grade."""
SLOWEST = 5.0
"""Seconds of CPU for one small file."""
Q, P, Q2, P2 = (
    "When is high water?",
    "Fifty minutes later\neach day; so it is.",
    "什么时候涨潮？",
    "每天晚五十分钟, “约”",
)
TWO: Answers = {Q: {P: 1}, Q2: {P2: 1}}
ONE: Answers = {Q: {P: 1}}


Reader = Callable[[Path, str], tuple[Answers, str]]
"""From a folder and the name of its first file to what is answered, and the notes."""


@dataclass(frozen=True)
class Case:
    """A file or folder and what must come out of it.

    Attributes:
        files: Name to content.
        right: Each question's passages with their grades, or words of the refusal.
        said: Words of the note that says what is left out.
    """

    name: str
    files: Mapping[str, bytes]
    right: Answers | str
    said: str = ""


def case(name: str, content: Any, right: Answers | str, said: str = "", file: str = "a.jsonl") -> Case:
    """A case of one file; of several where the content is a mapping of names to contents."""
    files = content if isinstance(content, dict) else {file: content}
    return Case(name, {key: _bytes(value) for key, value in files.items()}, right, said)


def _bytes(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode("utf-8", "surrogatepass")
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in content).encode()


def cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def each(cases: list[Case]) -> Any:
    """Calls a test with each case."""
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


def answers_of(dataset: RetrievalDataset) -> Answers:
    for found in dataset.relevant_docs.values():
        assert all(key in dataset.corpus for key in found)
    return {
        dataset.queries[key]: {dataset.corpus[chunk]: dataset.grade(key, chunk) for chunk in ids}
        for key, ids in dataset.relevant_docs.items()
    }


def checked(dataset: RetrievalDataset) -> RetrievalDataset:
    """As the stage does before anything else sees a dataset."""
    if problems := validate(dataset, "test").fatal:
        raise EmbftError("\n".join(problems))
    return dataset


def check(case: Case, read: Reader, folder: Path) -> None:
    """Writes the files, reads them, and compares."""
    for name, content in case.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    begun = time.process_time()
    if isinstance(case.right, str):
        with pytest.raises(EmbftError) as caught:
            read(folder, next(iter(case.files)))
        assert case.right in str(caught.value)
    else:
        answers, notes = read(folder, next(iter(case.files)))
        assert answers == case.right
        assert case.said in notes
    assert time.process_time() - begun < SLOWEST
