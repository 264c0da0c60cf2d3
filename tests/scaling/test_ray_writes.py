from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from ask_elsewhere import COUNT, ask_here
from first_shard import who_gave_a_shard
from ray_cluster import ray_cluster
from tiny_gguf import save_tiny_gguf

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
        who_gave_a_shard(there / "shards", cluster.worker.processes)
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
