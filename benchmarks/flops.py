"""Floating point operations of a fine-tune, counted from token lengths, and what the machine could do."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Transformer:
    """What decides the cost of a token."""

    layers: int
    width: int
    intermediate: int

    @classmethod
    def of(cls, folder: Path) -> Transformer:
        """Reads config.json."""
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return cls(config["num_hidden_layers"], config["hidden_size"], config["intermediate_size"])

    def forward(self, length: int) -> int:
        """One layer's operations for a text of ``length`` tokens: its matrix products, attention's included."""
        products = 2 * length * (4 * self.width**2 + 2 * self.width * self.intermediate)
        return products + 4 * length**2 * self.width


def matrix_peak(precision: str = "float32", size: int = 2048, seconds: float = 2.0) -> float:
    """Operations a second of this machine's matrix product: the best of as many as fit into the time."""
    import torch

    left, right = (torch.randn(size, size).to(getattr(torch, precision)) for _ in range(2))
    best, end = float("inf"), time.perf_counter() + seconds
    while best == float("inf") or time.perf_counter() < end:
        start = time.perf_counter()
        left @ right
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best
