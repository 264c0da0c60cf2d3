"""The tuned model is the mean of the weights over the last steps, and dev judges that mean."""

from __future__ import annotations

import math

import pytest
import torch
from safetensors.torch import load_file
from tiny import make_splits, train

from embft.training.averaging import WeightAverage
from embft.training.dev_search import DevSearch


def weights(value: float) -> dict[str, torch.nn.Parameter]:
    return {"layer": torch.nn.Parameter(torch.full((2, 3), value))}


@pytest.mark.parametrize(("share", "mean"), [(0.0, 9.0), (0.25, 4.0), (0.3, 3.5), (0.5, 3.5), (1.0, 2.5)])
def test_the_last_share_of_the_steps_counts(share, mean):
    average, model = WeightAverage(share, 4), weights(9.0)
    for step in (1, 2, 3, 4):
        average.add(step, weights(float(step)))
    average.put_into(model)
    assert torch.equal(model["layer"], weights(mean)["layer"])


def test_the_model_has_the_mean_for_a_while_and_then_its_own_weights_again():
    average, model = WeightAverage(1.0, 2), weights(4.0)
    average.add(1, weights(2.0))
    average.add(2, model)
    with average.in_place_of(model):
        assert torch.equal(model["layer"], weights(3.0)["layer"])
    assert torch.equal(model["layer"], weights(4.0)["layer"])


def test_the_saved_model_is_the_mean_and_so_is_the_one_that_dev_saw(tmp_path, monkeypatch):
    seen: dict[int, dict[str, torch.Tensor]] = {}
    add, search = WeightAverage.add, DevSearch.metrics

    def record(self, step, trained):
        seen[step] = {name: weight.detach().clone() for name, weight in trained.items()}
        add(self, step, trained)

    judged = []

    def judge(self, model):
        judged.append({name: weight.detach().clone() for name, weight in model.named_parameters()})
        return search(self, model)

    monkeypatch.setattr(WeightAverage, "add", record)
    monkeypatch.setattr(DevSearch, "metrics", judge)
    tuned = train(tmp_path, average=0.5, schedule="constant_with_warmup").value
    assert tuned.report.best_epoch == tuned.report.last_epoch == 2
    last = [seen[step] for step in sorted(seen) if step > len(seen) - math.ceil(0.5 * len(seen))]
    assert any(not torch.allclose(last[0][name], last[-1][name], atol=1e-4) for name in last[0])
    saved = load_file(tuned.folder / "model.safetensors")
    for name in seen[1]:
        mean = torch.stack([one[name] for one in last]).mean(dim=0)
        torch.testing.assert_close(judged[-1][name], mean)
        [stored] = [value for key, value in saved.items() if name.endswith(key)]
        torch.testing.assert_close(stored, mean)


@pytest.mark.slow
def test_without_dev_questions_it_is_the_mean_as_well(tmp_path):
    splits = make_splits(dev=0)
    fingerprints = {
        share: train(tmp_path / str(share), splits=splits, average=share).value.fingerprint for share in (0.0, 0.5)
    }
    assert fingerprints[0.0] != fingerprints[0.5]
