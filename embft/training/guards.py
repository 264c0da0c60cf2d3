"""What stops a fine-tune before it wastes time or leaves rubbish: each says what was found and what to change."""

from __future__ import annotations

import errno
import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from embft.config.training import TrainingConfig
from embft.errors import TrainingError
from embft.training.examples import ChunkExample

KEPT_CHECKPOINTS = 2
"""The best and the last."""
_WINDOW = 10
_NO_MEMORY = ("not enough memory", "can't allocate", "out of memory")


def check_number(logs: Mapping[str, float], step: int, precision: str) -> None:
    """Stops on a loss or a gradient that is not a number: the weights are lost from there on.

    Under fp16 a gradient may overflow: the scaler then leaves out the step and continues with a smaller scale.
    """
    names = ("loss",) if precision == "fp16" else ("loss", "grad_norm")
    for name in names:
        value = float(logs.get(name, 0.0))
        if not math.isfinite(value):
            what = "loss" if name == "loss" else "gradient's length"
            raise TrainingError(
                f"The {what} became {value} at step {step} (learning rate {float(logs.get('learning_rate', 0)):.2g}): "
                "lower training.learning_rate, or use training.precision=fp32."
            )


def check_course(losses: Sequence[float], chance: float) -> None:
    """Stops a training that has fallen apart: its loss is no better than guessing, and has either doubled or stands still.

    Cosines are bounded, so a contrastive loss that is driven apart seldom grows without end: all vectors become one, and
    the loss is that of guessing, the same for every batch. Healthy losses differ from batch to batch by tens of percent,
    so nine of ten steps within two percent of each other (the tenth may be an epoch's last, with fewer candidates) are no
    chance. A base model whose vectors are all alike begins like that too: hence it must have risen from the first steps.
    Medians, because one bad batch moves a mean of ten; guessing, because a base model that knows its domain begins near
    zero, where doubling is noise. `tests/training/test_guards.py` runs it over a thousand noisy trainings.

    Args:
        losses: Of each step so far.
        chance: The loss of scores that are all equal, log of the number of candidates.

    Raises:
        TrainingError: The loss diverges.
    """
    if len(losses) < 2 * _WINDOW:
        return
    recent = sorted(losses[-_WINDOW:])
    last = median(recent)
    before = median(losses[:_WINDOW])
    doubled = last > 2 * before and recent[1] > before
    stands = min(recent[-1] - recent[1], recent[-2] - recent[0]) < 0.02 * last and last > 1.1 * median(losses[:3])
    if last > 0.9 * chance and (doubled or stands):
        raise TrainingError(
            f"The loss diverges: {last:.2f} over the {_WINDOW} steps up to step {len(losses)}, {losses[0]:.2f} at the first "
            f"step, and guessing gives {chance:.2f}. Lower training.learning_rate, or raise training.warmup_ratio."
        )


def loss_of_guessing(examples: Sequence[ChunkExample], config: TrainingConfig) -> float:
    """The loss of a step whose cosines are all equal, at most: log of its passages, and what ``hardness`` puts on top."""
    steps = math.ceil(len(examples) / config.batch_size)
    return math.log(sum(len(example.passages) for example in examples) / steps) + config.hardness


def used_up(history: Sequence[Mapping[str, float]], metric: str, patience: int) -> bool:
    """Whether the last ``patience`` dev evaluations brought none better than the best before them.

    Told from the trainer's log, which checkpoints carry along: so a resumed training knows it too, even one that was killed
    after its last evaluation.

    Args:
        history: The trainer's log.
        metric: Its name there.
        patience: Epochs; 0: never.
    """
    values = [entry[metric] for entry in history if metric in entry]
    if not patience or len(values) <= patience:
        return False
    return bool(max(values[-patience:]) <= max(values[:-patience]))


def check_disk(model: Any, scratch: Path, *, averaged: bool = False) -> None:
    """Compares the room that a training takes with the room there is.

    A checkpoint is the trained weights, Adam's two moments of each, and their mean if they are averaged. While one more is
    written, all that are kept still lie there; the tuned model comes last.

    Raises:
        TrainingError: There is too little.
    """
    trained = sum(weight.numel() * weight.element_size() for weight in model.parameters() if weight.requires_grad)
    whole = sum(weight.numel() * weight.element_size() for weight in model.parameters())
    needed = (4 if averaged else 3) * trained * (KEPT_CHECKPOINTS + 1) + whole
    scratch.mkdir(parents=True, exist_ok=True)
    there = sum(path.stat().st_size for path in scratch.rglob("*") if path.is_file())
    free = shutil.disk_usage(scratch).free + there
    if free < needed:
        raise TrainingError(
            f"The training needs up to {_size(needed)} for checkpoints and the model, and {scratch} has {_size(free)} free: "
            "make room, or put the cache elsewhere (cache_dir=DIR). training.part=lora or training.frozen_share=0.5 make "
            "checkpoints smaller."
        )


@contextmanager
def told_plainly(config: TrainingConfig, device: str, scratch: Path) -> Iterator[None]:
    """Turns want of memory or disk into an error that says which setting to change. Checkpoints stay as they are.

    Raises:
        TrainingError: Memory or disk did not suffice.
    """
    try:
        yield
    except (RuntimeError, MemoryError, OSError) as error:
        if _is_disk(error):
            raise TrainingError(
                f"The disk of {scratch} is full: make room, or put the cache elsewhere (cache_dir=DIR). "
                "The same command continues from the last whole checkpoint."
            ) from error
        if not _is_memory(error):
            raise
        raise TrainingError(_memory_remedy(config, device)) from error


def _is_memory(error: BaseException) -> bool:
    import torch

    message = str(error).lower()
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(words in message for words in _NO_MEMORY)


def _is_disk(error: BaseException) -> bool:
    message = str(error).lower()
    return getattr(error, "errno", None) == errno.ENOSPC or "no space left on device" in message


def _memory_remedy(config: TrainingConfig, device: str) -> str:
    steps = []
    if not config.mini_batch or config.mini_batch > 8:
        steps.append(f"training.mini_batch={min(config.mini_batch // 2 or 16, 16)} (same result, a third slower)")
    if not config.gradient_checkpointing and not config.mini_batch:
        steps.append("training.gradient_checkpointing=true (same result, slower)")
    if config.batch_size > 2:
        steps.append(f"training.batch_size={max(2, config.batch_size // 2)} (fewer negatives)")
    steps.append("a smaller model.max_seq_length")
    return (
        f"Memory ran out on {device} with training.batch_size={config.batch_size}, training.mini_batch={config.mini_batch}. "
        f"Try, in this order: {', '.join(steps)}. Checkpoints are kept."
    )


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
