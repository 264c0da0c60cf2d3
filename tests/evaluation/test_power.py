import numpy as np
import pytest

from embft.evaluation.dependence import Dependence
from embft.evaluation.power import detectable, power_of, questions_needed
from embft.evaluation.significance import compare


def siblings(questions: int, per_chunk: int) -> Dependence:
    ids = [str(place) for place in range(questions)]
    return Dependence.of(ids, {name: (str(place // per_chunk),) for place, name in enumerate(ids)})


def test_a_test_set_s_power_by_hand():
    power = power_of(siblings(100, 1))
    assert (power.questions, power.chunks, power.effective) == (100, 100, 100.0)
    assert power.similar == pytest.approx((1.96 + 0.8416) * 0.16 / 10, abs=1e-4)
    assert power.unlike > 2 * power.similar


def test_questions_that_share_chunks_are_worth_less():
    pairs = power_of(siblings(180, 2))
    assert (pairs.chunks, pairs.effective) == (90, pytest.approx(180 / 1.3, abs=0.1))
    assert power_of(Dependence.none(0)).questions == 0
    # Ten chunks each, one of them everybody's: one component, and nearly as good as apart.
    linked = {str(place): ["all", *(f"{place}.{number}" for number in range(9))] for place in range(54)}
    assert 20 < power_of(Dependence.of(list(linked), linked)).effective < 54


def test_a_narrower_interval_takes_the_square_of_it_in_questions():
    assert questions_needed([-0.04, 0.04], 180, 0.02) == 720
    assert questions_needed([-0.02, 0.02], 180, 0.02) == 180


def test_the_detectable_difference_is_found_four_times_out_of_five():
    draw = np.random.default_rng(0)
    null, alone = draw.normal(0, 0.2, 150), Dependence.none(150)
    effect = detectable(compare(0.5 + null, np.full(150, 0.5), alone).ci95)
    assert effect == pytest.approx(2.8 * 0.2 / np.sqrt(150), rel=0.1)
    seen = [compare(0.5 + draw.normal(effect, 0.2, 150), np.full(150, 0.5), alone).ci95[0] > 0 for _ in range(300)]
    assert 0.7 <= np.mean(seen) <= 0.9
