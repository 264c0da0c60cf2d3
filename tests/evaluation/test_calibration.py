"""benchmarks/bench_calibration.py in short form: 95% intervals hold the truth in about 95 of 100 cases."""

import sys
from pathlib import Path

import numpy as np
import pytest

from embft.evaluation.dependence import Dependence
from embft.evaluation.significance import compare, mean_interval

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import simulated_questions as simulated

TRIALS = 400
LOW, HIGH = 0.92, 0.985
"""93 to 97%, widened by two standard errors of 400 trials, and a little where no variance is shared at all."""


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("structure", "size"), [("siblings", 50), ("cranfield_like", 200), ("giant", 50), ("giant", 200)]
)
def test_intervals_hold_the_truth_and_tests_reject_one_null_in_twenty(structure, size, share):
    differences, means = [], []
    kind = simulated.Kind("nDCG", simulated.ndcg_of_many)
    truth = simulated.true_mean(kind.score, 0.0)
    for number in range(8):
        random = np.random.default_rng([number, size])
        relevant = simulated.relevant_docs(getattr(simulated, structure)(size, random))
        dependence = Dependence.of(list(relevant), relevant)
        structured = [[int(chunk) for chunk in chunks] for chunks in relevant.values()]
        one, other = simulated.scores_of_two(structured, kind, share, TRIALS // 8, random)
        for mine, theirs in zip(one, other, strict=True):
            comparison = compare(mine, theirs, dependence)
            differences.append(comparison.ci95[0] <= 0 <= comparison.ci95[1])
            assert differences[-1] == (comparison.p_value >= 0.05)
            low, high = mean_interval(mine, dependence)
            means.append(low <= truth <= high)
    assert LOW <= np.mean(differences) <= HIGH
    assert LOW <= np.mean(means) <= HIGH


def test_taken_for_independent_linked_questions_would_deceive():
    random = np.random.default_rng(0)
    structure = simulated.giant(200, random)
    kind = simulated.Kind("nDCG", simulated.ndcg_of_many)
    one, other = simulated.scores_of_two(structure, kind, 1.0, 200, random)
    alone = Dependence.none(200)
    rejected = np.mean([compare(mine, theirs, alone).p_value < 0.05 for mine, theirs in zip(one, other, strict=True)])
    assert rejected > 0.2
