import numpy as np
import pytest

from embft.evaluation.bootstrap import bagged_best, prospects_of
from embft.evaluation.dependence import Dependence
from embft.evaluation.figures import Prospects


def about(chunks) -> Dependence:
    return Dependence.of(
        [str(place) for place in range(len(chunks))], {str(at): (str(chunk),) for at, chunk in enumerate(chunks)}
    )


def test_the_expected_loss_of_two_systems_is_that_of_a_normal_difference():
    draw = np.random.default_rng(0)
    one, other = draw.normal(0.5, 0.2, 300), draw.normal(0.5, 0.2, 300)
    prospects = prospects_of({"one": one, "other": other}, Dependence.none(300), draws=40_000)
    delta, error = (one - other).mean(), (one - other).std(ddof=1) / 300**0.5
    ahead = error * np.exp(-((delta / error) ** 2) / 2) / (2 * np.pi) ** 0.5
    chance = prospects.chance_best["one"]
    assert prospects.expected_loss["other"] - prospects.expected_loss["one"] == pytest.approx(delta, abs=3e-4)
    assert prospects.expected_loss["one"] == pytest.approx(ahead - delta * (1 - chance), abs=5e-4)
    assert sum(prospects.chance_best.values()) == pytest.approx(1)


def test_a_system_ahead_on_every_question_is_the_best_at_no_loss():
    scores = np.random.default_rng(1).random(40) * 0.5
    prospects = prospects_of({"low": scores, "high": scores + 0.3}, Dependence.none(40))
    assert prospects.expected_loss == pytest.approx({"low": 0.3, "high": 0.0})
    assert prospects.chance_best == {"low": 0.0, "high": 1.0}


def test_of_equal_systems_the_first_is_the_best():
    scores = np.random.default_rng(2).random(40)
    prospects = prospects_of({"cheap": scores, "dear": scores}, Dependence.none(40))
    assert prospects.chance_best == {"cheap": 1.0, "dear": 0.0}
    assert set(prospects.expected_loss.values()) == {0.0}


def test_questions_that_repeat_each_other_leave_more_doubt():
    draw = np.random.default_rng(3)
    one, other = draw.random(40), draw.random(40) + 0.05
    repeated = {"one": np.repeat(one, 4), "other": np.repeat(other, 4)}
    alone = prospects_of({"one": one, "other": other}, Dependence.none(40))
    together = prospects_of(repeated, about(np.repeat(np.arange(40), 4)))
    naive = prospects_of(repeated, Dependence.none(160))
    assert together.expected_loss == pytest.approx(alone.expected_loss, abs=0.005)
    assert naive.least_loss < 0.8 * together.least_loss


def test_more_questions_are_foreseen_to_cost_less():
    draw = np.random.default_rng(4)
    prospects = prospects_of({"one": draw.random(30), "other": draw.random(30)}, Dependence.none(30))
    losses = [loss for _, loss in prospects.foreseen]
    assert losses == sorted(losses, reverse=True)
    assert prospects.foreseen[0] == (30, pytest.approx(prospects.least_loss))
    assert prospects.questions_for(prospects.least_loss) == 30
    assert prospects.questions_for(-1.0) is None


def test_the_same_seed_gives_the_same_figures_and_no_questions_give_none():
    draw = np.random.default_rng(5)
    scores = {"one": draw.random(50), "other": draw.random(50)}
    assert prospects_of(scores, Dependence.none(50), seed=7) == prospects_of(scores, Dependence.none(50), seed=7)
    assert prospects_of({"one": np.zeros(0)}, Dependence.none(0)) == Prospects({}, {}, ())


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_questions_and_a_single_chunk_have_finite_losses(count):
    draw = np.random.default_rng(count)
    scores = {"one": draw.random(count), "other": draw.random(count)}
    for shared in (Dependence.none(count), about([0] * count)):
        assert all(0 <= loss <= 1 for loss in prospects_of(scores, shared).expected_loss.values())


def test_the_bagged_choice_is_the_best_where_all_agree_and_in_between_where_they_do_not():
    alone = Dependence.none(60)
    clear = np.repeat([[0.1], [0.5], [0.9], [0.5]], 60, axis=1)
    assert bagged_best(clear, alone) == 2
    assert bagged_best(clear[::-1], alone) == 1
    tied = np.repeat([[0.1], [0.9], [0.9], [0.9]], 60, axis=1)
    assert bagged_best(tied, alone) == 2
    torn = np.zeros((11, 60))
    torn[0, :30] = 1.0
    torn[10, 30:] = 1.0
    assert 3 <= bagged_best(torn, alone) <= 7


def test_a_handicap_decides_for_a_few_questions_and_is_outvoted_by_many():
    def choice(questions: int) -> int:
        # A tenth better with each step up the scale, for every question.
        scores = np.tile(np.linspace(0.5, 0.7, 3)[:, None], (1, questions))
        return bagged_best(scores, Dependence.none(questions), np.array([1.0, 0.0, 1.0]))

    assert choice(4) == 1
    assert choice(40) == 2
    assert bagged_best(np.zeros((3, 6)), Dependence.none(6), np.array([1.0, 0.0, 1.0])) == 1
