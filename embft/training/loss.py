"""The loss of a step by chunk, as the trainer calls it: texts to vectors to cosines to the objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from embft.config_training import TrainingConfig
from embft.training.gradcache import cached_loss
from embft.training.objectives import Step, objective

SIDE = ("chunk", "guide", "teacher")
"""What travels with the texts and is not for the model."""


class ByChunkLoss(nn.Module):
    """Ranks a step's passages for each of its questions.

    A passage stands once for all its questions, and what is no true negative of a question (its siblings' windows, its
    other relevant chunks) is none in the loss.

    Args:
        model: A sentence-transformers model.
        config: The recipe.
    """

    def __init__(self, model: nn.Module, config: TrainingConfig) -> None:
        super().__init__()
        self.model = model
        self.config = config

    def forward(self, features: Sequence[dict[str, Any]], labels: Tensor) -> Tensor:
        """Returns the mean loss over the step's questions; scalar.

        Args:
            features: Of the questions, then of the passages, from `embft.training.batching.ByChunkCollator`.
            labels: int64 [Q, 1 + R]: each question's positive, a row of the passages, and its relevant chunks' numbers.
        """
        texts = [{key: value for key, value in feature.items() if key not in SIDE} for feature in features]
        side = [{key: feature.get(key) for key in SIDE} for feature in features]

        def loss_of(questions: Tensor, passages: Tensor) -> Tensor:
            return self._loss(questions, passages, labels, *side)

        if self.config.mini_batch:
            return cached_loss(self._embed, texts, loss_of, self.config.mini_batch)
        return loss_of(*(self._embed(text) for text in texts))

    def _embed(self, features: dict[str, Any]) -> Tensor:
        vectors: Tensor = self.model(features)["sentence_embedding"].float()
        return vectors

    def _loss(
        self,
        questions: Tensor,
        passages: Tensor,
        labels: Tensor,
        asked: Mapping[str, Tensor | None],
        found: Mapping[str, Tensor | None],
    ) -> Tensor:
        chunks = found["chunk"]
        assert chunks is not None
        positive = labels[:, 0]
        negative = (chunks[None, :, None] != labels[:, None, 1:]).all(-1)
        guide = None
        if asked["guide"] is not None and found["guide"] is not None:
            guide = asked["guide"] @ found["guide"].T
        widths = dict.fromkeys([*self.config.matryoshka, passages.shape[1]])
        losses = [
            objective(
                Step(
                    functional.normalize(questions[:, :width], dim=-1)
                    @ functional.normalize(passages[:, :width], dim=-1).T,
                    positive,
                    negative,
                    guide,
                    asked["teacher"],
                ),
                self.config,
            )
            for width in widths
        ]
        return torch.stack(losses).mean()

    def get_config_dict(self) -> Mapping[str, Any]:
        """What the trainer notes about the loss."""
        return asdict(self.config)
