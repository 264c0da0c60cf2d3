"""One job of the command line: its folder is claimed, its configuration checked, the experiment run."""

from __future__ import annotations

import logging
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from embft.config import ExperimentConfig
from embft.config.composing import as_config
from embft.config.problems import problems
from embft.errors import ConfigError, EmbftError, RunError
from embft.files import write_text
from embft.runs.finished import Origins, changes_since, finished_run, set_aside
from embft.runs.folder import claim
from embft.runs.status import Status
from embft.runs.stopping import disk_is_full, last_words
from embft.training.processes import launch_problems

logger = logging.getLogger("embft")
failures: list[BaseException] = []
"""What went wrong in jobs of this process; each is reported already."""
skipped: set[Path] = set()
"""Folders of this process's jobs that had finished before."""


class Experiment(Protocol):
    """What runs an experiment: `embft.pipeline.run_experiment`."""

    def __call__(
        self, config: ExperimentConfig, folder: Path, *, command: str, group: str | None, choices: Mapping[str, str]
    ) -> float:
        """Runs it in a folder; returns its objective."""


def run_job(composed: DictConfig, run_experiment: Experiment, origins: Origins) -> float:
    """One experiment; returns its objective to the sweeper.

    Args:
        composed: Its configuration.
        run_experiment: Runs it.
        origins: What it would be made from, where a finished run lies in its folder already.

    Raises:
        EmbftError: A mistake that the user can mend; it is reported already.
    """
    settings: Any = HydraConfig.get()
    folder = Path(settings.runtime.output_dir)
    in_sweep = settings.mode.name == "MULTIRUN"
    command = (
        _own_command(settings) if in_sweep else os.environ.get("EMBFT_COMMAND") or shlex.join(["python", *sys.argv])
    )
    try:
        lock = claim(folder)
    except RunError:
        # Not logged: the log is a file of the run that is there.
        try:
            if not in_sweep:
                raise
            if (objective := _finished_before(folder, composed, Path(settings.sweep.dir), origins)) is not None:
                return objective
            lock = claim(folder)
        except RunError as error:
            print(error, file=sys.stderr)
            raise _reported(error) from None
    try:
        _write_hydra(folder, composed, settings)
        config = _checked(composed, folder, command)
        chosen: Mapping[str, str] = settings.runtime.choices
        return run_experiment(
            config,
            folder,
            command=command,
            group=Path(settings.sweep.dir).name if in_sweep else None,
            choices={key: value for key, value in chosen.items() if value and not key.startswith("hydra")},
        )
    except Exception as error:
        if isinstance(error, EmbftError):
            logger.error("%s", error)
        elif disk_is_full(error):
            logger.error("The disk is full: %s. Make room; the same command continues where this one stopped.", error)
        else:
            logger.exception("The run failed; %s holds what there is.", folder)
        raise _reported(_sendable(error) if in_sweep else error) from error.__cause__
    finally:
        lock.release()


def device_problems(config: ExperimentConfig) -> list[str]:
    """A device that is asked for and not there. Needs torch only where one is asked for."""
    if config.training.device in {"auto", "cpu"} or config.model.kind != "weights":
        return []
    from embft.models.hardware import pick_device

    try:
        pick_device(config.training.device)
    except ConfigError as error:
        return error.problems
    return []


def _checked(composed: DictConfig, folder: Path, command: str) -> ExperimentConfig:
    """The job's configuration; what is wrong with it stands in its folder too, so that a sweep's comparison lists it."""
    with Status(folder, command) as status, last_words(status.fail):
        config = as_config(composed)
        wrong = [*problems(config), *launch_problems(config.training), *device_problems(config)]
        if wrong:
            raise ConfigError(wrong)
    return config


def _finished_before(folder: Path, composed: DictConfig, sweep: Path, origins: Origins) -> float | None:
    """The objective of a job that an earlier start of its sweep finished; None where the job has to run.

    A finished run that would be another one today is moved out of the way first, which it says.

    Raises:
        RunError: It is a finished run with other settings, or what it was made from is gone.
    """
    try:
        config = as_config(composed)
    except ConfigError:
        return None
    run = finished_run(folder, config)
    if run is None:
        return None
    if run.others:
        raise RunError(
            f"{folder} holds a run with other settings already ({run.differences}): give another hydra.sweep.dir, or move "
            "that folder away."
        )
    changes = changes_since(run, config, origins)
    if not changes:
        print(f"{folder} is finished, and would be the same today: skipped. Move it away to run it again.")
        skipped.add(folder)
        return run.objective
    aside = set_aside(folder, sweep.absolute())
    print(
        f"{folder} is finished, but was made from other things than now: {changes}. It runs again; what was there: {aside}"
    )
    return None


def _own_command(settings: Any) -> str:
    """The command that runs a job of a sweep by itself."""
    program = os.environ.get("EMBFT_PROGRAM", "python run.py")
    paths = [one for one in settings.overrides.hydra if str(one).lstrip("+").startswith("hydra.searchpath")]
    options = os.environ.get("EMBFT_OPTIONS", "")
    return f"{program} {shlex.join([*settings.overrides.task, *paths])} {options}".strip()


def _write_hydra(folder: Path, composed: DictConfig, settings: Any) -> None:
    """What Hydra writes for a job: here, once the folder is known to be free. A finished run there stays as it is."""
    place = folder / (settings.output_subdir or ".hydra")
    place.mkdir(exist_ok=True)
    write_text(place / "config.yaml", OmegaConf.to_yaml(composed))
    write_text(place / "hydra.yaml", OmegaConf.to_yaml(OmegaConf.create({"hydra": OmegaConf.to_container(settings)})))
    write_text(place / "overrides.yaml", OmegaConf.to_yaml(settings.overrides.task))


def _sendable(error: Exception) -> Exception:
    """An error that may go to another process: those of other libraries cannot always be put together again there."""
    if isinstance(error, EmbftError):
        return error
    words = " ".join(str(error).split())
    return RunError(f"{type(error).__name__}: {words}" if words else type(error).__name__)


def _reported(error: Exception) -> Exception:
    """Notes that an error has been told to the user; also where it goes to another process."""
    failures.append(error)
    error.was_reported = True  # type: ignore[attr-defined]
    return error
