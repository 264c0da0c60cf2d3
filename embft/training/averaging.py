"""The mean of the weights over the last steps of a training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class WeightAverage:
    """Stochastic weight averaging, step by step.

    With a learning rate that does not fall, the weights circle around a point that is better than any of them, and that a
    single step of small data misses by chance. Izmailov et al., "Averaging Weights Leads to Wider Optima and Better
    Generalization", UAI 2018, section 3.

    Args:
        share: Of the training's steps, the last ones are averaged.
        steps: Of the training.
    """

    def __init__(self, share: float, steps: int) -> None:
        self._begins = steps - math.ceil(share * steps)
        self._mean: dict[str, Tensor] = {}
        self._count = 0

    def add(self, step: int, weights: Mapping[str, Tensor]) -> None:
        """Takes the trained weights after a step, counted from 1, if it is one of the last."""
        import torch

        if step <= self._begins:
            return
        self._count += 1
        with torch.no_grad():
            for name, weight in weights.items():
                if name in self._mean:
                    self._mean[name].lerp_(weight, 1 / self._count)
                else:
                    self._mean[name] = weight.detach().clone()

    def put_into(self, weights: Mapping[str, Tensor]) -> None:
        """Overwrites weights by their mean, if it has begun."""
        import torch

        with torch.no_grad():
            for name, mean in self._mean.items():
                weights[name].copy_(mean)

    @contextmanager
    def in_place_of(self, weights: Mapping[str, Tensor]) -> Iterator[None]:
        """Inside the model has the mean, afterwards its own weights again."""
        kept = {name: weights[name].detach().clone() for name in self._mean}
        self.put_into(weights)
        try:
            yield
        finally:
            for name, weight in kept.items():
                weights[name].data.copy_(weight)

    def state(self) -> tuple[dict[str, Tensor], int]:
        """What a checkpoint keeps: the mean, and of how many steps it is."""
        return self._mean, self._count

    def go_on(self, mean: Mapping[str, Tensor], count: int) -> None:
        """Takes up `state`."""
        self._mean, self._count = dict(mean), count
