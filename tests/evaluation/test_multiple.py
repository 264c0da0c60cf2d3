import pytest
from hypothesis import given
from hypothesis import strategies as st

from embft.evaluation.multiple import holm, mcnemar


@pytest.mark.parametrize(
    ("wins", "losses", "p"),
    [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 2 / 32), (8, 2, 2 * (1 + 10 + 45) / 1024), (3, 3, 1.0)],
)
def test_mcnemar_by_hand(wins: int, losses: int, p: float):
    assert mcnemar(wins, losses) == pytest.approx(p)
    assert mcnemar(losses, wins) == mcnemar(wins, losses)


def test_mcnemar_equals_scipy_s_binomial_test():
    from scipy.stats import binomtest

    for wins, losses in [(2, 9), (30, 12), (100, 140), (1, 1000)]:
        assert mcnemar(wins, losses) == pytest.approx(binomtest(wins, wins + losses).pvalue)


def test_questions_that_share_chunks_count_as_the_independent_ones_that_they_are_worth():
    assert mcnemar(20, 4, worth=0.5) == pytest.approx(mcnemar(10, 2))
    assert mcnemar(20, 4) < mcnemar(20, 4, worth=0.7) < mcnemar(20, 4, worth=0.5)


def test_two_questions_of_182_are_no_improvement():
    assert mcnemar(2, 0) == 0.5  # the article's tuned against base, at best


def test_holm_by_hand():
    # .01 * 4, then .02 * 3, then .03 * 2 (not below the one before it), then .5
    assert holm([0.5, 0.01, 0.03, 0.02]) == pytest.approx([0.5, 0.04, 0.06, 0.06])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(values):
    adjusted = holm(values)
    assert all(new >= old and new <= 1 for new, old in zip(adjusted, values, strict=True))
    order = sorted(range(len(values)), key=lambda at: values[at])
    assert [adjusted[at] for at in order] == sorted(adjusted)
