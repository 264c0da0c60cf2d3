"""A job of a restarted sweep whose folder holds a finished run: is it the job's own, and would it be the same today?"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from embft.config import ExperimentConfig
from embft.config.untrained import leave_out_tuned
from embft.errors import RunError
from embft.run_lock import take_lock
from embft.runs.made_from import MISSING, NAME

OUTDATED = ".outdated"
"""In a sweep's folder: finished runs that were made from other files, or by other code, than the ones that took their place."""
Origins = Callable[[ExperimentConfig, Path], Mapping[str, str]]
"""What a run would be made from now; gets its settings and its cache."""
_NO_MATTER = ("tracking.", "scale.", "cache_dir")
"""Settings that decide nothing about a run's figures."""
_MOST_NAMED = 3


@dataclass(frozen=True)
class FinishedRun:
    """What a finished run says to a job that would take its folder.

    Attributes:
        folder: Of the run.
        objective: Its dev figure; NaN where it had no dev questions.
        others: The settings in which it differs from the job: ``seed=42 there, 7 here``. Empty: it is the job's own.
        made_from: By name, what it was made from; None where an older version did not say.
    """

    folder: Path
    objective: float
    others: list[str]
    made_from: Mapping[str, str] | None

    @property
    def differences(self) -> str:
        """A few of them, in a sentence's words."""
        return _listed(self.others, "; ")

    def changes(self, now: Mapping[str, str]) -> str:
        """What it was made from and is different now, in a sentence's words; "" where nothing is.

        Args:
            now: What it would be made from.
        """
        if self.made_from is None:
            return "an older version of embft, which did not note what it was made from"
        there = self.made_from
        return _listed(_differing(there, now), ", ")


def finished_run(folder: Path, config: ExperimentConfig) -> FinishedRun | None:
    """The run that ended well in a folder, compared to what a job would run there; None where there is no such run."""
    try:
        status = json.loads((folder / "status.json").read_text(encoding="utf-8"))["status"]
        value = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["objective"]["value"]
        there = OmegaConf.to_container(OmegaConf.load(folder / "config.yaml"))
    except (OSError, ValueError, KeyError, TypeError, OmegaConfBaseException, YAMLError):
        return None
    if status != "ok" or not isinstance(there, dict):
        return None
    here = OmegaConf.to_container(OmegaConf.create(asdict(leave_out_tuned(config))))
    assert isinstance(here, dict)
    old, new = dict(_leaves(there)), dict(_leaves(here))
    keys = [key for key in {**old, **new} if not key.startswith(_NO_MATTER) and old.get(key) != new.get(key)]
    others = [f"{key}={_shown(old.get(key))} there, {_shown(new.get(key))} here" for key in keys]
    return FinishedRun(folder, math.nan if value is None else float(value), others, _made_from(folder))


def changes_since(run: FinishedRun, config: ExperimentConfig, origins: Origins) -> str:
    """What a finished run was made from and is different now; "" where it would be the same today.

    Raises:
        RunError: That cannot be found out, because something that its settings name is not there.
    """
    config = leave_out_tuned(config)
    now = origins(config, Path(config.cache_dir).expanduser().absolute())
    gone = [name for name in _differing(run.made_from or {}, now) if now.get(name) == MISSING]
    if gone:
        raise RunError(
            f"{run.folder} holds a finished run, and what it was made from is not there any more: {', '.join(gone)}. Put it "
            "back, or give another hydra.sweep.dir."
        )
    return run.changes(now)


def set_aside(folder: Path, sweep: Path) -> Path:
    """Moves a finished run out of the way, and nothing of it is lost.

    Args:
        folder: The run's.
        sweep: The sweep's.

    Returns:
        Where it is now: below `OUTDATED`, where no comparison looks.

    Raises:
        RunError: Another process works there.
    """
    lock = take_lock(folder)
    if lock is None:
        raise RunError(f"{folder} holds a run still in progress: give another hydra.sweep.dir, or wait for it.")
    inside = folder.is_relative_to(sweep) and folder != sweep
    place = (sweep if inside else folder.parent) / OUTDATED
    name = folder.relative_to(sweep) if inside else Path(folder.name)
    number = 1
    while os.path.lexists(target := place / f"{name}-{number}"):
        number += 1
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(target)
    finally:
        lock.release()
    return target


def _made_from(folder: Path) -> Mapping[str, str] | None:
    try:
        content = json.loads((folder / NAME).read_text(encoding="utf-8"))["made_from"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return {str(name): str(value) for name, value in content.items()} if isinstance(content, dict) else None


def _differing(there: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [name for name in {**there, **now} if there.get(name) != now.get(name)]


def _listed(items: list[str], between: str) -> str:
    more = len(items) - _MOST_NAMED
    return between.join(items[:_MOST_NAMED]) + (f"{between}and {more} more" if more > 0 else "")


def _leaves(settings: Mapping[Any, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
