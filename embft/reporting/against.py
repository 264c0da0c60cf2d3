"""Jobs against one chosen job, question by question, with intervals and a correction for their number."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from embft.evaluation.multiple import holm
from embft.reporting.jobs import Job


@dataclass(frozen=True)
class Against:
    """A job's difference to the chosen one.

    Attributes:
        delta, ci95, p_value: As in `embft.evaluation.significance.Comparison`.
        p_holm: Adjusted for the number of jobs that are compared.
    """

    delta: float
    ci95: tuple[float, float]
    p_value: float
    p_holm: float


def compare_jobs(jobs: Sequence[Job], chosen: Job, system: str, metric: str) -> list[Against | None]:
    """Each job's system against the chosen job's, on test.

    None for the chosen job, and for one that asked other test questions, lacks the system or did not finish. Rows are
    paired by question id and text, and weigh what they weigh in the chosen job (``evaluation.weights``).
    """
    kind = ((chosen.metrics or {}).get("askings") or {"weights": "none"})["weights"]
    baseline = _scores(chosen, system, metric)
    differences = [
        None if job is chosen or baseline is None else _compare(_scores(job, system, metric), baseline, kind)
        for job in jobs
    ]
    adjusted = iter(holm([result[2] for result in differences if result]))
    return [Against(*result, next(adjusted)) if result else None for result in differences]


_Scores = Mapping[tuple[str, str], tuple[float, tuple[str, ...], int]]
"""By question id and text: score, relevant chunks, how often it was asked."""


def _compare(own: _Scores | None, baseline: _Scores, kind: str) -> tuple[float, tuple[float, float], float] | None:
    if not own or own.keys() != baseline.keys():
        return None
    # Imported here: listing jobs must not wait for NumPy.
    import numpy as np

    from embft.evaluation.dependence import Dependence
    from embft.evaluation.significance import compare
    from embft.evaluation.weights import Weights

    keys = list(baseline)
    names = [question_id for question_id, _ in keys]
    dependence = Dependence.of(names, {key[0]: baseline[key][1] for key in keys})
    one, other = (np.array([scores[key][0] for key in keys]) for scores in (own, baseline))
    weights = Weights.of(names, {key[0]: baseline[key][2] for key in keys}, kind)
    comparison = compare(one, other, dependence, weights=weights)
    return comparison.delta, comparison.ci95, comparison.p_value


def _scores(job: Job, system: str, metric: str) -> _Scores | None:
    if not job.metrics:
        return None
    try:
        with (job.folder / "per_query.jsonl").open(encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        return {
            (row["question_id"], row["question"]): (
                row["systems"][system][metric],
                tuple(row["relevant"]),
                int(row.get("count", 1)),
            )
            for row in rows
        }
    except (OSError, ValueError, KeyError):
        return None
