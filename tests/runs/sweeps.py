"""Sweeps of tiny jobs by any launcher: started, killed with all that they started, and compared."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from forks import CONTEXT, ROOT, Fork, run_script
from small_run import save_model, write_questions

BAD = 100_000
"""Tokens: more than the model has positions for."""
ENVIRONMENT = {
    **os.environ,
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "RAY_worker_niceness": "0",
}


def swept(launcher: str, jobs: int, *, bad: bool, place: Path, optuna: bool = False) -> list[str]:
    """The overrides of a sweep: its data and its model, which are written to ``place``, and what is swept over.

    Args:
        launcher: basic, joblib, submitit_local or ray.
        bad: Whether one of the jobs fails.
        optuna: Optuna chooses the jobs.
    """
    model = place / "tiny"
    if not model.is_dir():
        process = CONTEXT.Process(target=save_model, args=(model,))
        process.start()
        process.join()
    lengths = [*range(8, 8 + jobs - bad), *([BAD] if bad else [])]
    shared = [
        *write_questions(place / "data"), f"model.path={model}", "training=none", "evaluation=base_only",
        "evaluation.systems=[base]", "evaluation.resamples=100", "dataset.dev_fraction=0.4", "tracking=local",
    ]  # fmt: skip
    if optuna:
        values = ",".join(map(str, [8, 9, 10, 11, 12, 14, *([BAD] if bad else [])]))
        shared += [
            "hydra/sweeper=optuna", f"hydra.sweeper.n_trials={jobs}", f"model.max_seq_length=choice({values})",
            "evaluation.margin=interval(0.001,0.02)", "hydra.sweeper.sampler.n_startup_trials=5",
        ]  # fmt: skip
    else:
        shared.append(f"model.max_seq_length={','.join(map(str, lengths))}")
    if launcher != "basic":
        shared.append(f"hydra/launcher={launcher}")
    if launcher == "ray":
        # Of this machine's cores two, and a folder whose name is short enough for the names of sockets.
        shared += ["+hydra.launcher.ray.init.num_cpus=2", f"+hydra.launcher.ray.init._temp_dir={place / 'r'}"]
    return shared


class Sweep:
    """A sweep that runs, in a fork.

    Attributes:
        said: What it had printed when `kill` ended.

    Args:
        place: Where its folder and its cache are.
        name: Of its folder.
        overrides: See `swept`.
    """

    said = ""

    def __init__(self, place: Path, name: str, overrides: list[str]) -> None:
        self._folder = place / name
        words = ["-m", *overrides, f"cache_dir={place / name}.cache", f"hydra.sweep.dir={place / name}"]
        self._begun, self._since = self._log().count(" jobs: "), time.time()
        self._fork = Fork(run_script, (str(ROOT / "run.py"), *words), cwd=place, environment=ENVIRONMENT)

    def wait(self) -> subprocess.CompletedProcess[str]:
        """Lets it end."""
        return self._fork.wait()

    def kill(self, ended: int, later: float) -> bool:
        """Kills it and all that it started. Returns whether it was still alive.

        Args:
            ended: Once so many jobs have ended that were not skipped, and another one works,
            later: so many seconds later.
        """
        while self._fork.process.is_alive() and not self._has_come_to(ended):
            time.sleep(0.02)
        time.sleep(later)
        alive = self._fork.process.is_alive()
        family: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            head = psutil.Process(self._fork.process.pid)
            # Ended first, so that it starts no more of them.
            head.suspend()
            family = [*head.children(recursive=True), head]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        psutil.wait_procs(family, timeout=30)
        self.said = self._fork.wait().stdout
        return alive

    def _has_come_to(self, ended: int) -> bool:
        log = self._log()
        if log.count(" jobs: ") <= self._begun:
            return False
        last = log.rpartition(" jobs: ")[2]
        if last.count(": ok") + last.count(": failed") < ended:
            return False
        # Not one that an earlier kill left behind.
        now = [file for file in self._folder.glob("*/status.json") if file.stat().st_mtime > self._since]
        return "running" in _statuses(now)

    def _log(self) -> str:
        file = self._folder / "sweep.log"
        return file.read_text(encoding="utf-8") if file.is_file() else ""


def statuses(sweep: Path) -> list[str]:
    """How its jobs are, as far as they can be read at this moment."""
    return _statuses(sorted(sweep.glob("*/status.json")))


def _statuses(files: list[Path]) -> list[str]:
    found = []
    for file in files:
        with suppress(OSError, ValueError):
            found.append(json.loads(file.read_text(encoding="utf-8"))["status"])
    return found


def finished(sweep: Path) -> int:
    """How many of its jobs ended well."""
    return statuses(sweep).count("ok")


def outcomes(sweep: Path) -> dict[str, Any]:
    """By job: its settings with its figures, or with its error. Nothing that depends on time, or on the name of the sweep."""
    found = {}
    for file in sorted(sweep.glob("*/status.json")):
        status = json.loads(file.read_text(encoding="utf-8"))
        settings = [one for one in status["overrides"] if not one.startswith("cache_dir")]
        outcome: Any = status.get("error", status["status"])
        if status["status"] == "ok":
            metrics = json.loads(file.with_name("metrics.json").read_text(encoding="utf-8"))
            systems = {
                name: {key: value for key, value in system.items() if key != "costs"}
                for name, system in metrics["systems"].items()
            }
            outcome = (systems, metrics["comparisons"], metrics["objective"])
        found[file.parent.name] = json.loads(json.dumps([settings, outcome]))
    return found


def differences(whole: Path, broken: Path) -> list[str]:
    """Jobs that are in one of two sweeps alone, or have other figures."""
    first, second = outcomes(whole), outcomes(broken)
    faults = [f"job {name} is in one sweep alone" for name in sorted(first.keys() ^ second.keys())]
    return faults + [
        f"job {name} differs" for name in sorted(first.keys() & second.keys()) if first[name] != second[name]
    ]


def built_twice(sweep: Path) -> list[str]:
    """Stages that more than one job built, though they share it."""
    built: Counter[tuple[str, str]] = Counter()
    for file in sweep.glob("*/metrics.json"):
        timings = json.loads(file.read_text(encoding="utf-8"))["timings"]
        stages = json.loads(file.with_name("made_from.json").read_text(encoding="utf-8"))["stages"]
        built.update((name, stages[name][0]) for name in stages if name in timings and not timings[name]["cached"])
    return [f"stage {name} {key} was built {count} times" for (name, key), count in built.items() if count > 1]
