"""The query-side adapter: a small residual map of question vectors; the model and every passage vector stay as they are.

LlamaIndex offers the idea as EmbeddingAdapterFinetuneEngine. Here a question is ranked against every train passage instead
of those of its step: they are frozen, so they cost nothing more. And all starts at the identity, so that epoch 0 is base.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from embft.config.training import TrainingConfig
from embft.errors import TrainingError
from embft.models.vectors import QueryMap, Vectors
from embft.training.finetune import Dev, Log
from embft.training.report import Epoch

if TYPE_CHECKING:
    import torch

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class AdapterQuestions:
    """What an adapter learns from.

    Attributes:
        questions: float32 [Q, dim], as the base model gives them.
        passages: float32 [P, dim]: every train passage.
        positives: int64 [Q]: the passage that answers each question.
        left_out: For each question, int64: passages that are neither its positive nor its negatives, because they are of
            a chunk that answers it. The positive may be among them.
    """

    questions: Vectors
    passages: Vectors
    positives: Positions
    left_out: Sequence[Positions]


@dataclass(frozen=True)
class TrainedAdapter:
    """What a training of an adapter gives.

    Attributes:
        query_map: The best epoch's; None where dev shows harm.
        epochs: That ran.
        best_epoch: 0 where dev shows harm.
        steps: Optimizer steps.
        history: One entry per epoch, beginning with the base model.
    """

    query_map: QueryMap | None
    epochs: int
    best_epoch: int
    steps: int
    history: Sequence[Epoch]


def train_adapter(
    learned: AdapterQuestions,
    config: TrainingConfig,
    *,
    seed: int,
    dev: Dev | None,
    device: str = "cpu",
    log: Log = lambda values, step: None,
) -> TrainedAdapter:
    """Trains a map of question vectors.

    x + Wx + b, where W and b begin at zero. The loss is the cross-entropy of each question's positive among all passages,
    cosines divided by the temperature. AdamW pulls W towards zero: weight decay is what keeps a matrix of dim x dim numbers
    from learning a few hundred questions by heart.

    Args:
        learned: Vectors and who answers whom.
        config: The recipe; a step has ``batch_size`` questions here.
        seed: Of the order of questions.
        dev: Measures a `QueryMap` and chooses the epoch; None keeps the last.
        device: Where it is trained, always in float32.
        log: Called as figures come.

    Returns:
        The best epoch's map and the history.

    Raises:
        TrainingError: Fewer than two passages, or a loss that is not a number.
    """
    import torch
    from transformers import get_scheduler

    if len(learned.passages) < 2 or not len(learned.questions):
        raise TrainingError(
            f"An adapter needs questions and at least 2 passages, there are {len(learned.questions)} and "
            f"{len(learned.passages)}: give more documents or questions."
        )
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    norms = np.linalg.norm(learned.questions, axis=1)
    unit = bool(np.allclose(norms, 1, atol=1e-4))
    # Models whose vectors are long or short learn at the rate of those whose length is 1.
    scale = 1.0 if unit else float(norms.mean())
    questions = torch.from_numpy(learned.questions / np.float32(scale)).to(device)
    passages = torch.nn.functional.normalize(torch.from_numpy(learned.passages).to(device), dim=-1)
    positives = torch.from_numpy(learned.positives).to(device)
    residual = _residual(questions.shape[1]).to(device)
    optimiser = torch.optim.AdamW(
        [
            {"params": [p for p in residual.parameters() if p.ndim > 1], "weight_decay": config.weight_decay},
            {"params": [p for p in residual.parameters() if p.ndim == 1], "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
    )
    steps = config.epochs * math.ceil(len(questions) / config.batch_size)
    schedule = get_scheduler(
        config.schedule,
        optimiser,
        num_warmup_steps=round(config.warmup_ratio * steps),
        num_training_steps=steps,
    )
    history = [Epoch(0, None, _rounded(dev.base_metrics if dev else {}))]
    step, best_epoch, best, kept = 0, 0, -math.inf, copy.deepcopy(residual)
    for epoch in range(1, config.epochs + 1):
        order = draw.permutation(len(questions))
        losses = []
        for start in range(0, len(order), config.batch_size):
            rows = order[start : start + config.batch_size]
            mapped = questions[rows] + residual(questions[rows])  # (B, dim)
            scores = torch.nn.functional.normalize(mapped, dim=-1) @ passages.T / config.temperature  # (B, P)
            loss = torch.nn.functional.cross_entropy(
                scores.masked_fill(_mask(learned, rows).to(device), -math.inf), positives[rows]
            )
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(residual.parameters(), config.max_grad_norm)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            step += 1
            losses.append(float(loss.detach()))
        loss_of_epoch = round(float(np.mean(losses)), 6)
        if not math.isfinite(loss_of_epoch):
            raise TrainingError(f"The loss became {loss_of_epoch} in epoch {epoch}: lower training.learning_rate.")
        means = dict(dev.metrics(_folded(residual, scale, unit))) if dev else {}
        history.append(Epoch(epoch, loss_of_epoch, _rounded(means)))
        log({f"train/{key}": value for key, value in history[-1].as_json().items()}, step)
        # Without dev questions the last epoch is the best one known.
        score = means.get(config.select_by, math.inf)
        if dev is None or score > best:
            best_epoch, best, kept = epoch, score, copy.deepcopy(residual)
        elif config.patience and epoch - best_epoch >= config.patience:
            break
    trained: QueryMap | None = _folded(kept, scale, unit)
    if dev is not None and dev.does_harm(trained, best_epoch):
        best_epoch, trained = 0, None
    return TrainedAdapter(trained, len(history) - 1, best_epoch, step, history)


def _residual(dim: int) -> torch.nn.Linear:
    """What is added to a question's vector; gives zero until it is trained."""
    from torch import nn

    layer = nn.Linear(dim, dim)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _mask(learned: AdapterQuestions, rows: npt.NDArray[np.int64]) -> torch.Tensor:
    """True for the passages that are left out of a question's softmax; bool [B, P]."""
    import torch

    mask = torch.zeros(len(rows), len(learned.passages), dtype=torch.bool)
    for place, row in enumerate(rows):
        mask[place, learned.left_out[row]] = True
        mask[place, learned.positives[row]] = False
    return mask


def _folded(residual: torch.nn.Linear, scale: float, unit: bool) -> QueryMap:
    """The map as one plain layer: x + Wx is (I + W)x."""
    weight, bias = (value.detach().cpu().numpy().copy() for value in (residual.weight, residual.bias))
    return QueryMap(np.eye(len(bias), dtype=np.float32) + weight, bias * np.float32(scale), unit)


def _rounded(means: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in means.items()}
