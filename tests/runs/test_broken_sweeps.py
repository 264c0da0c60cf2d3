"""Sweeps that are killed and started again, and sweeps by other launchers and sweepers. More of it: benchmarks/sweep_kills.py."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from forks import ROOT, Fork, run_script, typed
from small_run import write_questions

ENVIRONMENT = {**os.environ, "HF_HUB_OFFLINE": "1", "WANDB_MODE": "offline"}
BAD = 100_000
"""Tokens: more than the model has positions for."""


def command(place: Path, model: Path, name: str, *overrides: str) -> list[str]:
    return [
        "-m", *write_questions(place / "data"), f"model.path={model}", "tracking=local", "training=none",
        "evaluation=base_only", "evaluation.systems=[base]", "evaluation.resamples=100", "dataset.dev_fraction=0.4",
        f"cache_dir={place / name}.cache", f"hydra.sweep.dir={place / name}", *overrides,
    ]  # fmt: skip


def run(place: Path, model: Path, name: str, *overrides: str) -> subprocess.CompletedProcess[str]:
    return typed(*command(place, model, name, *overrides), cwd=place, environment=ENVIRONMENT)


def run_until(ended: int, place: Path, model: Path, name: str, *overrides: str) -> None:
    """Kills the sweep once so many jobs have ended since it was last begun, in the midst of the next one."""
    words = (str(ROOT / "run.py"), *command(place, model, name, *overrides))
    log = place / name / "sweep.log"
    begun = log.read_text(encoding="utf-8").count(" jobs: ") if log.is_file() else 0
    fork = Fork(run_script, words, cwd=place, environment=ENVIRONMENT)
    while fork.process.is_alive():
        lines = log.read_text(encoding="utf-8") if log.is_file() else ""
        if lines.count(" jobs: ") > begun and lines.rpartition(" jobs: ")[2].count(", job ") >= ended:
            break
        time.sleep(0.02)
    time.sleep(0.3)
    fork.process.kill()
    fork.wait()


def outcomes(sweep: Path) -> dict[str, Any]:
    """By job: its figures, or its error."""
    found = {}
    for file in sorted(sweep.glob("*/status.json")):
        status = json.loads(file.read_text(encoding="utf-8"))
        if status["status"] != "ok":
            found[file.parent.name] = status["error"]["message"]
            continue
        metrics = json.loads(file.with_name("metrics.json").read_text(encoding="utf-8"))
        found[file.parent.name] = (metrics["systems"]["base"]["metrics"], metrics["objective"])
    return found


@pytest.mark.slow
def test_a_sweep_that_was_killed_twice_equals_the_unbroken_one(tmp_path: Path, tiny_model: Path) -> None:
    swept = "model.max_seq_length=8,16,24,32"
    whole = run(tmp_path, tiny_model, "whole", swept)
    assert whole.returncode == 0, whole.stderr
    for ended in (1, 2):
        run_until(ended, tmp_path, tiny_model, "broken", swept)
    last = run(tmp_path, tiny_model, "broken", swept)
    assert last.returncode == 0, last.stderr
    assert last.stdout.count("skipped") >= 2
    assert outcomes(tmp_path / "broken") == outcomes(tmp_path / "whole")


@pytest.mark.slow
def test_optuna_s_trials_continue_after_a_kill_as_if_there_had_been_none(tmp_path: Path, tiny_model: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper", reason="pip install 'embft[optuna]'")
    swept = [
        "hydra/sweeper=optuna", "hydra.sweeper.n_trials=8", f"model.max_seq_length=choice(8,9,10,12,{BAD})",
        "hydra.sweeper.sampler.n_startup_trials=3",
    ]  # fmt: skip
    whole = run(tmp_path, tiny_model, "whole", *swept)
    unbroken = outcomes(tmp_path / "whole")
    bad = {name for name, outcome in unbroken.items() if isinstance(outcome, str)}
    assert len(unbroken) == 8
    assert bad
    assert whole.returncode == 1
    assert "Traceback" not in whole.stderr + whole.stdout
    run_until(3, tmp_path, tiny_model, "broken", *swept)
    last = run(tmp_path, tiny_model, "broken", *swept)
    assert last.returncode == 1
    assert last.stdout.count("skipped") >= 2
    assert outcomes(tmp_path / "broken") == unbroken
    best = max(outcome[1]["value"] for name, outcome in unbroken.items() if name not in bad)
    assert f"best_value: {best}" in (tmp_path / "broken" / "optimization_results.yaml").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("launcher", "package"), [("joblib", "hydra_joblib_launcher"), ("submitit_local", "hydra_submitit_launcher")]
)
def test_a_bad_job_of_another_process_is_listed_without_a_traceback(
    tmp_path: Path, tiny_model: Path, launcher: str, package: str
) -> None:
    pytest.importorskip(f"hydra_plugins.{package}")
    swept = [f"model.max_seq_length=8,{BAD}", f"hydra/launcher={launcher}"]
    done = run(tmp_path, tiny_model, "sweep", *swept)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "1 of 2 jobs did not finish:" in done.stdout
    assert (tmp_path / "sweep" / "compare.html").is_file()
    found = outcomes(tmp_path / "sweep")
    assert f"model.max_seq_length={BAD} is beyond the 512 positions" in found["1"]
    assert found["0"][1]["value"] > 0
