"""One training as its stage asks for it: of weights, low-rank updates or an adapter."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from embft.config.training import TrainingConfig
from embft.records import Splits
from embft.retrieval.embedder import Embedder
from embft.training.finetune import Hardware

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
        scratch: Keeps checkpoints.
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
