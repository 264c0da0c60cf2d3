from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest
from ask_elsewhere import COUNT, ask_here
from ray_cluster import RayCluster, ray_cluster
from tiny_gguf import save_tiny_gguf

from embft.scaling.work import read_result

LIMIT = 300


@pytest.mark.slow
def test_an_llm_on_a_cluster_that_loses_a_node_answers_every_request_as_one_machine_would(tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
    pytest.importorskip("xllamacpp", reason="llama.cpp is not installed: make llm")
    here = Path(__file__).parent
    monkeypatch.setenv("PYTHONPATH", f"{here.parents[1]}:{here.parent}:{here}")
    weights = save_tiny_gguf(tmp_path / "tiny.gguf")
    there = tmp_path / "there"
    there.mkdir()
    with ray_cluster() as cluster, (tmp_path / "out").open("w") as out:
        asking = cluster.head.start(
            sys.executable, str(here / "ask_elsewhere.py"), str(weights), str(there), cluster.address,
            env=cluster.environment, output=out,
        )  # fmt: skip
        _wait_for_a_shard_of_the_worker(cluster, there / "shards")
        assert asking.poll() is None
        cluster.worker.lose_power()
        assert asking.wait(LIMIT) == 0, (tmp_path / "out").read_text()
    assert list((there / "shards").iterdir()) == []
    replies = json.loads((tmp_path / "out").read_text().splitlines()[-1])
    alone = ask_here(weights, tmp_path)
    assert len(replies) == COUNT
    assert replies.keys() == alone.keys()
    # Three hundred words of a random model: what a server answered before moves a last bit, and now and then the next best word.
    same = sum(replies[key] == reply.text for key, reply in alone.items())
    assert same >= 0.8 * COUNT


def _wait_for_a_shard_of_the_worker(cluster: RayCluster, folder: Path) -> None:
    """Waits until the node that is to die has given something, and is at the next already."""
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        at_worker = set(map(str, cluster.worker.processes()))
        for path in folder.glob("*/result-*"):
            result = read_result(path)
            if result is not None and result.facts["process"] in at_worker:
                return
        time.sleep(0.01)
    raise AssertionError("the worker gave no shard")
