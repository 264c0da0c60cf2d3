"""The fine-tune: sentence-transformers' trainer over batches by chunk, the best epoch by dev, resumable."""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from embft.config.training import TrainingConfig
from embft.errors import TrainingError
from embft.models.kinds import is_multi_vector
from embft.models.saving import Prompts
from embft.progress import Work, under_way
from embft.training.averaging import WeightAverage
from embft.training.batching import ByChunkCollator, Guide, Teacher
from embft.training.checkpoints import last_checkpoint
from embft.training.examples import ChunkExample
from embft.training.guards import check_disk, loss_of_guessing, told_plainly
from embft.training.report import Epoch, TrainingReport
from embft.training.trainee import Trainee

logger = logging.getLogger(__name__)

Log = Callable[[Mapping[str, float], int | None], None]
"""Gets ``train/...`` values and the step."""


class Dev(Protocol):
    """The dev questions, as the fine-tune sees them."""

    @property
    def base_metrics(self) -> Mapping[str, float]:
        """The base model's dev metrics: epoch 0 of the history."""
        ...

    def metrics(self, model: Any) -> Mapping[str, float]:
        """Dev metrics of a model as it is now, by name."""
        ...

    def is_below(self, model: Any, epoch: int | None) -> bool:
        """Whether dev shows that a model is worse than the epoch last asked about, or than the base model.

        Args:
            model: With the weights of an epoch.
            epoch: Which one, counted from 1, if all epochs were measured by this object; else None.
        """
        ...

    def does_harm(self, model: Any, epoch: int | None) -> bool:
        """Whether dev shows that a model is worse than the base model; for ``model`` and ``epoch`` see `is_below`."""
        ...


@dataclass(frozen=True)
class Hardware:
    """What to train on: resolved, never ``auto``."""

    device: str
    precision: str


@dataclass(frozen=True)
class FineTuneJob:
    """What a fine-tune is told besides its model and its examples.

    Attributes:
        config: The recipe.
        hardware: Device and number format.
        query_prompt, document_prompt: As at evaluation.
        seed: Of batches and, where there is any, dropout.
        output: Gets a sentence-transformers folder, unless dev shows harm: then the base model is to be kept.
        scratch: Gets checkpoints, from which a later call continues; the caller removes it when the result is safe.
        guide, teacher: What the loss asks besides the model, if anything.
    """

    config: TrainingConfig
    hardware: Hardware
    query_prompt: str
    document_prompt: str
    seed: int
    output: Path
    scratch: Path
    guide: Guide | None = None
    teacher: Teacher | None = None


def fine_tune(
    trainee: Trainee, examples: Sequence[ChunkExample], job: FineTuneJob, dev: Dev | None, log: Log
) -> TrainingReport | None:
    """Tunes a model and saves the weights of its last epoch, or of the best one on dev, to the job's output.

    The learning rate ends at zero with the last epoch, so that is the one that the recipe is about, and the best of few on a
    small dev set is half chance. Hence the last is kept unless dev shows it to be worse (`Dev.is_below`), or patience ended
    the training before it.

    Args:
        trainee: The base model, ready for training.
        examples: One per chunk.
        job: Recipe, hardware, folders.
        dev: Chooses the epoch; None keeps the last.
        log: Called as figures come.

    Returns:
        None in any process of a torchrun but the first.

    Raises:
        TrainingError: Too few chunks, too little memory or disk, a loss that diverges or is not a number.
    """
    from datasets import Dataset

    from embft.training.gathering import decided, rank, wait_for_others, world
    from embft.training.loss import ByChunkLoss
    from embft.training.trainer import ByChunkTrainer, DevEvaluator, Watch, training_arguments

    if len(examples) < 2:
        raise TrainingError(
            f"Training needs questions about at least 2 chunks, there are {len(examples)}: give more documents or questions."
        )
    started = time.perf_counter()
    model, config, hardware = trainee.model, job.config, job.hardware
    if len(examples) < config.batch_size:
        logger.warning(
            "training.batch_size=%d is more than the %d chunks with questions: each epoch is one step. Lower it, or raise "
            "training.epochs.", config.batch_size, len(examples)
        )  # fmt: skip
    checkpoints = job.scratch / "checkpoints"
    resume = decided(lambda: _ready(model, checkpoints, config.average > 0))
    steps_per_epoch = math.ceil(len(examples) / config.batch_size)
    steps = config.epochs * steps_per_epoch
    work = Work("training", steps, "steps")
    watch = Watch(log, config, hardware.precision, loss_of_guessing(examples, config), work)
    trainer = ByChunkTrainer(
        average=WeightAverage(config.average, steps),
        model=model,
        args=training_arguments(config, checkpoints, hardware, job.seed, steps=steps, has_dev=dev is not None),
        train_dataset=Dataset.from_dict({"example": list(range(len(examples)))}),
        loss=ByChunkLoss(model, config),
        evaluator=DevEvaluator(dev.metrics, config.select_by) if dev is not None else None,
        data_collator=ByChunkCollator(
            examples,
            model.preprocess,
            job.query_prompt,
            job.document_prompt,
            job.guide,
            job.teacher,
            is_multi_vector(model),
        ),
        callbacks=[watch],
    )
    with told_plainly(config, hardware.device, job.scratch), under_way(work):
        trainer.go_on(resume, config)
    wait_for_others()  # they may still be writing into the checkpoints
    if rank():
        return None  # what comes now is process 0's alone
    steps = trainer.state.global_step
    last_epoch = best_epoch = round(steps / steps_per_epoch)
    if dev is not None:
        best_epoch = round((trainer.state.best_global_step or steps) / steps_per_epoch)
        model.eval()

        def measured(epoch: int) -> int | None:
            return None if resume else epoch

        if dev.does_harm(model, measured(best_epoch)):
            best_epoch = 0
        elif best_epoch < last_epoch == config.epochs:
            trainer.load_epoch(steps)
            if dev.is_below(model, measured(last_epoch)):
                trainer.load_epoch(trainer.state.best_global_step)
            else:
                best_epoch = last_epoch
    if best_epoch:
        trainee.save(job.output, Prompts(job.query_prompt, job.document_prompt))
    # The checkpoints stay: until the caller has put everything away, a kill must not cost the training.
    return TrainingReport(
        part=config.part,
        frozen_layers=trainee.frozen_layers,
        loss=config.loss,
        epochs=config.epochs,
        best_epoch=best_epoch,
        last_epoch=last_epoch,
        steps=steps,
        chunks=len(examples),
        questions=sum(len(example.questions) for example in examples),
        passages=sum(len(example.passages) for example in examples),
        device=hardware.device,
        precision=hardware.precision,
        processes=world(),
        seconds=round(time.perf_counter() - started, 2),
        resumed=resume is not None,
        query_prompt=job.query_prompt,
        document_prompt=job.document_prompt,
        history=_history(dev.base_metrics if dev else {}, trainer.state.log_history),
    )


def _history(base_metrics: Mapping[str, float], logged: Sequence[Mapping[str, float]]) -> list[Epoch]:
    """Mean loss and dev metrics by epoch. Made from the trainer's log, which checkpoints carry along."""
    losses: dict[int, list[float]] = defaultdict(list)
    dev: dict[int, Mapping[str, float]] = {0: base_metrics}
    for entry in logged:
        epoch = math.ceil(entry["epoch"] - 1e-6)
        if "loss" in entry:
            losses[epoch].append(entry["loss"])
        prefix = "eval_dev_"
        if means := {key.removeprefix(prefix): value for key, value in entry.items() if key.startswith(prefix)}:
            dev[epoch] = means
    return [
        Epoch(
            epoch,
            round(sum(losses[epoch]) / len(losses[epoch]), 6) if losses[epoch] else None,
            {name: round(value, 6) for name, value in dev.get(epoch, {}).items()},
        )
        for epoch in range(max([*losses, *dev]) + 1)
    ]


def _ready(model: Any, checkpoints: Path, averaged: bool) -> Path | None:
    """Sees that there is room to begin; returns the checkpoint to go on from."""
    check_disk(model, checkpoints.parent, averaged=averaged)
    return last_checkpoint(checkpoints)
