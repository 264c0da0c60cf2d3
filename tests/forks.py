"""Processes without seconds of imports: forks of one that has imported what trainings and runs need, and has done no work."""

from __future__ import annotations

import atexit
import os
import runpy
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
LIMIT = 1200
"""Seconds that a command may take: many, as this machine may be busy."""

CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(["imported_once"])


class Fork:
    """A process that calls a function, with streams, environment and folder of its own."""

    def __init__(
        self, function: Callable[..., None], *arguments: Any, cwd: Path, environment: Mapping[str, str]
    ) -> None:
        """Starts it.

        Args:
            function: Of a module, so that it can be found by its name.
            environment: Of the process, whole.
        """
        self._said = TemporaryDirectory()
        place = (cwd, dict(environment), self._said.name)
        self.process = CONTEXT.Process(target=_become, args=(place, function, arguments))
        self.process.start()

    def wait(self) -> subprocess.CompletedProcess[str]:
        """Lets it end; it is killed after `LIMIT`."""
        self.process.join(LIMIT)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        with self._said as said:
            out, err = (Path(said, name).read_text(encoding="utf-8") for name in ("stdout", "stderr"))
        return subprocess.CompletedProcess((), self.process.exitcode or 0, out, err)


def typed(
    *arguments: str, cwd: Path, environment: Mapping[str, str], checkout: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Runs ``python run.py`` of a checkout with these arguments, but for the start of Python."""
    embft = "here" if checkout == ROOT else str(checkout)
    return in_fork(str(checkout / "run.py"), *arguments, cwd=cwd, environment=environment, embft=embft)


def in_fork(
    script: str, *arguments: str, cwd: Path, environment: Mapping[str, str], embft: str = "here"
) -> subprocess.CompletedProcess[str]:
    """Runs ``python SCRIPT ARGUMENTS``, or ``python -c SCRIPT ARGUMENTS`` where it is more than one line.

    Args:
        embft: ``here``: it is imported; ``gone``: it is not, and cannot be; else the folder of another checkout.
    """
    return Fork(run_script, (script, *arguments), embft, cwd=cwd, environment=environment).wait()


def run_script(command: tuple[str, ...], embft: str = "here") -> None:
    """What Python does with such a command; ``embft`` as in `in_fork`."""
    if embft != "here":
        _forget_embft(embft)
    sys.argv[:] = command
    if "\n" in command[0]:
        sys.argv[0] = "-c"
        exec(compile(command[0], "<string>", "exec"), {"__name__": "__main__"})
    else:
        runpy.run_path(command[0], run_name="__main__")


def _become(place: tuple[Path, dict[str, str], str], function: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    cwd, environment, said = place
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(os.path.join(said, name), os.O_WRONLY | os.O_CREAT), number)  # noqa: PTH118
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    try:
        function(*arguments)
    finally:
        # A child of multiprocessing leaves them out, and waits for processes that they would end (those of joblib).
        for end in reversed(threading._threading_atexits):  # type: ignore[attr-defined]
            end()
        atexit._run_exitfuncs()


def _forget_embft(instead: str) -> None:
    """As if embft had never been imported; it is found in another checkout then, or nowhere."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "embft"]:
        del sys.modules[name]
    if instead == "gone":
        sys.modules["embft"] = None  # type: ignore[assignment]
    else:
        sys.path.insert(0, instead)
