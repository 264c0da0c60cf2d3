from __future__ import annotations

import os
import signal

import pytest
from first_shard import who_gave_a_shard
from forks import ROOT, Fork, run_script, typed
from made_corpus import same_search, save_model, write_corpus


@pytest.mark.slow
def test_a_run_whose_jobs_are_killed_on_the_way_has_the_vectors_and_figures_of_one_machine(tmp_path):
    pytest.importorskip("submitit", reason="submitit is not installed: pip install 'embft[slurm]'")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    overrides = [*write_corpus(tmp_path / "data", 8_000), f"model.path={save_model(tmp_path / 'tiny', layers=6)}"]
    jobs = [
        "scale.executor=local",
        "scale.workers=2",
        "scale.fewest=1000",
        "scale.shard=512",
        "scale.silence_seconds=6",
        "scale.fewest_scores=1",
    ]
    command = (str(ROOT / "run.py"), *overrides, "scale=slurm", *jobs, f"cache_dir={tmp_path / 'cache'}",
               f"hydra.run.dir={tmp_path / 'slurm'}")  # fmt: skip
    run = Fork(run_script, command, "here", cwd=tmp_path, environment=environment)
    os.kill(who_gave_a_shard(tmp_path / "cache" / "shards"), signal.SIGKILL)
    done = run.wait()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "40 questions are ranked by other machines." in (tmp_path / "slurm" / "embft.log").read_text()
    assert list((tmp_path / "cache" / "shards").iterdir()) == []

    alone = [*overrides, f"cache_dir={tmp_path / 'own'}", f"hydra.run.dir={tmp_path / 'local'}"]
    assert typed(*alone, cwd=tmp_path, environment=environment).returncode == 0
    same_search(tmp_path, ("slurm", "cache"), ("local", "own"))
