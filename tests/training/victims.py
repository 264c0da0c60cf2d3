"""Trainings that are killed: a process that says which phase it is in, and one that ends it there."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

# Importing takes seconds, forking milliseconds: the server imports once and does no work with torch.
CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["embft.steps.training", "embft.training.trainer", "embft.training.loss", "datasets", "accelerate", "peft"]
)

PHASES = ("step", "checkpoint", "dev", "final")
"""A training step, the writing of a checkpoint and the removal of old ones, a dev evaluation, and all from the saving of
the tuned model to the end of the stage."""


def victim(root: Path, settings: dict[str, Any], said: Connection) -> None:
    """Trains, and says the name of each phase as it begins and ``.`` as it ends."""
    import torch
    from tiny import train

    from embft.steps.dev_search import DevSearch
    from embft.training.trainee import Trainee
    from embft.training.trainer import ByChunkTrainer

    torch.set_num_threads(1)
    for owner, name, phase in (
        (ByChunkTrainer, "training_step", "step"),
        (ByChunkTrainer, "_save_checkpoint", "checkpoint"),
        (DevSearch, "metrics", "dev"),
    ):
        setattr(owner, name, _telling(getattr(owner, name), phase, said))
    save = Trainee.save

    def saving(self: Trainee, output: Path) -> None:
        said.send("final")
        sys.addaudithook(_slow)
        save(self, output)

    Trainee.save = saving  # type: ignore[method-assign]
    train(root, **settings)


def _telling(function: Callable[..., Any], phase: str, said: Connection) -> Callable[..., Any]:
    def telling(*args: Any, **kwargs: Any) -> Any:
        said.send(phase)
        try:
            return function(*args, **kwargs)
        finally:
            said.send(".")

    return telling


def _slow(event: str, args: tuple[Any, ...]) -> None:
    """A pause before each operation on files: the end of a stage is else too short to be hit."""
    if event in {"open", "os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.chmod", "os.scandir", "shutil.rmtree"}:
        time.sleep(0.002)


class Victim:
    """A training in a process of its own."""

    def __init__(self, root: Path, settings: dict[str, Any]) -> None:
        self._heard, said = CONTEXT.Pipe(duplex=False)
        self.process = CONTEXT.Process(target=victim, args=(root, settings, said))
        self.process.start()
        said.close()

    def finish(self) -> dict[str, float]:
        """Lets it end; returns the mean seconds of each phase."""
        spent: dict[str, list[float]] = defaultdict(list)
        phase, began = ".", 0.0
        while (said := self._hear()) is not None:
            if phase != ".":
                spent[phase].append(time.perf_counter() - began)
            phase, began = said, time.perf_counter()
        spent[phase].append(time.perf_counter() - began)
        self.process.join()
        assert self.process.exitcode == 0
        return {name: sum(values) / len(values) for name, values in spent.items()}

    def kill(self, phase: str, entered: int, wait: float) -> str | None:
        """Kills it ``wait`` seconds into a phase that it enters for the ``entered``-th time.

        One that never comes so far is killed in its final save.

        Returns:
            The phase it died in; ``.`` between two; None where it had ended before.
        """
        said: str | None = "."
        while entered and (said := self._hear()) is not None and said != "final":
            entered -= said == phase
        if said is not None:
            time.sleep(wait)
            assert self.process.pid is not None
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)
        died_in = said
        while (later := self._hear()) is not None:
            died_in = later
        self.process.join()
        assert self.process.exitcode in {0, -signal.SIGKILL}, "the training failed"
        return died_in if self.process.exitcode else None

    def _hear(self) -> str | None:
        try:
            return str(self._heard.recv())
        except EOFError:
            return None
