"""Judgements by people, out of a file: JSON Lines with a question, a chunk, a grade and a name.

``{"question_id": "q1", "chunk_id": "c7", "grade": 2, "judge": "ann"}``; the question's text under ``question`` will do instead of
its id, and other keys are passed over: the log of ``scripts/label.py`` is such a file. A grade of null, with which somebody takes
a judgement back, removes that judge's earlier one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from embft.errors import DatasetError
from embft.foreign_json import parse_json
from embft.judging.judgements import TOP, Judgement
from embft.records import RetrievalDataset
from embft.text.known_ids import KnownIds
from embft.text.outside import decoded, lines_of

_FORM = '{"question_id": "...", "chunk_id": "...", "grade": 0 to 3, "judge": "a name"}'
_UNNAMED = "somebody"


@dataclass(frozen=True)
class PeoplesJudgements:
    """What a file holds.

    Attributes:
        judgements: One for each pair: of several judges' grades the middle one, the lower of two.
        notes: What was passed over, and how many judges there are.
    """

    judgements: tuple[Judgement, ...]
    notes: tuple[str, ...]


def read_people(path: Path, dataset: RetrievalDataset) -> PeoplesJudgements:
    """Reads a file of judgements about a dataset's questions.

    Raises:
        DatasetError: The file cannot be read, a line is no judgement, or no line is about this dataset.
    """
    by_text = {text.strip(): key for key, text in dataset.queries.items()}
    question_ids, chunk_ids = KnownIds(dataset.queries.keys()), KnownIds(dataset.corpus.keys())
    given: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    strangers, rows, hint = 0, 0, ""
    lines, of_file = _lines(path)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        rows += 1
        question, chunk, grade, judge = _row(path, number, line)
        question_id, chunk = question_ids.find(question), chunk_ids.find(chunk)
        question_id = question_id if question_id in dataset.queries else by_text.get(question.strip(), "")
        if not chunk:
            continue  # the judge found nothing to judge
        if question_id not in dataset.queries or chunk not in dataset.corpus:
            strangers += 1
            hint = hint or (chunk_ids.hint(chunk) if question_id in dataset.queries else question_ids.hint(question))
        elif grade is None:
            given[question_id, chunk].pop(judge, None)
        else:
            given[question_id, chunk][judge] = grade
    judgements = tuple(
        Judgement(question_id, chunk_id, _middle(own), " and ".join(sorted(own)))
        for (question_id, chunk_id), own in sorted(given.items())
        if own
    )
    if not judgements:
        raise DatasetError(
            f"evaluation.judge={path}: none of its {rows:,} lines judges a test question of this dataset and a chunk that it "
            f"searches. Was it written for another dataset, or for other chunks?{hint}{''.join(f' {note}' for note in of_file)}"
        )
    judges = sorted({name for own in given.values() for name in own})
    notes = [f"{path.name}: {len(judgements):,} judgements by {', '.join(judges)}."]
    if strangers:
        notes.append(
            f"{strangers:,} lines of {path.name} are about other questions or chunks and were passed over{hint}."
        )
    return PeoplesJudgements(judgements, (*notes, *of_file))


def _lines(path: Path) -> tuple[list[str], list[str]]:
    """The lines of a file, and what a person should know about it: whoever wrote it may have been stopped in its last line."""
    try:
        file = decoded(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DatasetError(f"evaluation.judge={path} cannot be read: {error}.") from error
    lines, notes = lines_of(file.text), [f"{path.name} {note}." for note in file.notes]
    if (cut := lines[-1].strip()) and not _is_json(cut):
        notes.append(f"Line {len(lines):,} of {path.name}, its last one, is cut off and was left out: {cut[:60]}")
        lines.pop()
    return lines, notes


def _row(path: Path, number: int, line: str) -> tuple[str, str, int | None, str]:
    def wrong(what: str) -> DatasetError:
        return DatasetError(f"evaluation.judge={path}, line {number}: {what}. A line is {_FORM}.")

    try:
        parse_json(line, strict=True)  # no key twice
        row = parse_json(line)  # NaN is no grade, and takes none back
    except ValueError as error:
        raise wrong(f"this is no JSON ({error})") from None
    if not isinstance(row, Mapping):
        raise wrong("this is no JSON object")
    question, chunk, grade = row.get("question_id", row.get("question")), row.get("chunk_id"), row.get("grade")
    if not isinstance(question, str) or not isinstance(chunk, str) or "grade" not in row:
        raise wrong("question_id (or question), chunk_id or grade is missing")
    if grade is not None and (type(grade) is not int or not 0 <= grade <= TOP):
        raise wrong(f"the grade is {grade!r}, where 0, 1, 2 or 3 is wanted")
    judge = row.get("judge") or row.get("name") or _UNNAMED
    return question, chunk, grade, str(judge)


def _is_json(line: str) -> bool:
    try:
        parse_json(line)
    except ValueError:
        return False
    return True


def _middle(grades: Mapping[str, int]) -> int:
    ordered = sorted(grades.values())
    return ordered[(len(ordered) - 1) // 2]
