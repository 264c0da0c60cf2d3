from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from first_shard import who_gave_a_shard
from forks import ROOT, typed
from made_corpus import same_search, save_model, write_corpus
from ray_cluster import ray_cluster

LIMIT = 600


@pytest.mark.slow
def test_a_run_that_loses_a_node_on_the_way_has_the_vectors_and_figures_of_one_machine(tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{Path(__file__).parents[1]}")
    overrides = [*write_corpus(tmp_path / "data", 16_000), f"model.path={save_model(tmp_path / 'tiny', layers=6)}"]
    with ray_cluster() as cluster:
        log = (tmp_path / "log").open("w")
        elsewhere = [f"scale.address={cluster.address}", "scale.cpus=1", "scale.fewest=1000", "scale.shard=512"]
        elsewhere += ["scale.fewest_scores=1"]
        run = cluster.head.start(
            sys.executable, str(ROOT / "run.py"), *overrides, "scale=ray", *elsewhere, f"cache_dir={tmp_path / 'cache'}",
            f"hydra.run.dir={tmp_path / 'ray'}", env=cluster.environment, output=log,
        )  # fmt: skip
        who_gave_a_shard(tmp_path / "cache" / "shards", cluster.worker.processes)
        assert run.poll() is None
        cluster.worker.lose_power()
        assert run.poll() is None
        assert run.wait(LIMIT) == 0, (tmp_path / "log").read_text()
    # The log names shards that the node held; between two shards it held none.
    assert list((tmp_path / "cache" / "shards").iterdir()) == []

    alone = [*overrides, f"cache_dir={tmp_path / 'own'}", f"hydra.run.dir={tmp_path / 'local'}"]
    assert typed(*alone, cwd=tmp_path, environment=os.environ).returncode == 0
    same_search(tmp_path, ("ray", "cache"), ("local", "own"))
    assert json.loads((tmp_path / "ray" / "metrics.json").read_text())["dataset"]["searched"]["test"] == 16_000


def test_without_a_cluster_the_run_says_where_it_looked(tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
    from embft.config import ScaleConfig
    from embft.errors import ScaleError
    from embft.scaling.fleet import open_fleet

    with pytest.raises(ScaleError, match=r"There is no Ray cluster to be reached at scale.address=auto"):
        open_fleet(ScaleConfig(name="ray", kind="ray"), tmp_path)
