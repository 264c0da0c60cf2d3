import numpy as np

from embft.evaluation.dependence import Dependence
from embft.evaluation.slices import slices


def made(traits, fewest=20, count=None):
    count = count or len(traits)
    draw = np.random.default_rng(0)
    scores = {"base": draw.random(count), "bm25": draw.random(count)}
    ids = [str(place) for place in range(count)]
    dependence = Dependence.of(ids, {name: (str(place // 2),) for place, name in enumerate(ids)})
    return slices(scores, dependence, traits, [("base", "bm25")], fewest=fewest), scores


def test_each_slice_has_its_count_its_means_and_its_intervals():
    rows, scores = made([{"kind": "how" if at % 3 else "why"} for at in range(90)])
    assert [(row.trait, row.value, row.questions) for row in rows] == [
        ("kind", "how", 60),
        ("kind", "why", 30),
    ]
    why = np.arange(90) % 3 == 0
    assert rows[1].systems["base"].mean == scores["base"][why].mean()
    low, high = rows[1].systems["base"].ci95
    assert low < scores["base"][why].mean() < high
    (difference,) = rows[1].differences
    assert np.isclose(difference.delta, (scores["base"] - scores["bm25"])[why].mean())
    assert difference.ci95[0] < difference.delta < difference.ci95[1]


def test_small_slices_and_traits_with_one_value_are_not_shown():
    rows, _ = made([{"kind": "how" if at else "why", "made by": "human"} for at in range(60)])
    assert [(row.trait, row.value) for row in rows] == [("kind", "how")]


def test_numbers_are_cut_into_three_equal_parts_and_named():
    rows, _ = made([{"tokens": float(at), "shared": at / 100} for at in range(90)])
    assert [(row.value, row.questions) for row in rows] == [
        ("up to 30", 30), ("over 30 to 59", 30), ("over 59", 30), ("up to 30%", 30), ("over 30% to 59%", 30), ("over 59%", 30),
    ]  # fmt: skip


def test_a_trait_that_some_questions_lack_is_sliced_among_the_others():
    rows, _ = made([{"page": float(at % 2)} if at < 60 else {} for at in range(80)])
    assert sum(row.questions for row in rows) == 60
