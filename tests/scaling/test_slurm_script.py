"""What Slurm is told, as its own sbatch gets it: a stand-in keeps the script."""

from __future__ import annotations

from pathlib import Path

import pytest

from embft.config import ScaleConfig
from embft.scaling.slurm_driver import SlurmDriver
from embft.scaling.submitted_job import SubmittedJobs

CONFIG = {
    "name": "slurm", "kind": "slurm", "cpus": 3, "gpus": 1.0, "memory_gb": 40, "minutes": 90, "partition": "gpu",
    "sbatch": ["account=team", "exclusive"], "workers": 5,
}  # fmt: skip


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the script that was submitted stands."""
    pytest.importorskip("submitit", reason="submitit is not installed: pip install 'embft[slurm]'")
    commands, script = tmp_path / "bin", tmp_path / "script"
    commands.mkdir()
    for name, lines in {
        "sbatch": f'cp "$1" {script}; echo "Submitted batch job 17"',
        "srun": "",
        "scancel": "",
        "sacct": 'echo "JobID|State|NodeList"; echo "17|COMPLETED|n1"',
    }.items():
        (commands / name).write_text(f"#!/bin/sh\n{lines}\n")
        (commands / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}:/usr/bin:/bin")
    return script


def options(script: Path) -> dict[str, str]:
    """What follows ``#SBATCH --``."""
    lines = [
        line.removeprefix("#SBATCH --") for line in script.read_text().splitlines() if line.startswith("#SBATCH --")
    ]
    return {line.partition("=")[0]: line.partition("=")[2] for line in lines}


def test_a_training_is_one_job_with_a_task_for_each_of_its_gpus(tmp_path, script):
    config = ScaleConfig(**CONFIG, train=True, train_processes=4, train_nodes=2)
    with SubmittedJobs(config).started(tmp_path / "work", "embft.scaling.rank:do") as job:
        assert job.state().startswith("job 17 of Slurm: ")
    given = options(script)
    assert {"nodes": "2", "ntasks-per-node": "4", "gpus-per-node": "4", "cpus-per-task": "3"}.items() <= given.items()
    assert {
        "partition": "gpu",
        "account": "team",
        "exclusive": "",
        "mem": "40GB",
        "time": "90",
    }.items() <= given.items()
    assert "array" not in given
    assert "--kill-on-bad-exit=1" in script.read_text()


def test_shards_are_an_array_of_jobs_of_one_task(tmp_path, script):
    jobs = SlurmDriver(ScaleConfig(**CONFIG))._submit(tmp_path / "work", list(range(20)))
    assert len(jobs) == 5
    given = options(script)
    assert {"array": "0-4%5", "gpus-per-node": "1", "cpus-per-task": "3", "partition": "gpu"}.items() <= given.items()
    assert "kill-on-bad-exit" not in script.read_text()
