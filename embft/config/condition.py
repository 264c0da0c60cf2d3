"""When a key of the configuration is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from embft.config import ExperimentConfig


@dataclass(frozen=True)
class Condition:
    """When keys are read.

    Attributes:
        words: As it stands in the reference: ``training.part=lora``.
        holds: Whether a configuration is of that kind.
        remedy: What to add so that it is; empty where there is nothing to add.
    """

    words: str
    holds: Callable[[ExperimentConfig], bool]
    remedy: str = ""


ALWAYS: tuple[Condition, ...] = ()
