"""All pairs at once are what each pair alone is."""

from __future__ import annotations

import numpy as np
import pytest

from embft.evaluation.dependence import Dependence
from embft.evaluation.pairwise import compare_pairs, pairs_of
from embft.evaluation.significance import compare
from embft.evaluation.weights import Weights

SHAPES = {
    "alone": {f"q{at}": [f"c{at}"] for at in range(40)},
    "twos": {f"q{at}": [f"c{at // 2}"] for at in range(40)},
    "some share": {f"q{at}": [f"c{at % 13}", f"c{(at * 7) % 29}"][: 1 + at % 2] for at in range(40)},
    "one chunk": {f"q{at}": ["c"] for at in range(40)},
    "one question": {"q0": ["c"]},
}


@pytest.mark.parametrize("kind", ["none", "count"])
@pytest.mark.parametrize("shape", SHAPES)
def test_each_pair_is_as_compared_alone(shape: str, kind: str) -> None:
    relevant = SHAPES[shape]
    names = list(relevant)
    dice = np.random.default_rng(1)
    scores = dice.integers(0, 4, size=(6, len(names))) / 4.0
    scores[3] = scores[1]  # equal rows
    scores[4] = scores[1] + 0.25  # a constant difference
    dependence = Dependence.of(names, relevant)
    weights = Weights.of(names, {name: 1 + at % 5 for at, name in enumerate(names)}, kind)
    pairs = compare_pairs(scores, dependence, weights)
    for at, (first, second) in enumerate(zip(*pairs_of(len(scores)), strict=True)):
        alone = compare(scores[first], scores[second], dependence, weights=weights)
        low, high = pairs.delta[at] - pairs.half[at], pairs.delta[at] + pairs.half[at]
        assert pairs.delta[at] == pytest.approx(alone.delta, abs=1e-12)
        assert (max(-1, low), min(1, high)) == pytest.approx(alone.ci95, abs=1e-9)
        assert pairs.p_value[at] == pytest.approx(alone.p_value, abs=1e-9)


def test_one_row_has_no_pairs() -> None:
    pairs = compare_pairs(np.ones((1, 3)), Dependence.none(3))
    assert len(pairs.delta) == len(pairs.half) == len(pairs.p_value) == 0
