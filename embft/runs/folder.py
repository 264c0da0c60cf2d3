"""The folder of one run: what is in it, and what it says while the run goes on and when it fails."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from embft import __version__
from embft.config import ExperimentConfig
from embft.errors import RunError
from embft.files import write_json
from embft.records import RetrievalDataset
from embft.results import RunFacts


class RunFolder:
    """Writes a run's files.

    Args:
        folder: Made where it is not there; must not hold another run's results. A run that failed or was killed there
            is gone on with: its stages are in the cache.
        config: The experiment; it names environment variables, never their values.
        command: The command line.
        choices: Group to config file.

    Raises:
        RunError: The folder holds a finished run, or one that goes on.
    """

    def __init__(self, folder: Path, config: ExperimentConfig, *, command: str, choices: Mapping[str, str]) -> None:
        if held := _held_by(folder / "status.json"):
            raise RunError(f"{folder} holds {held} already: give another hydra.run.dir, or move that folder away.")
        self.folder = folder
        self.settings: dict[str, Any] = asdict(config)
        self.command = command
        self.choices = dict(choices)
        self.outcome = "ok"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(self.settings)), encoding="utf-8")

    @property
    def name(self) -> str:
        """Short name: the folder's, with its sweep's in front."""
        parent = self.folder.parent
        return self.folder.name if parent.name == "runs" else f"{parent.name}/{self.folder.name}"

    @contextmanager
    def recording(self) -> Iterator[Callable[[str], None]]:
        """Keeps status.json true: running, ok, or failed with the stage and the error.

        Yields:
            A function that is told each stage's name as it begins.
        """
        started = time.time()
        status: dict[str, Any] = {
            "status": "running",
            "stage": None,
            "command": self.command,
            "overrides": self._overrides(),
            "started": _iso(started),
            "pid": os.getpid(),
            "host": platform.node(),
        }
        write_json(self.folder / "status.json", status)

        def enter(stage: str) -> None:
            status["stage"] = stage
            write_json(self.folder / "status.json", status)

        try:
            yield enter
        except BaseException as error:
            kind = "interrupted" if isinstance(error, KeyboardInterrupt) else type(error).__name__
            status |= {"status": "failed", "error": {"type": kind, "message": str(error)}}
            raise
        else:
            status |= {"status": self.outcome, "stage": None}
        finally:
            ended = time.time()
            status |= {"finished": _iso(ended), "seconds": round(ended - started, 3)}
            write_json(self.folder / "status.json", status)

    def copy_dataset(self, stage: Path) -> None:
        """Puts dataset/{train,dev,test}.json, and what is searched besides, into the run."""
        target = self.folder / "dataset"
        target.mkdir(exist_ok=True)
        for name in (*RetrievalDataset.SPLITS, "distractors"):
            shutil.copyfile(stage / f"{name}.json", target / f"{name}.json")

    def copy_model(self, stage: Path) -> None:
        """Puts the tuned model into the run. A copy, not a link: people go on to change it."""
        shutil.copytree(stage, self.folder / "model", dirs_exist_ok=True)

    def describe(self) -> RunFacts:
        """Who, what and with which versions; the report's "how to reproduce"."""
        return RunFacts(
            name=self.name,
            command=self.command,
            seed=self.settings["seed"],
            embft_version=__version__,
            commit=_commit(),
            python=platform.python_version(),
            platform=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            choices=self.choices,
            overrides=self._overrides(),
        )

    def _overrides(self) -> list[str]:
        file = self.folder / ".hydra" / "overrides.yaml"
        # Not resolved: an override may refer to another key (`a=${seed}`), which this list alone does not have.
        items = OmegaConf.to_container(OmegaConf.load(file)) if file.is_file() else None
        return [str(item) for item in items or ()]


def _held_by(status: Path) -> str | None:
    """What must not be written over; None where a run failed, or was killed before it could say so."""
    try:
        said = json.loads(status.read_text(encoding="utf-8"))
        state, pid, host = said["status"], said["pid"], said.get("host")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return "a run of another kind"
    if state == "failed":
        return None
    if state == "running":
        if host == platform.node() and not _is_alive(pid):
            return None
        return f"a run that goes on (process {pid} on {host})"
    return "a run"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != os.getpid()  # numbers come round: this process has not begun there


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")


def _commit() -> str | None:
    """The commit of the checkout that embft runs from; None where it is installed without one."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
