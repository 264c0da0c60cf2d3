import numpy as np
import pytest

from embft.evaluation.power import detectable, power_of, questions_needed
from embft.evaluation.significance import compare


def test_a_test_set_s_power_by_hand():
    power = power_of(np.arange(100))
    assert (power.questions, power.chunks, power.effective) == (100, 100, 100.0)
    assert power.similar == pytest.approx((1.96 + 0.8416) * 0.16 / 10, abs=1e-4)
    assert power.unlike > 2 * power.similar


def test_questions_about_one_chunk_are_worth_less():
    assert power_of(np.arange(180) // 2).effective == pytest.approx(180 / 1.3, abs=0.1)
    assert power_of(np.zeros(0, np.int64)).questions == 0


def test_a_narrower_interval_takes_the_square_of_it_in_questions():
    assert questions_needed([-0.04, 0.04], 180, 0.02) == 720
    assert questions_needed([-0.02, 0.02], 180, 0.02) == 180


def test_the_detectable_difference_is_found_four_times_out_of_five():
    draw = np.random.default_rng(0)
    null = draw.normal(0, 0.2, 150)
    found = compare(0.5 + null, np.full(150, 0.5), np.arange(150), 2000)
    effect = detectable(found.ci95)
    assert effect == pytest.approx(2.8 * 0.2 / np.sqrt(150), rel=0.1)
    seen = [
        compare(0.5 + draw.normal(effect, 0.2, 150), np.full(150, 0.5), np.arange(150), 500).ci95[0] > 0
        for _ in range(200)
    ]
    assert 0.7 <= np.mean(seen) <= 0.9
