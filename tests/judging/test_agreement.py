"""Kappa, worked out on paper; and whom a judge favours."""

from __future__ import annotations

import pytest

from embft.evaluation.kappa import cohen_kappa
from embft.judging.agreement import agreement_of, favours, judge_of_systems
from embft.judging.judgements import JudgeOfSystem, Pair
from embft.records import Ranking, RetrievalDataset


def raters(table):
    """Two raters' grades out of a table of counts: row the first one's grade, column the other's."""
    pairs = [(one, other) for one, row in enumerate(table) for other, count in enumerate(row) for _ in range(count)]
    return [one for one, _ in pairs], [other for _, other in pairs]


def test_kappa_of_two_grades_by_hand():
    # Both say yes 15, both no 20, apart 5 and 10: they agree on 35 of 50 = .7; by chance (25 * 30 + 25 * 20) / 2500 = .5.
    kappa, interval = cohen_kappa(*raters([[20, 5], [10, 15]]))
    assert kappa == pytest.approx(0.4)
    # sqrt(.7 * .3 / 50) / .5 = .12961; 1.95996 times that is .25403.
    assert interval == pytest.approx((0.4 - 0.25403, 0.4 + 0.25403), abs=1e-4)


def test_kappa_of_three_grades_by_hand():
    # Agreed 4 + 3 + 1 = 8 of 12; by chance (5 * 6 + 4 * 4 + 3 * 2) / 144 = 52 / 144: (96 - 52) / (144 - 52) = 11 / 23.
    assert cohen_kappa(*raters([[4, 1, 0], [1, 3, 0], [1, 0, 2]]))[0] == pytest.approx((9 * 12 - 52) / (144 - 52))
    assert cohen_kappa(*raters([[4, 1, 0], [1, 3, 0], [1, 1, 1]]))[0] == pytest.approx((96 - 53) / (144 - 53))


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        ([[5, 0], [0, 5]], 1.0),
        ([[0, 5], [5, 0]], -1.0),
        ([[4, 4], [4, 4]], 0.0),
        ([[0, 0], [3, 7]], 0.0),  # labels of one kind alone: nothing can be beyond chance
        ([[0, 0], [0, 9]], None),  # both of one kind
        ([[0, 0], [0, 0]], None),
    ],
)
def test_kappa_at_the_ends(table, kappa):
    found, _ = cohen_kappa(*raters(table))
    assert found == (None if kappa is None else pytest.approx(kappa))


def test_agreement_counts_a_judge_s_grade_from_the_one_that_was_set():
    labels = {Pair("q", chunk): label for chunk, label in (("a", 1), ("b", 1), ("c", 0), ("d", 0))}
    grades = {Pair("q", "a"): 3, Pair("q", "b"): 1, Pair("q", "c"): 1, Pair("q", "d"): 0, Pair("q", "x"): 3}
    strict, loose = (agreement_of(labels, 1, grades, start) for start in (2, 1))
    assert (strict.pairs, strict.presumed, strict.given, strict.judge, strict.agreement) == (4, 1, 0.5, 0.25, 0.75)
    # .75 agreed, .5 * .25 + .5 * .75 = .5 by chance.
    assert strict.kappa == pytest.approx(0.5)
    assert (loose.judge, loose.kappa) == (0.75, pytest.approx(0.5))
    assert strict.kappa_grades is None
    assert agreement_of({}, 0, grades, 2) is None
    graded = agreement_of({Pair("q", "a"): 3, Pair("q", "b"): 2, Pair("q", "c"): 0}, 0, grades, 2)
    # Of all grades one of three agrees; by chance 1 of 9 for grade 3 alone.
    assert graded.kappa_grades == pytest.approx((1 / 3 - 1 / 9) / (1 - 1 / 9))


def test_the_judge_of_a_system_counts_what_is_new_and_what_is_known():
    dataset = RetrievalDataset({"q": "?"}, dict.fromkeys("abcd", "text"), {"q": ("a",)}, not_relevant={"q": ("b",)})
    ranking = Ranking("base", "cosine", {"q": ("a", "b", "c", "d")}, {"q": (4.0, 3.0, 2.0, 1.0)})
    grades = {Pair("q", "a"): 3, Pair("q", "b"): 3, Pair("q", "c"): 2}
    found = judge_of_systems({"base": ranking}, dataset, grades, 4, 2)["base"]
    assert (found.judged, found.judged_with_pool) == (0.5, 0.75)
    assert (found.unjudged, found.found) == (1, 1.0)
    assert (found.pairs, found.excess) == (2, 0.5)


def system(excess, half):
    return JudgeOfSystem(0.1, 1.0, 10, 0.5, 50, excess, (excess - half, excess + half))


def test_a_judge_favours_a_system_only_beyond_chance():
    assert favours({"bm25": system(-0.1, 0.1), "base": system(0.0, 0.1)}) is None
    sentence = favours({"bm25": system(-0.5, 0.1), "base": system(0.1, 0.1), "fused": system(0.0, 0.1)})
    assert sentence.startswith("The judge favours the base model")
    assert "60 points kinder to what that finds than to what BM25 finds" in sentence
    assert favours({"bm25": system(-0.5, 0.1)}) is None
