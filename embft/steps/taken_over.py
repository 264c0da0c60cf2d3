"""Dev and test questions of another run (``dataset.test_from``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from embft.dataset.formats import read_llama_index
from embft.dataset.holding_back import HELD, HeldBack, held_back_of
from embft.errors import DatasetError
from embft.files import digest, file_digest, iter_jsonl
from embft.questions import Unmapped
from embft.questions.relocating import Relocator
from embft.records import Page, Place, Question, RetrievalDataset

HELD_BACK = "held_back.jsonl"
"""In the folder ``dataset`` of a run: its dev and test questions with their evidence."""


def take_over(source: str, pages: Sequence[Page]) -> tuple[HeldBack, list[Unmapped]]:
    """The questions, with their evidence in these pages, and those without.

    Raises:
        DatasetError: There is no such run or file, it cannot be read, or none of its questions has its place here.
    """
    files = _files(source)
    if files[0].suffix == ".jsonl":
        try:
            there = held_back_of(iter_jsonl(files[0]), {})
        except ValueError as error:
            raise DatasetError(f"dataset.test_from={source}: {files[0]} is not what a run leaves: {error}.") from None
    else:
        there = HeldBack({name: [] for name in HELD} | {path.stem: _asked(read_llama_index(path)) for path in files})
    relocator = Relocator(pages)
    questions, lost = {}, []
    for name in HELD:
        questions[name], missing = relocator.relocate(there.questions[name])
        lost += missing
    if not questions["test"]:
        shown = "\n".join(f"  - {row.question[:80]}: {row.reason}" for row in lost[:5])
        raise DatasetError(
            f"dataset.test_from={source}: none of its {len(there.questions['test']):,} test questions has its place in this "
            f"corpus. Is it the corpus that they were asked about?\n{shown}"
        )
    stretches = {
        name: [here for place in places if (here := relocator.stretch(place))]
        for name, places in there.stretches.items()
    }
    left_out = {"questions of dataset.test_from without a place in this corpus": len(lost)} if lost else {}
    return HeldBack(questions, stretches, left_out), lost


def source_digest(source: str) -> str:
    """Of the content of the files that are read."""
    return digest([file_digest(path) for path in _files(source)])


def _files(source: str) -> list[Path]:
    path = Path(source).expanduser()
    folder = path if path.is_dir() else path.parent
    for place in (path, path / "dataset"):
        if (place / HELD_BACK).is_file():
            return [place / HELD_BACK]
        if (place / "test.json").is_file():
            return [place / f"{name}.json" for name in HELD if (place / f"{name}.json").is_file()]
    if path.is_file() and path.suffix == ".jsonl":
        return [path]
    if path.is_file() and path.stem == "test":
        return [one for name in HELD if (one := folder / f"{name}.json").is_file()]
    raise DatasetError(
        f"dataset.test_from={source} is no run: give a run's folder, or {HELD_BACK} or test.json of its folder dataset. "
        f"Paths are relative to {Path.cwd()}."
    )


def _asked(dataset: RetrievalDataset) -> list[Question]:
    """Questions that are known by their chunks alone: each chunk's text is where they are answered."""
    return [
        Question(
            question_id,
            text,
            dataset.relevant_docs[question_id],
            "file",
            grades=tuple(dataset.grade(question_id, key) for key in dataset.relevant_docs[question_id])
            if question_id in dataset.grades
            else (),
            places=tuple((Place("", None, 0, 0, dataset.corpus[key]),) for key in dataset.relevant_docs[question_id]),
            whole=False,
        )
        for question_id, text in dataset.queries.items()
    ]
