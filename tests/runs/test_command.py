"""What run.py does around its jobs: finished folders, sweeps with a mistaken job, names of folders, exit statuses."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from forks import typed

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "HF_HUB_OFFLINE": "1", "WANDB_MODE": "offline"}
QUICK = ["corpus.path=docs", "training=none", "evaluation=base_only", "evaluation.resamples=100"]

pytestmark = pytest.mark.slow


def finished(folder: Path) -> Path:
    """A run folder as a run that ended well leaves it."""
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra" / "overrides.yaml").write_text("- seed=42\n", encoding="utf-8")
    (folder / "embft.log").write_text("all\n", encoding="utf-8")
    (folder / "status.json").write_text(json.dumps({"status": "ok", "overrides": ["seed=42"]}), encoding="utf-8")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".running.lock"
    }


def test_a_finished_run_stays_as_it_is(tmp_path: Path) -> None:
    before = contents(finished(tmp_path / "mine"))
    done = typed("seed=7", "tracking=local", "hydra.run.dir=mine", cwd=tmp_path, environment=ENVIRONMENT)
    assert done.returncode == 1
    assert "mine holds a run already" in done.stderr
    assert contents(tmp_path / "mine") == before


def test_a_sweep_lists_the_job_whose_configuration_is_wrong(tmp_path: Path) -> None:
    # Only a job meets this: what a file gives the sweeper is not on the command line. The other job is there already.
    (tmp_path / "mine" / "experiment").mkdir(parents=True)
    text = "# @package _global_\nhydra: {sweeper: {params: {training.epochs: '0,1'}}}\n"
    (tmp_path / "mine" / "experiment" / "sweep.yaml").write_text(text, encoding="utf-8")
    before = contents(finished(tmp_path / "sweep" / "1"))
    done = typed(
        "-m", "hydra.sweep.dir=sweep", "tracking=local", "--config-dir", "mine", "experiment=sweep",
        cwd=tmp_path, environment=ENVIRONMENT,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "training.epochs=0 must be between 1 and 1000" in done.stdout
    status = json.loads((tmp_path / "sweep" / "0" / "status.json").read_text(encoding="utf-8"))
    assert (status["status"], status["error"]["type"]) == ("failed", "ConfigError")
    assert "2 of 2 jobs did not finish" in done.stdout.replace("\n", " ")
    assert "Traceback" not in done.stdout + done.stderr
    assert contents(tmp_path / "sweep" / "1") == before


def test_a_device_that_is_not_there_is_said_before_any_work(tmp_path: Path) -> None:
    device = "mps" if os.uname().sysname == "Linux" else "cuda"
    done = typed(f"training.device={device}", "hydra.run.dir=mine", cwd=tmp_path, environment=ENVIRONMENT)
    assert done.returncode == 2
    assert f"training.device={device} is not available here" in done.stderr
    assert not (tmp_path / "mine").exists()


@pytest.mark.slow
def test_a_sweep_whose_folders_are_named_by_paths_is_compared(tmp_path: Path) -> None:
    # On a corpus without documents the jobs fail early, which a comparison lists as well.
    (tmp_path / "deep" / "docs").mkdir(parents=True)
    done = typed(
        "-m", "corpus.path=deep/docs,deep", "seed=1", "tracking=local", "training=none", "evaluation=base_only",
        "hydra.sweep.dir=sweep", "hydra.sweep.subdir=${hydra.job.override_dirname}", cwd=tmp_path, environment=ENVIRONMENT,
    )  # fmt: skip
    assert done.returncode == 1
    assert len(list((tmp_path / "sweep").rglob("status.json"))) == 2
    assert "2 of 2 jobs did not finish" in done.stdout.replace("\n", " ")
    assert "deep/docs" in (tmp_path / "sweep" / "compare.csv").read_text(encoding="utf-8")
