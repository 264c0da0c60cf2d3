"""Jobs against each other, question by question, with intervals and a correction for their number."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from embft.evaluation.multiple import holm
from embft.reporting.jobs import Job

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from embft.evaluation.dependence import Dependence
    from embft.evaluation.pairwise import Differences
    from embft.evaluation.weights import Weights


@dataclass(frozen=True)
class Against:
    """A job's difference to a chosen one.

    Attributes:
        delta, ci95, p_value: As in `embft.evaluation.significance.Comparison`.
        p_holm: Adjusted for the number of jobs that are compared to the chosen one.
    """

    delta: float
    ci95: tuple[float, float]
    p_value: float
    p_holm: float


@dataclass(frozen=True, eq=False)
class Paired:
    """Jobs that asked the same test questions.

    Attributes:
        places: Of these jobs among all.
        scores: float64 [n_jobs, n_questions], a system's by one metric.
        dependence, weights: Of the questions.
    """

    places: tuple[int, ...]
    scores: npt.NDArray[np.float64]
    dependence: Dependence
    weights: Weights

    @cached_property
    def pairs(self) -> Differences:
        """Of each two of the jobs, in the order of `embft.evaluation.pairwise.pairs_of`."""
        from embft.evaluation.pairwise import compare_pairs

        return compare_pairs(self.scores, self.dependence, self.weights)

    def restricted(self, places: Set[int]) -> Paired:
        """Some of the jobs."""
        kept = [at for at, place in enumerate(self.places) if place in places]
        return replace(self, places=tuple(self.places[at] for at in kept), scores=self.scores[kept])

    def against(self, place: int) -> dict[int, Against]:
        """All other jobs less the one at a place, by their places."""
        from embft.evaluation.pairwise import compare_rows

        chosen = self.places.index(place)
        rows = compare_rows(self.scores - self.scores[chosen], self.dependence, self.weights)
        others = [at for at in range(len(self.places)) if at != chosen]
        adjusted = holm([float(rows.p_value[at]) for at in others])
        return {
            self.places[at]: Against(
                float(rows.delta[at]),
                (max(-1.0, float(rows.delta[at] - rows.half[at])), min(1.0, float(rows.delta[at] + rows.half[at]))),
                float(rows.p_value[at]),
                p_holm,
            )
            for at, p_holm in zip(others, adjusted, strict=True)
        }


def pair_jobs(jobs: Sequence[Job], system: str, metric: str) -> list[Paired]:
    """The jobs whose questions can be paired, one `Paired` for each set of test questions that two or more of them asked.

    A job that did not finish, or lacks the system, is in none. Rows are paired by question id and text, and weigh what they
    weigh in the first of the jobs (``evaluation.weights``).
    """
    groups: dict[frozenset[tuple[str, str]], list[tuple[int, _Rows]]] = {}
    for place, job in enumerate(jobs):
        if rows := _rows(job, system, metric):
            groups.setdefault(frozenset(rows), []).append((place, rows))
    return [_paired(group, jobs[group[0][0]]) for group in groups.values() if len(group) > 1]


_Rows = Mapping[tuple[str, str], tuple[float, tuple[str, ...], int]]
"""By question id and text: score, relevant chunks, how often it was asked."""


def _paired(group: Sequence[tuple[int, _Rows]], first: Job) -> Paired:
    # Imported here: listing jobs must not wait for NumPy.
    import numpy as np

    from embft.evaluation.dependence import Dependence
    from embft.evaluation.weights import Weights

    kind = ((first.metrics or {}).get("askings") or {"weights": "none"})["weights"]
    own = group[0][1]
    keys = list(own)
    names = [question_id for question_id, _ in keys]
    scores = np.array([[rows[key][0] for key in keys] for _, rows in group])
    dependence = Dependence.of(names, {key[0]: own[key][1] for key in keys})
    weights = Weights.of(names, {key[0]: own[key][2] for key in keys}, kind)
    return Paired(tuple(place for place, _ in group), scores, dependence, weights)


def _rows(job: Job, system: str, metric: str) -> _Rows | None:
    if not job.metrics:
        return None
    try:
        with (job.folder / "per_query.jsonl").open(encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        return {
            (row["question_id"], row["question"]): (
                float(row["systems"][system][metric]),
                tuple(row["relevant"]),
                int(row.get("count", 1)),
            )
            for row in rows
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None
