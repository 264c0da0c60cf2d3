"""One training as its stage asks for it: of weights, low-rank updates or an adapter."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from embft.config.training import TrainingConfig
from embft.records import Splits
from embft.retrieval.embedder import Embedder
from embft.training.finetune import Hardware, Log

NO_MATTER = ("checkpoint_steps", "seeds", "refit")
"""Settings that change nothing about one training; `tests/training/test_resume.py` says so of checkpoints."""


@dataclass(frozen=True)
class TuningTask:
    """What is tuned on what, and where the result goes.

    Attributes:
        config: The recipe.
        splits: Train questions, and dev questions that choose the epoch.
        base: The base model, and how it is searched.
        hardware: Device and number format.
        seed: Of batches, dropout and new weights.
        folder: Gets ``model`` and ``training.json``.
        scratch: Keeps checkpoints; its name is the same for the same training, and for no other.
    """

    config: TrainingConfig
    splits: Splits
    base: Embedder
    hardware: Hardware
    seed: int
    folder: Path
    scratch: Path

    @property
    def recipe(self) -> dict[str, object]:
        """The settings that the result has in its report."""
        return {name: value for name, value in asdict(self.config).items() if name not in NO_MATTER}


class Elsewhere(Protocol):
    """Other machines that train (`embft.training.elsewhere.TrainedElsewhere`)."""

    def hardware(self, config: TrainingConfig) -> Hardware:
        """What they train on.

        Raises:
            ConfigError: That cannot be.
        """
        ...

    def tune(self, task: TuningTask, log: Log) -> None:
        """Does what `embft.training.tune_weights.tune_weights` does.

        Raises:
            TrainingError: As here.
            ScaleError: The machines cannot be asked, or do not do their work.
        """
        ...
