"""The program: ``python run.py`` in a checkout, ``embft`` where it is installed. Both have one grammar.

``embft KEY=VALUE...`` and ``embft -m KEY=A,B`` run experiments; ``embft compare``, ``embft serve`` and the others are the
programs of `scripts/`.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import hydra
from omegaconf import DictConfig

from embft.config import register
from embft.config.composing import CONFIG_DIR
from embft.pipeline import origins, run_experiment
from embft.runs.command import run_command
from embft.runs.job import run_job
from embft.runs.stopping import MISTAKEN, quietly
from embft.training.processes import run_distributed

COMMANDS = {
    "compare": ("embft.commands.compare:main", "runs and sweeps side by side"),
    "plan": (
        "embft.commands.plan:main",
        "what a sweep would do: its jobs, the stages that they share, time, money, disk",
    ),
    "cache": ("embft.commands.cache:main", "what lies in the cache of stages, who uses it, and what may go"),
    "convert": ("embft.commands.convert:main", "a dataset in another format"),
    "print-report": ("embft.commands.print_report:main", "a report as PDF or PNG"),
    "label": ("embft.labelling.command:main", "a page to write and judge questions by hand"),
    "serve": ("embft.serving.command:main", "the winning system over HTTP"),
    "export": ("embft.export.command:main", "the winning system for ONNX, Parquet, Qdrant, LanceDB, Elasticsearch"),
    "check-served": ("embft.serving.check_command:main", "whether what is served gives the vectors that were judged"),
    "publish": ("embft.commands.publish:main", "the tuned model on the Hugging Face hub"),
    "doctor": ("embft.commands.doctor:main", "what is installed, and what can be used"),
}
"""Name, where it is, and what it does in a line."""


register()


@hydra.main(version_base="1.3", config_path=str(CONFIG_DIR), config_name="config")
def job(composed: DictConfig) -> float:
    """One experiment; returns its objective to the sweeper."""
    return run_job(composed, run_experiment, origins)


def run() -> int:
    """Runs the experiments that the command line asks for. Returns the exit status."""
    return run_distributed(lambda: run_command(job, CONFIG_DIR))


def main() -> int:
    """The command ``embft``. Returns the exit status."""
    first = sys.argv[1] if len(sys.argv) > 1 else ""
    if first in COMMANDS:
        command = _loaded(first)
        sys.argv = [f"{Path(sys.argv[0]).name} {first}", *sys.argv[2:]]
        return quietly(command)
    if first and not first.startswith("-") and "=" not in first:
        near = difflib.get_close_matches(first, COMMANDS, 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        print(
            f"embft has no command '{first}'.{hint} Commands: {', '.join(COMMANDS)}. Settings are written KEY=VALUE; "
            "embft --help lists them.",
            file=sys.stderr,
        )
        return MISTAKEN
    return run()


def _loaded(name: str) -> Callable[[], int]:
    module, _, function = COMMANDS[name][0].partition(":")
    command: Callable[[], int] = getattr(import_module(module), function)
    return command


if __name__ == "__main__":
    sys.exit(main())
