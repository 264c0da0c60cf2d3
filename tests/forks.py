"""Processes without seconds of imports: forks of one that has imported what trainings and runs need, and has done no work."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
LIMIT = 500
"""Seconds that a command may take."""

CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "embft.pipeline",
        "embft.steps.evaluation",
        "embft.steps.report",
        "embft.steps.training",
        "embft.training.trainer",
        "embft.training.loss",
        "datasets",
        "accelerate",
        "peft",
        "torch.distributed.launcher.api",
    ]
)


def typed(*arguments: str, cwd: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs ``python run.py`` with these arguments, but for the start of Python.

    Args:
        cwd: Where it is typed.
        environment: Of the process, whole.
    """
    with TemporaryDirectory() as said:
        process = CONTEXT.Process(target=_become, args=(arguments, cwd, dict(environment), said))
        process.start()
        process.join(LIMIT)
        if process.exitcode is None:
            process.kill()
        out, err = (Path(said, name).read_text(encoding="utf-8") for name in ("stdout", "stderr"))
        return subprocess.CompletedProcess(
            arguments, process.exitcode if process.exitcode is not None else 124, out, err
        )


def _become(arguments: tuple[str, ...], cwd: Path, environment: dict[str, str], said: str) -> None:
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(os.path.join(said, name), os.O_WRONLY | os.O_CREAT), number)  # noqa: PTH118
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv[:] = [str(ROOT / "run.py"), *arguments]
    runpy.run_path(sys.argv[0], run_name="__main__")
