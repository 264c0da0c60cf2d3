import numpy as np
import pytest

from embft.training.merging import choose_alpha, mix_weights


def test_weights_are_mixed_and_whole_numbers_stay():
    torch = pytest.importorskip("torch")

    class Tiny(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(2))
            self.register_buffer("positions", torch.arange(3))

    model = Tiny()
    base = {"weight": torch.tensor([0.0, 4.0]), "positions": torch.arange(3)}
    tuned = {"weight": torch.tensor([1.0, 0.0]), "positions": torch.arange(3)}
    for alpha, expected in ((0.0, [0.0, 4.0]), (0.25, [0.25, 3.0]), (1.0, [1.0, 0.0])):
        mix_weights(model, base, tuned, alpha)
        assert model.weight.tolist() == expected
    assert model.positions.tolist() == [0, 1, 2]


def test_of_mixes_that_dev_cannot_tell_apart_the_one_closest_to_base_is_chosen():
    draw = np.random.default_rng(0)
    noise = draw.normal(0, 0.2, (4, 60))
    assert choose_alpha([0.5 + noise[0], 0.7 + noise[1], 0.71 + noise[2], 0.72 + noise[3]], np.arange(60)) == 1


def test_a_clear_winner_is_chosen_and_of_equals_the_first():
    scores = [np.full(40, level) + np.linspace(0, 0.01, 40) for level in (0.2, 0.5, 0.9, 0.6)]
    assert choose_alpha(scores, np.arange(40)) == 2
    assert choose_alpha([scores[0]] * 4, np.arange(40)) == 0
