"""Runs one experiment, or with -m a sweep of them. `python run.py --help` shows what can be set."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig

from embft.config import register
from embft.config.command_line import as_config, command_line_problems
from embft.errors import ConfigError, EmbftError
from embft.runs.sweep_end import finish_sweeps
from embft.training.processes import run_distributed

CONFIG_DIR = Path(__file__).parent / "configs"
logger = logging.getLogger("embft")
reported: list[BaseException] = []

register()


@hydra.main(version_base="1.3", config_path="configs", config_name="config")
def job(composed: DictConfig) -> float:
    """One experiment; returns its objective to the sweeper."""
    from embft.pipeline import run_experiment

    settings: Any = HydraConfig.get()
    folder = Path(settings.runtime.output_dir)
    is_sweep = settings.mode.name == "MULTIRUN"
    choices = {key: value for key, value in settings.runtime.choices.items() if value and not key.startswith("hydra")}
    command = " ".join(["python", *sys.argv])
    try:
        return run_experiment(
            as_config(composed),
            folder,
            command=command,
            group=folder.parent.name if is_sweep else None,
            choices=choices,
        )
    except Exception as error:
        if isinstance(error, EmbftError):
            logger.error("%s", error)
        else:
            logger.exception("The run failed; %s holds what there is.", folder)
        reported.append(error)
        raise


def main() -> int:
    """Hands over to Hydra, and puts what is wrong with a command line in plain words. Returns the exit status."""
    # Wherever a user puts it: argparse takes no more overrides after a flag that stands between them.
    sys.argv[1:] = sorted(sys.argv[1:], key=lambda argument: argument not in {"-m", "--multirun"})
    arguments = get_args_parser().parse_args()
    # A single run composes once and checks what it got; a sweep would find the fifth job's typo after four jobs.
    if arguments.multirun and (found := command_line_problems(arguments.overrides, CONFIG_DIR)):
        print(ConfigError(found), file=sys.stderr)
        return 2
    # Hydra then raises what a job raised, instead of printing its own abridged traceback.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    status = 0
    try:
        job()
    except HydraException as error:
        found = command_line_problems(arguments.overrides, CONFIG_DIR)
        print(ConfigError(found) if found else error, file=sys.stderr)
        return 2
    except Exception as error:
        if error not in reported:
            raise
        status = 1
    except KeyboardInterrupt:
        print("Interrupted. The same command goes on where this one stopped.", file=sys.stderr)
        return 130
    finish_sweeps()
    return status


if __name__ == "__main__":
    sys.exit(run_distributed(main))
