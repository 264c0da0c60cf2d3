"""The same seed gives the same model; other seeds say how far the result moves."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest
from tiny import make_base, make_dataset, make_lab, train

from embft.config import EvaluationConfig
from embft.steps.seeds import measure_seeds
from embft.training.loss import ByChunkLoss

METRICS = EvaluationConfig(name="x").metrics


def weights(result) -> bytes:
    return (result.folder / "model" / "model.safetensors").read_bytes()


def spread(root: Path, seeds: int, seed: int = 1):
    tuned = train(root, seed=seed, seeds=seeds)
    return measure_seeds(make_lab(root, seed=seed, seeds=seeds, whitening=0.0), make_dataset(), tuned)


@pytest.mark.slow
@pytest.mark.parametrize("change", [{}, {"dropout": 0.1}, {"part": "lora"}])
def test_the_same_seed_gives_the_same_weights_and_figures_and_another_gives_others(tmp_path, change):
    if "part" in change:
        pytest.importorskip("peft")
    make_base(tmp_path / "first")
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "base").symlink_to(tmp_path / "first" / "base")
    first, second = (train(tmp_path / name, **change) for name in ("first", "second"))
    assert weights(first) == weights(second)
    assert first.value.report.history == second.value.report.history
    assert weights(train(tmp_path / "first", seed=2, **change)) != weights(first)


@pytest.mark.slow
def test_further_seeds_are_measured_and_nothing_is_trained_twice(tmp_path, monkeypatch):
    seeds, timing = spread(tmp_path, 3)
    assert (seeds.n, seeds.seeds) == (3, [1, 2, 3])
    assert not timing.cached
    for name in METRICS:
        figures = seeds.metrics[name]
        assert len(figures.values) == 3
        assert figures.sd == pytest.approx(statistics.stdev(figures.values), abs=1e-6)
        assert figures.min <= figures.mean <= figures.max
    assert len(set(seeds.metrics["ndcg@10"].values)) > 1

    def trained_again(self, features, labels):
        raise AssertionError("it trained again")

    monkeypatch.setattr(ByChunkLoss, "forward", trained_again)
    again, timing = spread(tmp_path, 2)
    assert timing.cached
    assert again.metrics["ndcg@10"].values == seeds.metrics["ndcg@10"].values[:2]
    # Another run whose seeds overlap shares its trainings too, where it has the same dataset.
    assert spread(tmp_path, 2, seed=2)[0].metrics["ndcg@10"].values == seeds.metrics["ndcg@10"].values[1:]


def test_one_seed_is_no_spread(tmp_path):
    assert spread(tmp_path, 1) is None
