"""The loss of a step by chunk, as the trainer calls it: texts to vectors to cosines to the objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from embft.config.training import TrainingConfig
from embft.errors import TrainingError
from embft.models.kinds import is_multi_vector
from embft.training.gathering import average_gradients, gathered, world
from embft.training.gradcache import cached_loss
from embft.training.lengths import embed_by_length
from embft.training.objectives import Step, objective
from embft.training.token_loss import max_sims, packed

SIDE = ("chunk", "guide", "teacher", "rows")
"""What travels with the texts and is not for the model."""


class ByChunkLoss(nn.Module):
    """Ranks a step's passages for each of its questions.

    A passage stands once for all its questions, and what is no true negative of a question (its siblings' windows, its
    other relevant chunks) is none in the loss. With several processes each has a share of the step's texts and works out the
    loss of all of them: the same loss as one process with the whole step.

    Args:
        model: A sentence-transformers model; one that has a vector per token is trained by MaxSim.
        config: The recipe.

    Raises:
        TrainingError: Several processes train a model that has a vector per token.
    """

    def __init__(self, model: nn.Module, config: TrainingConfig) -> None:
        super().__init__()
        if is_multi_vector(model) and world() > 1:
            raise TrainingError(
                f"A MultiVectorEncoder is trained by one process, there are {world()}: leave torchrun out."
            )
        self.model = model
        self.config = config

    def forward(self, features: Sequence[dict[str, Tensor]], labels: Tensor) -> Tensor:
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
            # The wrapper that the trainer puts around the model averages the processes' gradients in each backward pass,
            # of which there are many here, and not as many in every process: once, at the end, is enough.
            model = getattr(self.model, "module", self.model)
            return cached_loss(
                partial(_embed, model), texts, loss_of, self.config.mini_batch, partial(_average_gradients_of, model)
            )
        embed = partial(_embed, self.model)
        if world() == 1 and labels.device.type == "cpu":
            return loss_of(*(embed_by_length(embed, text) for text in texts))
        # Processes must run the model equally often, and on a GPU a few large products are faster than more small ones.
        return loss_of(*map(embed, texts))

    def _loss(
        self,
        questions: Tensor,
        passages: Tensor,
        labels: Tensor,
        question_side: Mapping[str, Tensor | None],
        passage_side: Mapping[str, Tensor | None],
    ) -> Tensor:
        chunks = passage_side["chunk"]
        assert chunks is not None
        questions, passages = _of_all(questions, question_side), _of_all(passages, passage_side)
        positive = labels[:, 0]
        negative = (chunks[None, :, None] != labels[:, None, 1:]).all(-1)
        guide = teacher = None
        if question_side["guide"] is not None and passage_side["guide"] is not None:
            guide = _of_all(question_side["guide"], question_side) @ _of_all(passage_side["guide"], passage_side).T
        elif question_side["guide"] is not None:
            guide = question_side["guide"]  # scores already
        if question_side["teacher"] is not None:
            teacher = _of_all(question_side["teacher"], question_side)
        widths = dict.fromkeys([*self.config.matryoshka, passages.shape[-1] - (passages.ndim - 2)])
        losses = [
            objective(
                Step(
                    _similarities(questions, passages, width),
                    positive,
                    negative,
                    guide,
                    teacher,
                ),
                self.config,
            )
            for width in widths
        ]
        return torch.stack(losses).mean()

    def get_config_dict(self) -> Mapping[str, object]:
        """What the trainer notes about the loss."""
        return asdict(self.config)


def _similarities(questions: Tensor, passages: Tensor, width: int) -> Tensor:
    """Of vectors cut off after so many numbers; float32 [Q, P]."""
    if questions.ndim == 3:
        return max_sims(questions, passages, width)
    return functional.normalize(questions[:, :width], dim=-1) @ functional.normalize(passages[:, :width], dim=-1).T


def _embed(model: nn.Module, features: dict[str, Tensor]) -> Tensor:
    if "task" in features:  # a model of many vectors, see `ByChunkCollator`
        task = features["task"]
        return packed(model({key: value for key, value in features.items() if key != "task"}, task=task))
    vectors: Tensor = model(features)["sentence_embedding"].float()
    return vectors


def _average_gradients_of(model: nn.Module) -> None:
    average_gradients(model.parameters())


def _of_all(rows: Tensor, side: Mapping[str, Tensor | None]) -> Tensor:
    """The rows of the whole step, from each process those that count."""
    count = side["rows"]
    return gathered(rows if count is None else rows[: int(count)])
