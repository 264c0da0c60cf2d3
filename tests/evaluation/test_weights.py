"""Questions that count as often as they were asked."""

from __future__ import annotations

import numpy as np
import pytest

from embft.evaluation.bootstrap import prospects_of
from embft.evaluation.dependence import Dependence
from embft.evaluation.significance import compare, mean_interval
from embft.evaluation.slices import slices
from embft.evaluation.weights import Weights, how_often

DICE = np.random.default_rng(11)


def weights_of(counts):
    ids = [str(place) for place in range(len(counts))]
    return Weights.of(ids, dict(zip(ids, counts, strict=True)), "count")


def test_equal_counts_change_no_figure():
    one, other = DICE.random(40), DICE.random(40)
    dependence = Dependence.none(40)
    equal = weights_of([3] * 40)
    assert mean_interval(one, dependence, weights=equal) == mean_interval(one, dependence)
    assert compare(one, other, dependence, weights=equal) == compare(one, other, dependence)
    scores = {"base": one, "tuned": other}
    assert prospects_of(scores, dependence, 500, weights=equal) == prospects_of(scores, dependence, 500)


def test_without_being_asked_for_counts_do_not_weigh():
    assert Weights.of(["a", "b"], {"a": 9}, "none").shares is None


def test_the_mean_is_that_over_all_askings():
    counts, scores = [1, 4, 10, 2], np.array([0.1, 0.9, 0.5, 0.0])
    assert weights_of(counts).mean(scores) == pytest.approx(np.repeat(scores, counts).mean())
    low, high = mean_interval(scores, Dependence.none(4), weights=weights_of(counts))
    assert low < np.repeat(scores, counts).mean() < high


def test_a_few_frequent_questions_are_worth_few_questions():
    weights = weights_of([1000, 1000] + [1] * 98)
    assert weights.worth == pytest.approx(2, abs=0.3)
    assert weights.freedom < 5
    scores = DICE.random(100)
    wide, narrow = (mean_interval(scores, Dependence.none(100), weights=one) for one in (weights, None))
    assert wide[1] - wide[0] > 3 * (narrow[1] - narrow[0])


def test_degrees_of_freedom_are_those_of_the_matrix():
    shares = np.array([0.4, 0.3, 0.2, 0.06, 0.04])
    remainders = np.eye(5) - np.outer(np.ones(5), shares)
    form = remainders.T @ np.diag(shares**2 / (1 - shares)) @ remainders
    expected = np.trace(form) ** 2 / np.trace(form @ form)
    assert Weights(5, shares).freedom == pytest.approx(expected)
    assert Weights(5, np.full(5, 0.2)).freedom == pytest.approx(4)


@pytest.mark.parametrize("spread", [0.5, 1.0, 1.5])
def test_intervals_of_weighted_differences_hold_the_truth(spread):
    """95% intervals over draws of questions, some of which are asked far more often than others."""
    random = np.random.default_rng(5)
    held = 0
    trials = 400
    for _ in range(trials):
        weights = weights_of(np.ceil(random.lognormal(1, spread, 80)).astype(int).tolist())
        differences = random.choice([-1.0, 0.0, 0.0, 0.5, 1.0], size=80)  # 0.1 on the average
        found = compare(np.maximum(differences, 0), np.maximum(-differences, 0), Dependence.none(80), weights=weights)
        held += found.ci95[0] <= 0.1 <= found.ci95[1]
    assert 0.92 <= held / trials <= 0.985


def test_swapping_systems_mirrors_a_weighted_comparison():
    one, other, weights = DICE.random(30), DICE.random(30), weights_of(list(range(1, 31)))
    forth = compare(one, other, Dependence.none(30), weights=weights)
    back = compare(other, one, Dependence.none(30), weights=weights)
    assert forth.delta == -back.delta
    assert forth.ci95 == pytest.approx((-back.ci95[1], -back.ci95[0]))
    assert (forth.wins, forth.losses) == (back.losses, back.wins)


def test_the_system_that_answers_frequent_questions_has_the_better_prospects():
    counts = [50] * 10 + [1] * 40
    frequent = np.array([1.0] * 10 + [0.3] * 40)
    rare = np.array([0.3] * 10 + [1.0] * 40)
    scores = {"bm25": frequent, "base": rare}
    plain = prospects_of(scores, Dependence.none(50), 2000)
    weighted = prospects_of(scores, Dependence.none(50), 2000, weights=weights_of(counts))
    assert plain.chance_best["base"] > 0.9
    assert weighted.chance_best["bm25"] > 0.9


def test_head_torso_and_tail_have_a_third_of_the_askings_and_enough_questions():
    counts = [100] * 5 + [40] * 20 + [5] * 60 + [1] * 200
    labels = how_often(counts)
    assert list(dict.fromkeys(labels)) == ["head: asked 40 to 100 times", "torso: asked 5 times", "tail: asked once"]
    assert [labels.count(label) for label in dict.fromkeys(labels)] == [25, 60, 200]


def test_questions_that_were_all_asked_equally_often_have_no_head():
    assert how_often([1] * 50) == [None] * 50


def test_a_slice_is_weighted_too():
    counts = [9] * 20 + [1] * 20
    scores = {"base": np.array([1.0] * 20 + [0.0] * 20)}
    traits = [{"document": "a" if place % 2 else "b"} for place in range(40)]
    rows = slices(scores, Dependence.none(40), traits, [], weights=weights_of(counts))
    assert [row.systems["base"].mean for row in rows] == pytest.approx([0.9, 0.9])
