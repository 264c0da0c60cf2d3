import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embft.evaluation.significance import (
    Comparison,
    bagged_best,
    compare,
    groups_of,
    mean_interval,
    standard_error,
    steady_resamples,
)


def apart(count: int) -> np.ndarray:
    """Every question a group of its own."""
    return np.arange(count)


def test_questions_that_share_a_chunk_directly_or_through_others_are_one_group():
    relevant = {"p": ("a",), "q": ("b",), "r": ("a", "c"), "s": ("c", "d"), "t": ("e",)}
    assert groups_of(list("pqrst"), relevant).tolist() == [0, 1, 0, 0, 2]


def test_groups_join_when_a_later_question_links_them():
    relevant = {"p": ("a",), "q": ("b",), "r": ("a", "b")}
    assert groups_of(["p", "q", "r"], relevant).tolist() == [0, 0, 0]


def test_a_question_without_chunks_is_a_group_of_its_own():
    assert groups_of(["p", "q", "r"], {"p": (), "r": ("a",)}).tolist() == [0, 1, 2]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sets(st.integers(0, 15), max_size=3), max_size=12))
def test_groups_are_the_connected_components(chunks):
    relevant = {str(index): tuple(map(str, sorted(ids))) for index, ids in enumerate(chunks)}
    groups = groups_of(list(relevant), relevant)
    # By brute force: labels spread along shared chunks until nothing changes.
    label = list(range(len(chunks)))
    for _ in chunks:
        for i, mine in enumerate(chunks):
            for j, other in enumerate(chunks):
                if mine & other:
                    label[i] = label[j] = min(label[i], label[j])
    same = [[a == b for a in label] for b in label]
    assert [[a == b for a in groups] for b in groups] == same


def test_delta_wins_losses_and_ties_by_hand():
    system, baseline = np.array([1, 1, 0, 0.5]), np.array([0, 0.5, 1, 0.5])
    found = compare(system, baseline, apart(4), resamples=500)
    assert found.delta == 0.125  # (1 + 0.5 - 1 + 0) / 4
    assert (found.wins, found.losses, found.ties) == (2, 1, 1)


def test_no_difference_anywhere_is_delta_zero_interval_zero_p_one():
    scores = np.array([0.2, 0.9, 1.0])
    assert compare(scores, scores, apart(3)) == Comparison(0.0, (0.0, 0.0), 1.0, 0, 0, 3)


def test_no_questions_are_no_difference():
    nothing = np.zeros(0)
    assert compare(nothing, nothing, apart(0)).p_value == 1.0
    assert all(np.isnan(mean_interval(nothing, apart(0))))


def test_the_p_value_is_the_share_of_sign_flips_that_are_as_extreme():
    # Three groups that differ by one each: of the 8 sign patterns only +++ and --- are as extreme, so 1/4.
    found = compare(np.ones(3), np.zeros(3), apart(3), resamples=20_000)
    assert found.p_value == pytest.approx(0.25, abs=0.02)


def test_the_p_value_is_never_zero():
    found = compare(np.ones(60), np.zeros(60), apart(60), resamples=999)
    assert found.p_value == 1 / 1000


def test_differences_that_cancel_within_every_group_are_no_evidence():
    system, baseline = np.array([1.0, 0, 1, 0]), np.array([0.0, 1, 0, 1])
    found = compare(system, baseline, np.array([0, 0, 1, 1]))
    assert (found.delta, found.ci95, found.p_value, found.wins) == (0.0, (0.0, 0.0), 1.0, 2)


def test_one_group_says_nothing_about_the_spread():
    groups = np.zeros(40, np.int64)
    found = compare(np.ones(40), np.full(40, 0.5), groups)
    assert found.ci95 == (-1.0, 1.0)
    assert found.p_value == 1.0
    assert mean_interval(np.ones(40), groups) == (0.0, 1.0)


def test_questions_of_a_chunk_that_agree_make_the_interval_wider_not_narrower():
    draw = np.random.default_rng(1)
    per_chunk = draw.random(50)
    scores, groups = np.repeat(per_chunk, 3), np.repeat(np.arange(50), 3)
    by_chunk = mean_interval(scores, groups)
    by_question = mean_interval(scores, apart(150))
    assert by_chunk[1] - by_chunk[0] > 1.5 * (by_question[1] - by_question[0])  # sqrt(3) in the limit
    assert by_chunk == pytest.approx(mean_interval(per_chunk, apart(50)))


def test_the_interval_is_that_of_student_s_t_where_scores_are_plentiful_and_even():
    scores = np.random.default_rng(2).normal(0.5, 0.1, 400)
    half = 1.966 * scores.std(ddof=1) / 20  # t quantile for 399 degrees of freedom
    expected = (scores.mean() - half, scores.mean() + half)
    assert mean_interval(scores, apart(400)) == pytest.approx(expected, abs=5e-4)


def test_a_higher_confidence_is_a_wider_interval():
    scores = np.random.default_rng(3).random(80)
    narrow, wide = (mean_interval(scores, apart(80), confidence=level) for level in (0.8, 0.99))
    assert wide[0] < narrow[0] < scores.mean() < narrow[1] < wide[1]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 60), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_swapping_the_systems_mirrors_every_figure_exactly(seed, count, confidence):
    draw = np.random.default_rng(seed)
    system, baseline = draw.random(count).round(1), draw.random(count).round(1)
    groups = np.unique(draw.integers(0, count, count), return_inverse=True)[1]
    one = compare(system, baseline, groups, 300, confidence, seed)
    two = compare(baseline, system, groups, 300, confidence, seed)
    assert one.delta == -two.delta
    assert one.ci95 == (-two.ci95[1], -two.ci95[0])
    assert one.p_value == two.p_value
    assert (one.wins, one.losses, one.ties) == (two.losses, two.wins, two.ties)


def test_the_same_seed_gives_the_same_figures_and_blocks_do_not_matter(monkeypatch):
    draw = np.random.default_rng(4)
    system, baseline, groups = draw.random(50), draw.random(50), np.arange(50) // 2
    first = compare(system, baseline, groups, seed=7)
    assert compare(system, baseline, groups, seed=7) == first
    assert compare(system, baseline, groups, seed=8) != first
    monkeypatch.setattr("embft.evaluation.significance._BLOCK_CELLS", 1000)
    in_blocks = compare(system, baseline, groups, seed=7)
    assert in_blocks.ci95 == pytest.approx(first.ci95, abs=0.01)


def test_scores_that_are_not_paired_are_refused():
    with pytest.raises(ValueError, match="3 and 2 scores for 3 questions"):
        compare(np.zeros(3), np.zeros(2), apart(3))


def null_scores(draw: np.random.Generator, hit_rate: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two systems that are equally good: chunks differ in difficulty, and each system likes other chunks."""
    size = int(draw.integers(60, 181))
    groups = np.repeat(np.arange(size), draw.integers(1, 4, size))
    difficulty = draw.normal(0, 1, size)

    def scores() -> np.ndarray:
        latent = (difficulty + draw.normal(0, 0.5, size))[groups] + draw.normal(0, 0.7, len(groups))
        rank = np.ceil(np.exp(1 + 1.2 * latent))
        return (rank <= 5).astype(float) if hit_rate else np.where(rank <= 10, 1 / np.log2(rank + 1), 0.0)

    return scores(), scores(), groups


@pytest.mark.parametrize("hit_rate", [False, True], ids=["ndcg", "hit_rate"])
def test_on_nulls_the_test_rejects_one_in_twenty_and_the_interval_covers_the_rest(hit_rate: bool):
    # 2,000 nulls: a share of .05 then has a standard error of .005. Of 500 it is .01, and one seed in 20 or so leaves
    # the bounds by chance alone. Over 12,000 nulls, .048 and .038 are rejected, .946 and .950 covered (nDCG, hit rate:
    # whole numbers tie often, and a tie counts against the difference).
    draw = np.random.default_rng(2026)
    found = [compare(*null_scores(draw, hit_rate), resamples=800, seed=trial) for trial in range(2000)]
    rejected = np.mean([one.p_value <= 0.05 for one in found])
    covered = np.mean([one.ci95[0] <= 0 <= one.ci95[1] for one in found])
    assert 0.03 <= rejected <= 0.07
    assert 0.93 <= covered <= 0.97


def test_a_real_difference_is_found():
    draw = np.random.default_rng(5)
    baseline = draw.random(150) * 0.8
    found = compare(baseline + draw.normal(0.1, 0.2, 150), baseline, np.arange(150) // 2)
    assert found.ci95[0] > 0
    assert found.p_value < 0.001


def test_another_seed_moves_an_interval_by_less_than_its_rounding():
    draw = np.random.default_rng(6)
    system, baseline, groups = draw.random(182).round(1), draw.random(182).round(1), np.arange(182) // 2
    draws = steady_resamples(10_000, groups)
    found = np.array([compare(system, baseline, groups, draws, seed=seed, flips=100).ci95 for seed in range(8)])
    assert np.ptp(found, axis=0).max() < 0.003  # 0.2 to 0.3 points between the farthest of eight; intervals are 15 wide
    assert found.std(axis=0).max() < 0.0006
    assert steady_resamples(10_000, np.arange(5000)) == 10_000


def test_the_standard_error_takes_a_chunk_s_questions_as_one():
    differences = np.random.default_rng(3).normal(size=400)
    alone = standard_error(differences, np.arange(400))
    assert alone == pytest.approx(differences.std(ddof=1) / 20, rel=1e-6)
    # The same figure four times a chunk is a quarter of the knowledge.
    assert standard_error(np.repeat(differences[:100], 4), np.repeat(np.arange(100), 4)) == pytest.approx(
        standard_error(differences[:100], np.arange(100))
    )
    assert standard_error(np.array([0.5, 0.1]), np.array([0, 0])) == 0


def test_the_bagged_choice_is_the_best_where_all_agree_and_in_between_where_they_do_not():
    groups = np.arange(60)
    clear = np.repeat([[0.1], [0.5], [0.9], [0.5]], 60, axis=1)
    assert bagged_best(clear, groups) == 2
    assert bagged_best(clear[::-1], groups) == 1
    tied = np.repeat([[0.1], [0.9], [0.9], [0.9]], 60, axis=1)
    assert bagged_best(tied, groups) == 2
    torn = np.zeros((11, 60))
    torn[0, :30] = 1.0
    torn[10, 30:] = 1.0
    assert 3 <= bagged_best(torn, groups) <= 7


def test_a_handicap_decides_for_a_few_questions_and_is_outvoted_by_many():
    def choice(questions: int) -> int:
        # A tenth better with each step up the scale, for every question.
        scores = np.tile(np.linspace(0.5, 0.7, 3)[:, None], (1, questions))
        return bagged_best(scores, np.arange(questions), np.array([1.0, 0.0, 1.0]))

    assert choice(4) == 1
    assert choice(40) == 2
    assert bagged_best(np.zeros((3, 6)), np.arange(6), np.array([1.0, 0.0, 1.0])) == 1
