"""Trainings that are killed: a process that says which phase it is in, one that ends it there, and what is left of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from forks import CONTEXT


def place(models: Path, folder: Path) -> Path:
    """A folder with the base model and an empty cache."""
    shutil.copytree(models / "base", folder / "base")
    return folder


def outcome(root: Path) -> tuple[bytes, dict[str, Any]]:
    """Weights and report of the only training; what tells of time and interruptions is left out."""
    [weights] = (root / "cache" / "stages" / "training").glob("*/model/model.safetensors")
    report = json.loads((weights.parents[1] / "training.json").read_text(encoding="utf-8"))
    for name in ("seconds", "resumed"):
        del report[name]
    return weights.read_bytes(), report


def finished(root: Path) -> bool:
    """Whether the stage's result is in its place."""
    return any((root / "cache" / "stages" / "training").glob("[!.]*/stage.json"))


def left_over(root: Path) -> list[Path]:
    """What a stage should not leave: scratch, and half results."""
    stages = root / "cache" / "stages" / "training"
    return [*(root / "cache" / "scratch").glob("*/*"), *(path for path in stages.glob(".*") if path.is_dir())]


def killed(root: Path, blow: Callable[[float], str | None], wait: float) -> str:
    """Kills a training before its end, and again from the same state where it was too quick for that.

    Args:
        blow: Starts the training and kills it so many seconds into a phase; returns the phase that it died in, or None where
            it had ended before.
        wait: Seconds.
    """
    before = root.with_name("before")
    shutil.rmtree(before, ignore_errors=True)
    shutil.copytree(root, before)
    for _ in range(8):
        died_in = blow(wait)
        if died_in is not None and not finished(root):
            return died_in
        shutil.rmtree(root)
        shutil.copytree(before, root)
        wait /= 2
    raise AssertionError("it was always too quick")


PHASES = ("step", "checkpoint", "dev", "final")
"""A training step, the writing of a checkpoint and the removal of old ones, a dev evaluation, and all from the saving of
the tuned model to the end of the stage."""


def victim(root: Path, settings: dict[str, Any], said: Connection) -> None:
    """Trains, and says the name of each phase as it begins and ``.`` as it ends."""
    from tiny import train

    tell_phases(said.send)
    train(root, **settings)


def tell_phases(say: Callable[[str], None]) -> None:
    """Has the trainings of this process say the name of each phase as it begins and ``.`` as it ends."""
    import torch

    from embft.training.dev_search import DevSearch
    from embft.training.trainee import Trainee
    from embft.training.trainer import ByChunkTrainer

    torch.set_num_threads(1)
    for owner, name, phase in (
        (ByChunkTrainer, "training_step", "step"),
        (ByChunkTrainer, "_save_checkpoint", "checkpoint"),
        (DevSearch, "metrics", "dev"),
    ):
        setattr(owner, name, _telling(getattr(owner, name), phase, say))
    save = Trainee.save

    def saving(self: Trainee, output: Path, prompts: Any) -> None:
        say("final")
        sys.addaudithook(_slow)
        save(self, output, prompts)

    Trainee.save = saving  # type: ignore[method-assign]


def _telling(function: Callable[..., Any], phase: str, say: Callable[[str], None]) -> Callable[..., Any]:
    def telling(*args: Any, **kwargs: Any) -> Any:
        say(phase)
        try:
            return function(*args, **kwargs)
        finally:
            say(".")

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
