"""The folder of one run: what is in it, and what it says while the run is in progress and when it fails."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock
from omegaconf import OmegaConf

from embft import __version__, progress
from embft.config import ExperimentConfig
from embft.errors import RunError
from embft.files import write_text
from embft.records import MODEL_FOLDER, RetrievalDataset
from embft.run_lock import take_lock
from embft.runs.status import Status, overrides_of
from embft.runs.stopping import last_words

if TYPE_CHECKING:
    from embft.results import RunFacts


class RunFolder:
    """Writes a run's files.

    Args:
        folder: Made where it is not there; must not hold another run's results. Where a run failed or was killed there, this
            one takes its place: its stages are in the cache.
        config: The experiment; it names environment variables, never their values.
        command: The command line.
        choices: Group to config file.

    Raises:
        RunError: The folder holds a finished run, or one that is still in progress.
    """

    def __init__(self, folder: Path, config: ExperimentConfig, *, command: str, choices: Mapping[str, str]) -> None:
        self._lock = claim(folder)
        self.folder = folder
        self.settings: dict[str, object] = asdict(config)
        self._seed = config.seed
        self.command = command
        self.choices = dict(choices)
        self.outcome = "ok"
        try:
            write_text(folder / "config.yaml", OmegaConf.to_yaml(OmegaConf.create(self.settings)))
        except BaseException:
            self._lock.release()
            raise

    @property
    def tracked(self) -> dict[str, object]:
        """What a tracker is told of the run's making: its settings, and what decided them."""
        return {**self.settings, "embft": {**program_facts(), "command": self.command, "groups": self.choices}}

    @property
    def name(self) -> str:
        """Short name: the folder's, with its sweep's in front."""
        parent = self.folder.parent
        return self.folder.name if parent.name == "runs" else f"{parent.name}/{self.folder.name}"

    @contextmanager
    def recording(self) -> Iterator[Callable[[str], None]]:
        """Keeps status.json true: running, ok, or failed with the stage and the error, also at a signal or a full disk.

        Yields:
            A function that is told each stage's name as it begins.
        """
        try:
            with Status(self.folder, self.command) as status, last_words(status.fail), progress.shown() as show:

                def enter(stage: str) -> None:
                    status.write(stage=stage)
                    show("" if stage == "report" else stage)  # which prints

                yield enter
                status.end(self.outcome)
        finally:
            self._lock.release()

    def copy_dataset(self, stage: Path) -> None:
        """Puts dataset/{train,dev,test}.json, what is searched besides, and where dev and test are answered, into the run."""
        target = self.folder / "dataset"
        target.mkdir(exist_ok=True)
        for name in (*RetrievalDataset.SPLITS, "distractors", "contexts"):
            shutil.copyfile(stage / f"{name}.json", target / f"{name}.json")
        if (stage / "held_back.jsonl").is_file():
            shutil.copyfile(stage / "held_back.jsonl", target / "held_back.jsonl")

    def copy_model(self, stage: Path, name: str = MODEL_FOLDER) -> None:
        """Puts a tuned model into the run. A copy, not a link: people go on to change it."""
        shutil.copytree(stage, self.folder / name, dirs_exist_ok=True)

    def describe(self) -> RunFacts:
        """Who, what and with which versions; the report's "how to reproduce"."""
        from embft.results import RunFacts  # with all that results are made of: not on the way to a first message

        return RunFacts(
            name=self.name,
            command=self.command,
            seed=self._seed,
            embft_version=__version__,
            commit=program_facts()["commit"],
            python=platform.python_version(),
            platform=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            choices=self.choices,
            overrides=overrides_of(self.folder),
        )


def claim(folder: Path) -> FileLock:
    """Makes a run folder this process's own, and leaves what lies there as it is.

    Raises:
        RunError: It holds a finished run, one that is still in progress, or something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = take_lock(folder)
    held = _held_by(folder / "status.json") if lock else _in_progress(folder / "status.json")
    if lock is None or held:
        if lock:
            lock.release()
        raise RunError(f"{folder} holds {held} already: give another hydra.run.dir, or move that folder away.")
    return lock


def _held_by(status: Path) -> str | None:
    """What must not be written over; None where a run failed, or was killed before it could say so."""
    try:
        state = json.loads(status.read_text(encoding="utf-8"))["status"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return "a run of another kind"
    # Whoever says "running" and does not hold the lock was killed.
    return None if state in {"failed", "running"} else "a run"


def _in_progress(status: Path) -> str:
    try:
        content = json.loads(status.read_text(encoding="utf-8"))
        return f"a run still in progress (process {content['pid']} on {content['host']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "a run still in progress"


def program_facts() -> dict[str, str | None]:
    """Version and commit of embft."""
    return {"version": __version__, "commit": _commit()}


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
