"""A run's folder is never written over, and a run that did not get to its end can be started there again."""

from __future__ import annotations

import errno
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from embft.config import ExperimentConfig
from embft.errors import RunError
from embft.run_lock import in_progress
from embft.runs.folder import RunFolder
from embft.runs.stopping import disk_is_full


def opened(folder: Path, **status: object) -> RunFolder:
    if status:
        (folder / "status.json").write_text(json.dumps(status), encoding="utf-8")
    return RunFolder(folder, ExperimentConfig(), command="python run.py", choices={})


def status_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "status.json").read_text(encoding="utf-8"))
    return content


@contextmanager
def elsewhere(folder: Path, after: str = "input()") -> Iterator[subprocess.Popen[str]]:
    """Another process that is in the midst of a run in the folder."""
    code = (
        "import sys; from pathlib import Path; from embft.config import ExperimentConfig\n"
        "from embft.runs.folder import RunFolder; from embft.runs.stopping import quietly\n"
        "def main():\n"
        "    run = RunFolder(Path(sys.argv[1]), ExperimentConfig(), command='', choices={})\n"
        "    with run.recording() as enter:\n"
        "        enter('training'); print('begun', flush=True)\n"
        f"        {after}\n"
        "sys.exit(quietly(main))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_failed_run_makes_room(tmp_path: Path) -> None:
    opened(tmp_path, status="failed", pid=1, host="another")


@pytest.mark.parametrize(
    ("status", "held"),
    [({"status": "ok", "pid": 1, "host": "another"}, "a run already"), ({"state": "mine"}, "another kind")],
)
def test_a_finished_run_is_left_alone(tmp_path: Path, status: dict[str, Any], held: str) -> None:
    with pytest.raises(RunError, match=held):
        opened(tmp_path, **status)
    assert status_of(tmp_path) == status


def test_a_run_in_progress_is_left_alone_and_a_killed_one_makes_room(tmp_path: Path) -> None:
    with elsewhere(tmp_path) as process:
        with pytest.raises(RunError, match=f"a run still in progress .process {process.pid} on"):
            opened(tmp_path)
        assert in_progress(tmp_path)
        process.kill()
        process.wait()
        assert status_of(tmp_path)["status"] == "running"
        assert in_progress(tmp_path) is False
    with opened(tmp_path).recording():
        pass
    assert status_of(tmp_path)["status"] == "ok"


@pytest.mark.skipif(not hasattr(signal, "SIGTERM"), reason="no signals here")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_run_that_is_told_to_end_says_so_at_once(tmp_path: Path, name: str) -> None:
    if signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
        pytest.skip(f"{name} is ignored here, as under nohup")
    # A tracker that waits for its server stands between the signal and the end of the run.
    with elsewhere(
        tmp_path,
        "\n        try: print('inside', flush=True); input()\n        finally: print('waiting', flush=True); input()",
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "inside\n"
        process.send_signal(getattr(signal, name))
        assert process.stdout.readline() == "waiting\n"
        status = status_of(tmp_path)
        assert (status["status"], status["stage"]) == ("failed", "training")
        assert status["error"] == {"type": "stopped", "message": f"stopped by {name}"}
        assert status["finished"]
        process.communicate("\n")
        assert process.returncode == 128 + getattr(signal, name)
    assert status_of(tmp_path) == status


def test_a_full_disk_leaves_a_true_status(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from embft.config import ExperimentConfig\n"
        "from embft.runs.folder import RunFolder\n"
        "folder = Path(sys.argv[1]) / 'run'\n"
        "with RunFolder(folder, ExperimentConfig(), command='', choices={}).recording() as enter:\n"
        "    enter('training')\n"
        "    with (folder / 'weights').open('wb', buffering=0) as file:\n"
        "        while True: file.write(b'1' * 4096)\n"
    )
    script = 'mount -t tmpfs -o size=512k none "$1" && "$2" -c "$3" "$1"; cat "$1/run/status.json"; ls -A "$1/run" >&2'
    command = ["unshare", "-rm", "bash", "-c", script, "_", str(tmp_path), sys.executable, code]
    if (
        not shutil.which("unshare")
        or subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no small file system can be made here")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    status = json.loads(done.stdout)
    assert (status["status"], status["stage"]) == ("failed", "training")
    assert status["error"]["type"] == "OSError"
    assert "the disk is full" in status["error"]["message"]
    assert status["finished"]
    assert ".status.reserve" not in done.stderr.split()


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (sqlite3.OperationalError("database or disk is full"), True),
        (RuntimeError("I/O error: No space left on device (os error 28)"), True),
        (OSError(errno.ENOENT, "No such file"), False),
    ],
)
def test_a_full_disk_is_known_by_whatever_library_meets_it(error: Exception, is_full: bool) -> None:
    wrapped = RuntimeError("saving failed")
    wrapped.__cause__ = error
    assert disk_is_full(wrapped) is is_full


def test_an_interrupted_run_says_so_and_the_next_one_takes_its_place(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), opened(tmp_path).recording():
        raise KeyboardInterrupt
    assert status_of(tmp_path)["error"]["type"] == "interrupted"
    with opened(tmp_path).recording():
        pass
    assert status_of(tmp_path)["status"] == "ok"
