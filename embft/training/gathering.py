"""Tensors of all processes of a training, with gradients."""

from __future__ import annotations

import torch
from torch import Tensor, distributed
from torch.nn import functional


def world() -> int:
    """Processes that train together."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def gathered(rows: Tensor) -> tuple[Tensor, int]:
    """Returns the rows of all processes in order of their rank, and where this process's own begin.

    Gradients flow back to the process that a row came from.

    Args:
        rows: [n, ...]; n may differ between processes.
    """
    if world() == 1:
        return rows, 0
    from torch.distributed.nn.functional import all_gather

    sizes = [torch.zeros(1, dtype=torch.int64, device=rows.device) for _ in range(world())]
    distributed.all_gather(sizes, torch.tensor([len(rows)], device=rows.device))
    lengths = [int(size) for size in sizes]
    # Collectives want equal shapes.
    padded = functional.pad(rows, (0, 0) * (rows.ndim - 1) + (0, max(lengths) - len(rows)))
    if rows.requires_grad:  # noqa: SIM108
        parts = all_gather(padded.contiguous())  # type: ignore[no-untyped-call]
    else:
        parts = _plain(padded)
    rank = distributed.get_rank()
    return torch.cat([part[:length] for part, length in zip(parts, lengths, strict=True)]), sum(lengths[:rank])


def _plain(rows: Tensor) -> list[Tensor]:
    parts = [torch.empty_like(rows) for _ in range(world())]
    distributed.all_gather(parts, rows.contiguous())
    return parts


def summed(value: float, device: torch.device) -> float:
    """The sum of a number over all processes."""
    if world() == 1:
        return value
    total = torch.tensor([float(value)], device=device)
    distributed.all_reduce(total)
    return float(total)
