"""The parts of sentence-transformers' trainer that a training by chunk sets differently."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.base.evaluation import BaseEvaluator
from transformers import PrinterCallback, ProgressCallback, TrainerCallback

from embft.config_training import TrainingConfig
from embft.errors import TrainingError

if TYPE_CHECKING:
    from embft.training.finetune import Hardware

WEIGHTS = "trained.safetensors"
"""In a checkpoint: what is trained."""


class ByChunkTrainer(SentenceTransformerTrainer):  # type: ignore[misc]
    """Writes no model card of its own (it would sample "widgets" from rows of numbers) and prints no dicts.

    Its checkpoints hold what is trained, whatever that is: all weights, the upper layers, low-rank updates.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for chatty in (PrinterCallback, ProgressCallback):
            self.remove_callback(chatty)
        if sys.stderr.isatty():  # in a log file it would be a line a step
            self.add_callback(ProgressBar())

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """Writes the weights that are trained, and no others, into a checkpoint."""
        from safetensors.torch import save_file

        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        save_file({name: weight.detach().contiguous() for name, weight in self._trained().items()}, folder / WEIGHTS)

    def _load_from_checkpoint(self, checkpoint_path: str) -> None:
        from safetensors.torch import load_file

        self.model.load_state_dict(load_file(Path(checkpoint_path) / WEIGHTS), strict=False)

    def _load_best_model(self) -> None:
        self._load_from_checkpoint(self.state.best_model_checkpoint)

    def _trained(self) -> dict[str, Any]:
        return {name: weight for name, weight in self.model.named_parameters() if weight.requires_grad}

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """Adds none; the run writes the card."""


class ProgressBar(ProgressCallback):  # type: ignore[misc]
    """A bar with the latest loss beside it, instead of a line of figures a step."""

    def on_log(
        self, args: Any, state: Any, control: Any, logs: Mapping[str, float] | None = None, **kwargs: Any
    ) -> None:
        """Shows the loss."""
        if self.training_bar is not None and logs and "loss" in logs:
            self.training_bar.set_description("fine-tune", refresh=False)
            self.training_bar.set_postfix(loss=f"{float(logs['loss']):.3f}", refresh=False)


class DevEvaluator(BaseEvaluator):  # type: ignore[misc]
    """Gives the trainer the dev metrics that pick the best epoch.

    Args:
        evaluate: From a model to its metrics.
        select_by: The metric's name.
    """

    def __init__(self, evaluate: Callable[[Any], Mapping[str, float]], select_by: str) -> None:
        super().__init__()
        self._evaluate = evaluate
        self.primary_metric = f"dev_{select_by}"

    def __call__(
        self, model: Any, output_path: str | None = None, epoch: float = -1, steps: int = -1
    ) -> dict[str, float]:
        """Returns ``dev_<metric>`` values."""
        return {f"dev_{name}": value for name, value in self._evaluate(model).items()}


class Watch(TrainerCallback):  # type: ignore[misc]
    """Passes figures on, stops on a loss that is not a number, saves between epochs where that is wished.

    Args:
        log: Gets figures as they come.
        checkpoint_steps: Save every so many steps; 0 leaves it to the epochs.
    """

    def __init__(self, log: Callable[[Mapping[str, float], int], None], checkpoint_steps: int) -> None:
        self._log = log
        self._checkpoint_steps = checkpoint_steps

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Asks for a checkpoint where one is due.

        Not after an epoch's last step: the epoch's own follows once dev is evaluated. A training that went on from one
        written before would skip that evaluation, and the epoch's would be written over a whole one.
        """
        due = self._checkpoint_steps and state.global_step % self._checkpoint_steps == 0
        if due and state.global_step % (state.max_steps // state.num_train_epochs):
            control.should_save = True

    def on_log(
        self, args: Any, state: Any, control: Any, logs: Mapping[str, float] | None = None, **kwargs: Any
    ) -> None:
        """Takes each step's loss."""
        if not logs or "loss" not in logs:
            return
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss became {loss} at step {state.global_step} (learning rate {logs.get('learning_rate', 0):.2g}): "
                "lower training.learning_rate, or use training.precision=fp32."
            )
        self._log(
            {
                "train/loss": loss,
                "train/learning_rate": float(logs.get("learning_rate", 0)),
                "train/epoch": float(state.epoch),
            },
            state.global_step,
        )

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Mapping[str, float] | None = None, **kwargs: Any
    ) -> None:
        """Joins the dev metrics to the epoch."""
        dev = {
            key.removeprefix("eval_"): float(value)
            for key, value in (metrics or {}).items()
            if key.startswith("eval_dev_")
        }
        self._log({f"train/{key}": value for key, value in dev.items()}, state.global_step)


def training_arguments(
    config: TrainingConfig, checkpoints: Path, hardware: Hardware, seed: int, *, has_dev: bool
) -> SentenceTransformerTrainingArguments:
    """Translates the recipe into the trainer's arguments."""
    return SentenceTransformerTrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule,
        warmup_steps=config.warmup_ratio,  # below 1: a share of all steps
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        optim="adamw_torch_fused",
        bf16=hardware.precision == "bf16",
        fp16=hardware.precision == "fp16",
        use_cpu=hardware.device == "cpu",
        activation_checkpointing=config.gradient_checkpointing,
        eval_strategy="epoch" if has_dev else "no",
        save_strategy="epoch",
        save_total_limit=2,  # the best and the last
        load_best_model_at_end=has_dev,
        metric_for_best_model=f"eval_dev_{config.select_by}" if has_dev else None,
        greater_is_better=True if has_dev else None,
        logging_steps=1,
        report_to=[],
        seed=seed,
        data_seed=seed,
        dataloader_pin_memory=hardware.device == "cuda",
        remove_unused_columns=False,
    )
