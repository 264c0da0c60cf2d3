from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from forks import ROOT, typed
from ray_cluster import ray_cluster
from test_training_jobs import small_settings

LIMIT = 600


@pytest.mark.slow
def test_a_training_on_a_ray_cluster_that_is_killed_has_the_figures_of_one_that_trains_here(tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{Path(__file__).parents[1]}")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    settings = small_settings(tmp_path)
    with ray_cluster(cpus=2) as cluster:
        log = (tmp_path / "log").open("w")
        elsewhere = [
            f"scale.address={cluster.address}", "scale.cpus=1", "scale.train=true", "scale.train_processes=2",
            "scale.silence_seconds=4",
        ]  # fmt: skip
        run = cluster.head.start(
            sys.executable, str(ROOT / "run.py"), *settings, "scale=ray", *elsewhere, f"cache_dir={tmp_path / 'cache'}",
            f"hydra.run.dir={tmp_path / 'ray'}", env=cluster.environment, output=log,
        )  # fmt: skip
        _kill_the_first_process(tmp_path / "cache" / "shards")
        assert run.wait(LIMIT) == 0, (tmp_path / "log").read_text()
    assert "Another job continues from the last checkpoint" in (tmp_path / "log").read_text()
    assert list((tmp_path / "cache" / "shards").iterdir()) == []

    alone = [*settings, f"cache_dir={tmp_path / 'own'}", f"hydra.run.dir={tmp_path / 'local'}"]
    assert typed(*alone, cwd=tmp_path, environment=os.environ).returncode == 0
    found, expected = (json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("ray", "local"))
    assert (found["training"]["processes"], found["training"]["resumed"]) == (2, True)
    assert found["training"]["steps"] == expected["training"]["steps"]
    # The gradients of two processes are added up in another order.
    losses = [[epoch["loss"] for epoch in metrics["training"]["history"][1:]] for metrics in (found, expected)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-2)


def _kill_the_first_process(folder: Path) -> None:
    """Kills the process that has claimed the training, once there is a checkpoint."""
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        if list(folder.glob("training-*/scratch/checkpoints/checkpoint-*/digests.json")):
            (claim,) = folder.glob("training-*/claim")
            os.kill(int(claim.read_text().split()[1]), signal.SIGKILL)
            return
        time.sleep(0.02)
    raise AssertionError("no job wrote a checkpoint")
