import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, ttest_1samp

from embft.evaluation.dependence import Dependence
from embft.evaluation.significance import Comparison, compare, mean_interval, standard_error


def apart(count: int) -> Dependence:
    """Every question about a chunk of its own."""
    return Dependence.none(count)


def about(chunks) -> Dependence:
    """Questions about the chunks given, one each."""
    return Dependence.of(
        [str(place) for place in range(len(chunks))], {str(at): (str(chunk),) for at, chunk in enumerate(chunks)}
    )


def test_delta_wins_losses_and_ties_by_hand():
    system, baseline = np.array([1, 1, 0, 0.5]), np.array([0, 0.5, 1, 0.5])
    comparison = compare(system, baseline, apart(4))
    assert comparison.delta == 0.125  # (1 + 0.5 - 1 + 0) / 4
    assert (comparison.wins, comparison.losses, comparison.ties) == (2, 1, 1)


def test_no_difference_anywhere_is_delta_zero_interval_zero_p_one():
    scores = np.array([0.2, 0.9, 1.0])
    assert compare(scores, scores, apart(3)) == Comparison(0.0, (0.0, 0.0), 1.0, 0, 0, 3, 3.0)


def test_no_questions_are_no_difference():
    nothing = np.zeros(0)
    assert compare(nothing, nothing, apart(0)).p_value == 1.0
    assert all(np.isnan(mean_interval(nothing, apart(0))))


def test_a_single_question_tells_nothing():
    one, zero = np.ones(1), np.zeros(1)
    assert compare(one, zero, apart(1)).ci95 == (-1.0, 1.0)
    assert compare(one, zero, apart(1)).p_value == 1.0
    assert mean_interval(one, apart(1)) == (0.0, 1.0)


def test_independent_questions_have_student_s_interval_and_p_value():
    draw = np.random.default_rng(2)
    system, baseline = draw.normal(0.5, 0.1, 400), draw.normal(0.5, 0.1, 400)
    comparison, expected = compare(system, baseline, apart(400)), ttest_1samp(system - baseline, 0)
    assert comparison.p_value == pytest.approx(expected.pvalue, rel=0.02)
    assert comparison.ci95 == pytest.approx(tuple(expected.confidence_interval()), rel=0.01)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 40), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_an_interval_leaves_out_zero_exactly_where_the_p_value_is_below_its_level(seed, count, confidence):
    draw = np.random.default_rng(seed)
    system, baseline = draw.random(count).round(1), (draw.random(count) * draw.uniform(0.3, 1)).round(1)
    comparison = compare(system, baseline, about(draw.integers(0, count, count)), confidence)
    low, high = comparison.ci95
    if comparison.wins or comparison.losses:
        assert (low > 0 or high < 0) == (comparison.p_value < 1 - confidence)
    assert low <= comparison.delta <= high


def test_three_questions_that_differ_by_the_same_are_no_proof():
    comparison = compare(np.ones(3), np.zeros(3), apart(3))
    assert comparison.p_value > 0.1
    assert comparison.ci95[0] < 0
    assert 0 < compare(np.ones(60), np.zeros(60), apart(60)).p_value < 1e-10


def test_differences_that_cancel_within_every_chunk_are_no_evidence():
    system, baseline = np.array([1.0, 0, 1, 0]), np.array([0.0, 1, 0, 1])
    comparison = compare(system, baseline, about([0, 0, 1, 1]))
    assert (comparison.delta, comparison.p_value, comparison.wins) == (0.0, 1.0, 2)
    assert comparison.ci95[0] < 0 < comparison.ci95[1]


def test_one_chunk_says_nothing_about_others():
    comparison = compare(np.r_[np.ones(20), np.zeros(20)], np.full(40, 0.2), about([0] * 40))
    assert comparison.ci95 == (-1.0, 1.0)
    assert comparison.p_value == 1.0
    assert mean_interval(np.ones(40), about([0] * 40)) == (0.0, 1.0)


def test_questions_of_a_chunk_that_agree_make_the_interval_wider_not_narrower():
    per_chunk = np.random.default_rng(1).random(50)
    chunks = np.repeat(np.arange(50), 3)
    by_chunk = mean_interval(np.repeat(per_chunk, 3), about(chunks))
    by_question = mean_interval(np.repeat(per_chunk, 3), apart(150))
    assert by_chunk[1] - by_chunk[0] > 1.6 * (by_question[1] - by_question[0])  # sqrt(3) in the limit
    assert by_chunk == pytest.approx(mean_interval(per_chunk, apart(50)), abs=0.01)


def test_questions_of_a_chunk_that_do_not_agree_count_nearly_in_full():
    scores = np.random.default_rng(4).random(300)
    low, high = mean_interval(scores, about(np.arange(300) // 3))
    alone = mean_interval(scores, apart(300))
    assert high - low < 1.2 * (alone[1] - alone[0])


def test_a_collection_whose_questions_are_all_linked_still_has_an_interval():
    draw = np.random.default_rng(5)
    relevant = {str(question): [str(chunk) for chunk in draw.choice(600, 25, replace=False)] for question in range(54)}
    linked = Dependence.of(list(relevant), relevant)
    scores = draw.random(54)
    low, high = mean_interval(scores, linked)
    assert 0.1 < high - low < 0.4
    assert compare(scores, scores - 0.2 * draw.random(54), linked).p_value < 0.001


@pytest.mark.parametrize(("hits", "questions"), [(20, 20), (0, 20), (19, 20), (10, 20), (180, 200)])
def test_the_interval_of_a_hit_rate_is_about_wilson_s(hits, questions):
    scores = np.r_[np.ones(hits), np.zeros(questions - hits)]
    expected = binomtest(hits, questions).proportion_ci(method="wilson")
    assert mean_interval(scores, apart(questions)) == pytest.approx((expected.low, expected.high), abs=0.03)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40))
def test_the_interval_of_a_mean_holds_it_within_zero_and_one(seed, count):
    draw = np.random.default_rng(seed)
    scores = np.clip(draw.normal(draw.random(), 0.3, count), 0, 1).round(2)
    low, high = mean_interval(scores, about(draw.integers(0, count, count)))
    assert 0 <= low <= scores.mean() + 1e-12
    assert scores.mean() - 1e-12 <= high <= 1


def test_an_interval_holds_a_mean_far_from_the_ends_about_in_its_middle():
    draw = np.random.default_rng(8)
    for _ in range(200):
        scores = draw.beta(0.6, 1.0, 54)
        low, high = mean_interval(scores, about(draw.integers(0, 30, 54)))
        assert 0.7 < (high - scores.mean()) / (scores.mean() - low) < 1.5


def test_mirrored_scores_have_the_mirrored_interval():
    scores = np.random.default_rng(9).random(30).round(2)
    low, high = mean_interval(scores, apart(30))
    assert mean_interval(1 - scores, apart(30)) == pytest.approx((1 - high, 1 - low))


def test_a_higher_confidence_is_a_wider_interval():
    scores = np.random.default_rng(3).random(80)
    narrow, wide = (mean_interval(scores, apart(80), confidence=level) for level in (0.8, 0.99))
    assert wide[0] < narrow[0] < scores.mean() < narrow[1] < wide[1]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 60), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_swapping_the_systems_mirrors_every_figure_exactly(seed, count, confidence):
    draw = np.random.default_rng(seed)
    system, baseline = draw.random(count).round(1), draw.random(count).round(1)
    shared = about(draw.integers(0, count, count))
    one, two = compare(system, baseline, shared, confidence), compare(baseline, system, shared, confidence)
    assert one.delta == -two.delta
    assert one.ci95 == (-two.ci95[1], -two.ci95[0])
    assert (one.p_value, one.effective) == (two.p_value, two.effective)
    assert (one.wins, one.losses, one.ties) == (two.losses, two.wins, two.ties)


def test_scores_that_are_not_paired_are_refused():
    with pytest.raises(ValueError, match="3 and 2 scores for 3 questions"):
        compare(np.zeros(3), np.zeros(2), apart(3))


def test_a_real_difference_is_found():
    draw = np.random.default_rng(5)
    baseline = draw.random(150) * 0.8
    comparison = compare(baseline + draw.normal(0.1, 0.2, 150), baseline, about(np.arange(150) // 2))
    assert comparison.ci95[0] > 0
    assert comparison.p_value < 0.001


def test_the_standard_error_takes_a_chunk_s_equal_questions_as_one():
    differences = np.random.default_rng(3).normal(size=400)
    assert standard_error(differences, apart(400)) == pytest.approx(differences.std(ddof=1) / 20, rel=0.01)
    four_times = standard_error(np.repeat(differences[:100], 4), about(np.repeat(np.arange(100), 4)))
    assert four_times == pytest.approx(standard_error(differences[:100], apart(100)), rel=0.02)


def test_the_standard_error_is_nothing_without_differences_and_something_on_one_chunk():
    assert standard_error(np.zeros(30), apart(30)) == 0
    assert standard_error(np.array([0.4]), apart(1)) == 0
    one_chunk = standard_error(np.array([0.5, 0.1, 0.2]), about([0, 0, 0]))
    assert one_chunk == standard_error(np.array([0.5, 0.1, 0.2]), apart(3)) > 0
