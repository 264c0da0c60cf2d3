"""Jobs that differ in their seed alone are taken together."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_run import make_metrics, write_job

from embft.reporting.alike import remarks
from embft.reporting.choosing import seed_means
from embft.reporting.jobs import collect


def sweep(folder: Path, rows: list[tuple[list[str], float]]) -> Path:
    for at, (overrides, shift) in enumerate(rows):
        write_job(folder / str(at), make_metrics(shift=shift), overrides=overrides)
    return folder


def test_the_setting_that_is_best_on_average_comes_first_whatever_its_luckiest_seed(tmp_path: Path) -> None:
    rows = [
        (["training.epochs=1", "seed=1"], 0.01),
        (["training.epochs=1", "seed=2"], 0.09),
        (["training.epochs=2", "seed=1"], 0.06),
        (["training.epochs=2", "seed=2"], 0.07),
    ]
    jobs = collect([sweep(tmp_path, rows)])
    first, second = seed_means(jobs, "ndcg@10", "tuned")
    assert (first.settings, second.settings) == ("epochs=2", "epochs=1")
    assert first.mean - second.mean == pytest.approx(0.015)
    assert "Averaged over seeds, on dev (tuned, nDCG@10): epochs=2:" in " ".join(remarks(jobs, "ndcg@10", "tuned"))


def test_without_seeds_or_without_another_setting_nothing_is_averaged(tmp_path: Path) -> None:
    seeds = sweep(tmp_path / "seeds", [(["seed=1"], 0.0), (["seed=2"], 0.1)])
    epochs = sweep(tmp_path / "epochs", [(["training.epochs=1"], 0.0), (["training.epochs=2"], 0.1)])
    assert seed_means(collect([seeds]), "ndcg@10", "tuned") == []
    assert seed_means(collect([epochs]), "ndcg@10", "tuned") == []
