"""A run whose weights are trained by a job that submitit sends: killed in the middle, and continued by another job."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from forks import ROOT, Fork, run_script, typed
from safetensors.numpy import load_file
from small_run import save_model, write_questions

LIMIT = 600
MADE_IN_TIME = ("seconds", "resumed", "processes")
"""Of a training's report: what interruptions and the number of processes decide."""


def small_settings(root: Path) -> list[str]:
    return [
        *write_questions(root / "data"), f"model.path={save_model(root / 'tiny')}", "tracking=local",
        "evaluation.resamples=200", "training.epochs=25", "training.batch_size=4", "training.learning_rate=1e-3",
        "training.precision=fp32", "training.learn_from=questions", "retrieval.window_tokens=16",
        "retrieval.window_overlap=4", "retrieval.bm25_window=8",
    ]  # fmt: skip


def _kill_one(folder: Path, rank: int, blow: signal.Signals) -> int:
    """Sends a signal to a process of the job once there is a checkpoint; returns its number."""
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        if list(folder.glob("training-*/scratch/checkpoints/checkpoint-*/digests.json")):
            # submitit's local executor starts the tasks in order, each with its number in its environment.
            (number,) = (pid for pid, at in _tasks(folder) if at == rank)
            os.kill(number, blow)
            return number
        time.sleep(0.02)
    raise AssertionError("no job wrote a checkpoint")


def _tasks(folder: Path) -> list[tuple[int, int]]:
    """Process and rank of each task of the jobs that work below a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            environment = (process / "environ").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "submitit.core._submit" in command and any(part.startswith(str(folder)) for part in command):
            (rank,) = (part.partition("=")[2] for part in environment if part.startswith("SUBMITIT_LOCAL_GLOBALID="))
            found.append((int(process.name), int(rank)))
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("processes", "rank", "blow"),
    [
        pytest.param(1, 0, signal.SIGKILL, id="killed"),
        pytest.param(2, 1, signal.SIGKILL, id="one of two killed"),
        pytest.param(
            1, 0, signal.SIGUSR2, id="time is up"
        ),  # as Slurm says it; a job of so few minutes is never preempted
    ],
)
def test_a_training_whose_job_ends_early_has_the_figures_of_one_that_trains_here(tmp_path, processes, rank, blow):
    pytest.importorskip("submitit", reason="submitit is not installed: pip install 'embft[slurm]'")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    settings = small_settings(tmp_path)
    there = [
        "scale=slurm", "scale.executor=local", "scale.train=true", f"scale.train_processes={processes}",
        "scale.silence_seconds=4", "scale.minutes=9", f"cache_dir={tmp_path / 'cache'}", f"hydra.run.dir={tmp_path / 'there'}",
    ]  # fmt: skip
    run = Fork(run_script, (str(ROOT / "run.py"), *settings, *there), "here", cwd=tmp_path, environment=environment)
    _kill_one(tmp_path / "cache" / "shards", rank, blow)
    done = run.wait()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Another job continues from the last checkpoint" in done.stdout + done.stderr
    assert list((tmp_path / "cache" / "shards").iterdir()) == []

    own = [f"cache_dir={tmp_path / 'own'}", f"hydra.run.dir={tmp_path / 'here'}"]
    alone = typed(*settings, *own, cwd=tmp_path, environment=environment)
    assert alone.returncode == 0, alone.stdout + alone.stderr
    found, expected = (json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("there", "here"))
    assert found["training"]["processes"] == processes
    assert found["training"]["resumed"]
    if processes == 1:
        for name in ("systems", "comparisons"):
            assert found[name] == expected[name], name
        assert found["verdict"]["decision"] == expected["verdict"]["decision"]  # its sentences tell of measured times
        for metrics in (found, expected):
            for name in MADE_IN_TIME:
                del metrics["training"][name]
        assert found["training"] == expected["training"]
    # The gradients of several processes are added up in another order.
    weights, wanted = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("there", "here"))
    assert all(np.allclose(weights[name], wanted[name], atol=0 if processes == 1 else 1e-3) for name in wanted)
