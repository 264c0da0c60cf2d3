"""The rows of all processes of a training, so that each works out the loss of the whole step.

Every process then has the same loss, a function of all vectors of the step. A process needs its gradient with respect to
its own vectors only, the others have theirs; the mean of the processes' gradients, which the trainer takes, would be the
sum that is wanted divided by the number of processes, so each multiplies its own by that number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed
from torch.nn import functional

from embft.errors import EmbftError

T = TypeVar("T")


def world() -> int:
    """Processes that train together."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def rank() -> int:
    """This process's number among them."""
    return distributed.get_rank() if world() > 1 else 0


def share(rows: int) -> slice:
    """This process's part of a step's rows: one after another in order of rank, sizes at most 1 apart."""
    return slice(rows * rank() // world(), rows * (rank() + 1) // world())


def gathered(rows: Tensor) -> Tensor:
    """Returns the rows of all processes in order of their rank.

    Args:
        rows: [n, ...]; n may differ between processes.
    """
    if world() == 1:
        return rows
    sizes = [torch.zeros(1, dtype=torch.int64, device=rows.device) for _ in range(world())]
    distributed.all_gather(sizes, torch.tensor([len(rows)], device=rows.device))
    lengths = [int(size) for size in sizes]
    # Collectives want equal shapes.
    padded = functional.pad(rows.detach(), (0, 0) * (rows.ndim - 1) + (0, max(lengths) - len(rows))).contiguous()
    parts = [torch.empty_like(padded) for _ in lengths]
    distributed.all_gather(parts, padded)
    whole = [part[:length] for part, length in zip(parts, lengths, strict=True)]
    whole[rank()] = _Own.apply(rows)  # type: ignore[no-untyped-call]
    return torch.cat(whole)


class _Own(torch.autograd.Function):
    """A process's own rows: their gradient counts once for each process."""

    @staticmethod
    def forward(ctx: object, rows: Tensor) -> Tensor:
        """Passes the rows through."""
        return rows.view_as(rows)

    @staticmethod
    def backward(ctx: object, *outputs: Tensor) -> Tensor:
        """See the module."""
        return outputs[0] * world()


def average_gradients(weights: Iterable[Tensor]) -> None:
    """Puts the mean over the processes into each weight's gradient, in one exchange."""
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    if world() == 1 or not gradients:
        return
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= world()
    means = torch.split(flat, [gradient.numel() for gradient in gradients])
    for gradient, mean in zip(gradients, means, strict=True):
        gradient.copy_(mean.view_as(gradient))


def wait_for_others() -> None:
    """Returns when all processes have come here."""
    if world() > 1:
        distributed.barrier()


def decided(decide: Callable[[], T]) -> T:
    """Has process 0 decide; all get what it found, or raise the error that it came to.

    For what is read from a disk: it may look different a moment later, and all have to go on from the same.
    """
    if world() == 1:
        return decide()
    outcome: list[Any] = [None, None]
    if rank() == 0:
        try:
            outcome[0] = decide()
        except EmbftError as error:
            outcome[1] = error
    distributed.broadcast_object_list(outcome, src=0, device=torch.device("cpu"))
    if outcome[1] is not None:
        raise outcome[1]
    decision: T = outcome[0]
    return decision
