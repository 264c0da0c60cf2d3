"""``python run.py``: reads the command line, checks it, hands it to Hydra, and ends with the right exit status.

0: all went well. 1: a run failed. 2: the command line or the configuration is wrong, wherever that is found out. 130: Ctrl-C.
143: SIGTERM.
"""

from __future__ import annotations

import logging
import os
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from hydra import __version__ as hydra_version
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from embft import __version__
from embft.config import GROUPS
from embft.config.arguments import Arguments, read_arguments
from embft.config.command_line import CheckedLine, check_line
from embft.config.composing import ConfigTree, config_tree, plain_message
from embft.config.help import help_text
from embft.errors import ConfigError
from embft.runs.job import device_problems, failures
from embft.runs.stopping import FAILED, GOOD, INTERRUPTED, MISTAKEN, Stopped, catch_signals, disk_is_full, quietly
from embft.runs.sweep_end import finish_sweeps, sweeps_began
from embft.services.address import secrets_in

_HERE = ("basic", "joblib")
"""Launchers whose jobs run on this machine, so that its devices are theirs."""


def run_command(job: Callable[[], Any], config_dir: Path) -> int:
    """Runs the program on ``sys.argv``. Returns the exit status.

    Args:
        job: What ``hydra.main`` made of the job; it reads ``sys.argv``.
        config_dir: The folder of the primary configuration.
    """
    catch_signals()
    # A closed pipe or a full disk is no reason for a traceback at each line that is logged.
    logging.raiseExceptions = False
    return quietly(lambda: _run(job, config_dir))


def _run(job: Callable[[], Any], config_dir: Path) -> int:
    os.environ["EMBFT_COMMAND"] = f"{program()} {shlex.join(sys.argv[1:])}".strip()
    wants_trace = os.environ.get("HYDRA_FULL_ERROR") == "1"
    # Hydra then raises what a job raised, instead of printing its own abridged traceback.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        arguments = read_arguments(sys.argv[1:])
        if arguments.version:
            print(f"embft {__version__} (Hydra {hydra_version})")
            return GOOD
        # Before anything else: a secret on the line is written nowhere, even where the rest of the line is wrong.
        if secrets := secrets_in(arguments.overrides):
            raise ConfigError(secrets)
        tree = _tree(arguments, config_dir)
        if arguments.parsed.help:
            options = {group: tree.options(group) for group in (*GROUPS, "experiment")}
            print(_as_typed(help_text(options, tree.defaults())))
            return GOOD
        if not arguments.parsed.shell_completion and not arguments.parsed.hydra_help:
            checked = _checked(arguments, tree)
            sys.argv[1:] = [*checked.overrides, *arguments.options]
            # For the commands of a sweep's jobs, wherever these run.
            os.environ["EMBFT_PROGRAM"] = program()
            os.environ["EMBFT_OPTIONS"] = shlex.join(one for one in arguments.options if one.startswith("--config-"))
        job()
    except ConfigError as error:
        if not getattr(error, "was_reported", False):
            print(_as_typed(str(error)), file=sys.stderr)
        status = MISTAKEN
    except KeyboardInterrupt:
        print("Interrupted. The same command continues where this one stopped.", file=sys.stderr)
        return INTERRUPTED
    except Stopped as stopped:
        print(f"S{str(stopped)[1:]}. The same command continues where this one stopped.", file=sys.stderr)
        return stopped.status
    except BrokenPipeError:
        raise
    except Exception as error:
        status = _status_of(error, wants_trace)
    else:
        status = GOOD
    if any(isinstance(error, ConfigError) for error in failures):
        status = MISTAKEN
    # A sweeper may continue after a failure without raising it, and jobs may run in other processes.
    failed = bool(failures)
    failures.clear()
    unfinished = finish_sweeps()
    return FAILED if status == GOOD and (failed or unfinished) else status


def program() -> str:
    """How the program was started: the command ``embft``, or a file with Python."""
    name = Path(sys.argv[0])
    if name.name == "__main__.py":
        return "python -m embft"
    return name.stem if name.suffix in {"", ".exe"} else shlex.join(["python", sys.argv[0]])


def _as_typed(text: str) -> str:
    """Words about the program by the name under which it was started."""
    started = program()
    return text if started.startswith("python ") and "run.py" in started else text.replace("python run.py", started)


def _tree(arguments: Arguments, config_dir: Path) -> ConfigTree:
    parsed = arguments.parsed
    path = parsed.config_path
    place = config_dir if path is None else Path(path) if "://" in path else config_dir.parent / path
    return config_tree(place, parsed.config_name or "config", parsed.config_dir)


def _checked(arguments: Arguments, tree: ConfigTree) -> CheckedLine:
    """The command line, checked; says what it implies.

    Raises:
        ConfigError: Something is wrong with it. Where it only asks what would run, what cannot be read.
    """
    checked = check_line(arguments.overrides, tree, sweep=arguments.is_sweep)
    if not arguments.runs:
        if checked.unread or (checked.problems and not checked.configs):
            raise ConfigError(checked.problems)
        return checked
    problems = checked.problems
    if checked.launcher in _HERE:
        problems = [*problems, *dict.fromkeys(one for config in checked.configs for one in device_problems(config))]
    if problems:
        raise ConfigError(problems)
    for notice in checked.notices:
        print(notice, file=sys.stderr)
    return checked


def _status_of(error: Exception, wants_trace: bool) -> int:
    """The exit status for an exception that came out of Hydra; prints what the job has not said already."""
    if getattr(error, "was_reported", False) or error in failures:
        return FAILED
    if disk_is_full(error):
        print(
            f"The disk is full: {error}. Make room; the same command continues where this one stopped.", file=sys.stderr
        )
        return FAILED
    if sweeps_began() and not isinstance(error, (HydraException, OmegaConfBaseException, yaml.YAMLError)):
        # Out of a launcher or a sweeper: a job's process was killed, the cluster is gone, no trial ended well.
        words = next(iter(str(error).splitlines()), "")
        print(
            f"The sweep broke off ({type(error).__name__}{': ' * bool(words)}{words}). The same command continues where it "
            "stopped.",
            file=sys.stderr,
        )
        return FAILED
    if wants_trace or (failures and not isinstance(error, (HydraException, OmegaConfBaseException))):
        logging.getLogger("embft").error("This should not happen: please report it.", exc_info=error)
        return FAILED if failures else MISTAKEN
    if isinstance(error, OSError) and not isinstance(error, HydraException):
        words = f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
        print(ConfigError([f"The run's folder cannot be made. {words}. Give another hydra.run.dir."]), file=sys.stderr)
        return MISTAKEN
    words = " ".join(str(error).split()) if isinstance(error, yaml.YAMLError) else plain_message(error)
    known = isinstance(error, (HydraException, OmegaConfBaseException, yaml.YAMLError))
    cause = f" ({error.__cause__})" if error.__cause__ and str(error.__cause__) not in words else ""
    what = "" if known else f"Hydra cannot start the run, {type(error).__name__}: "
    print(ConfigError([re.sub(r"\s+", " ", f"{what}{words}{cause}")]), file=sys.stderr)
    return MISTAKEN
