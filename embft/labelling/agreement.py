"""Two people's labels side by side: how far they agree, and what comes of joining them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from embft.errors import QuestionError
from embft.evaluation.kappa import cohen_kappa
from embft.files import write_jsonl
from embft.labelling.labels import log_of, read_log, result_rows

Pair = tuple[str, str]
_SHOWN = 10


def compare(one: Path, other: Path) -> str:
    """Says how far two files agree on the pairs that both judge.

    Args:
        one, other: Results or their logs.

    Raises:
        QuestionError: A file is missing or no labels, or no pair is in both.
    """
    left, right = _grades(one)[0], _grades(other)[0]
    both = [pair for pair in left if pair in right]
    if not both:
        raise QuestionError(f"{one} and {other} judge no question and chunk that the other one judges too.")
    lefts, rights = [left[pair] for pair in both], [right[pair] for pair in both]
    lines = [f"{len(both):,} pairs of question and chunk are in both."]
    for words, least in (("the same grade", None), ("relevant or not, from 1", 1), ("answers it, from 2", 2)):
        ours, theirs = ([grade if least is None else int(grade >= least) for grade in own] for own in (lefts, rights))
        lines.append(f"{words}: {_said(ours, theirs)}")
    differing = sorted(
        (pair for pair in both if left[pair] != right[pair]), key=lambda pair: -abs(left[pair] - right[pair])
    )
    for question, chunk in differing[:_SHOWN]:
        lines.append(f"  {left[question, chunk]} and {right[question, chunk]}: {question}  [{chunk}]")
    if len(differing) > _SHOWN:
        lines.append(f"  ... and {len(differing) - _SHOWN:,} more")
    return "\n".join(lines)


def merge(paths: Sequence[Path], out: Path) -> str:
    """Joins labels of several people into one file for ``questions.human``.

    Where they differ the middle grade counts; of two, the lower one: what only one person sees as relevant is not taken for it.

    Raises:
        QuestionError: A file is missing or no labels, or the new file would overwrite something.
    """
    if out.exists():
        raise QuestionError(f"{out} is there already. Give --out a new name.")
    given: dict[Pair, list[int]] = defaultdict(list)
    written: dict[str, str] = {}
    for path in paths:
        grades, own = _grades(path)
        written |= own
        for pair, grade in grades.items():
            given[pair].append(grade)
    merged: dict[str, dict[str, int]] = defaultdict(dict)
    for (question, chunk), own_grades in given.items():
        merged[question][chunk] = sorted(own_grades)[(len(own_grades) - 1) // 2]
    write_jsonl(out, result_rows(merged, written))
    several = sum(len(own_grades) > 1 for own_grades in given.values())
    differing = sum(len(set(own_grades)) > 1 for own_grades in given.values())
    return (
        f"{len(merged):,} questions with {len(given):,} judgements are in {out}. {several:,} pairs were judged more than once, "
        f"{differing:,} of them differently."
    )


def _grades(path: Path) -> tuple[Mapping[Pair, int], dict[str, str]]:
    """The last grade of each pair, and the questions that were written."""
    log = path if path.name.endswith(".log.jsonl") else log_of(path)
    if not log.is_file():
        raise QuestionError(f"{log} is not there: labels of this program come with a log beside them.")
    grades: dict[Pair, int] = {}
    written: dict[str, str] = {}
    for label in read_log(log):
        pair = label.question, label.chunk_id
        grades.pop(pair, None)
        if label.grade is not None:
            grades[pair] = label.grade
        if label.written:
            written[label.question] = label.chunk_id
    asked = {question for question, _ in grades}
    return grades, {question: chunk for question, chunk in written.items() if question in asked}


def _said(ours: Sequence[int], theirs: Sequence[int]) -> str:
    same = sum(left == right for left, right in zip(ours, theirs, strict=True)) / len(ours)
    kappa, interval = cohen_kappa(ours, theirs)
    if kappa is None or interval is None:
        return f"{same:.0%} agree; both gave one and the same answer always, so there is no kappa"
    return f"{same:.0%} agree, Cohen's kappa {kappa:.2f} [{interval[0]:.2f}, {interval[1]:.2f}]"
