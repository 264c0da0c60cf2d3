"""A job of a restarted sweep whose folder holds a finished run: with equal settings it is done, with others it is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from embft.config import ExperimentConfig

_NO_MATTER = ("tracking.", "cache_dir")
"""Settings that decide nothing about a run's figures."""
_MOST_NAMED = 3


@dataclass(frozen=True)
class FinishedRun:
    """What a finished run says to a job that would take its folder.

    Attributes:
        objective: Its dev figure; NaN where it had no dev questions.
        others: The settings in which it differs from the job: ``seed=42 there, 7 here``. Empty: it is the job's own.
    """

    objective: float
    others: list[str]

    @property
    def differences(self) -> str:
        """A few of them, in a sentence's words."""
        more = len(self.others) - _MOST_NAMED
        return "; ".join(self.others[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")


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
    here = OmegaConf.to_container(OmegaConf.create(asdict(config)))
    assert isinstance(here, dict)
    old, new = dict(_leaves(there)), dict(_leaves(here))
    keys = [key for key in {**old, **new} if not key.startswith(_NO_MATTER) and old.get(key) != new.get(key)]
    others = [f"{key}={_shown(old.get(key))} there, {_shown(new.get(key))} here" for key in keys]
    return FinishedRun(math.nan if value is None else float(value), others)


def _leaves(settings: Mapping[Any, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
