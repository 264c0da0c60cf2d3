"""A run's folder is never written over, and a run that did not get to its end can be started there again."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from embft.config import ExperimentConfig
from embft.errors import RunError
from embft.runs.folder import RunFolder


def opened(folder: Path, **status: object) -> RunFolder:
    if status:
        (folder / "status.json").write_text(json.dumps(status), encoding="utf-8")
    return RunFolder(folder, ExperimentConfig(), command="python run.py", choices={})


def gone() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_failed_run_and_a_killed_one_make_room(tmp_path: Path) -> None:
    opened(tmp_path, status="failed", pid=1, host="elsewhere")
    opened(tmp_path, status="running", pid=gone(), host=platform.node())


@pytest.mark.parametrize(
    ("status", "held"),
    [
        ({"status": "ok", "pid": 1, "host": platform.node()}, "holds a run already"),
        ({"status": "running", "pid": os.getppid(), "host": platform.node()}, "goes on"),
        ({"status": "running", "pid": 4_000_000, "host": "elsewhere"}, "on elsewhere"),
        ({"state": "mine"}, "another kind"),
    ],
)
def test_a_run_that_is_finished_or_goes_on_is_left_alone(tmp_path: Path, status: dict, held: str) -> None:
    with pytest.raises(RunError, match=held):
        opened(tmp_path, **status)
    assert json.loads((tmp_path / "status.json").read_text()) == status


def test_an_interrupted_run_says_so_and_the_next_one_takes_its_place(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), opened(tmp_path).recording():
        raise KeyboardInterrupt
    assert json.loads((tmp_path / "status.json").read_text())["error"]["type"] == "interrupted"
    with opened(tmp_path).recording():
        pass
    assert json.loads((tmp_path / "status.json").read_text())["status"] == "ok"
