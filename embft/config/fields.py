"""Fields of the configuration that carry their limits."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def choice(default: Any, *choices: str) -> Any:
    """A value out of a few."""
    return field(default=default, metadata={"choices": choices})


def number(default: Any, low: float | None = None, high: float | None = None, *, above: float | None = None) -> Any:
    """A number between ``low`` and ``high``, or greater than ``above``."""
    return field(default=default, metadata={"low": low, "high": high, "above": above})
