"""The parts of sentence-transformers' trainer that a training by chunk sets differently."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.base.evaluation import BaseEvaluator
from torch import Tensor
from transformers import PrinterCallback, ProgressCallback, TrainerCallback, TrainerState

from embft.config.training import TrainingConfig
from embft.progress import Work
from embft.training.averaging import WeightAverage
from embft.training.checkpoints import PROCESSES, STATE, WEIGHTS, seal
from embft.training.gathering import wait_for_others, world
from embft.training.guards import KEPT_CHECKPOINTS, check_course, check_number, used_up

if TYPE_CHECKING:
    from embft.training.finetune import Hardware

_CHECKPOINTING = next(
    name
    for name in ("activation_checkpointing", "gradient_checkpointing")
    if name in {field.name for field in fields(SentenceTransformerTrainingArguments)}
)
"""Its name in the installed transformers: the first is that of later ones, which warn of the second."""
AVERAGED = "averaged"
"""Beside these weights: of how many steps the mean is that stands among them, under names that begin with this word."""


class ByChunkTrainer(SentenceTransformerTrainer):  # type: ignore[misc]
    """Writes no model card of its own (it would sample "widgets" from rows of numbers) and prints no dicts.

    Its checkpoints hold what is trained: all weights, the upper layers, low-rank updates.
    """

    def __init__(self, average: WeightAverage, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._average = average
        for chatty in (PrinterCallback, ProgressCallback):
            self.remove_callback(chatty)
        self.add_callback(AverageSteps(average))

    def go_on(self, checkpoint: Path | None, config: TrainingConfig) -> None:
        """Trains, from a checkpoint if there is one; afterwards the model has the weights that are best on dev."""
        if checkpoint is not None:
            self.state = TrainerState.load_from_json(str(checkpoint / STATE))
            if used_up(self.state.log_history, f"eval_dev_{config.select_by}", config.patience):
                # Killed after its last evaluation: the trainer itself would go on with the next epoch.
                self._load_best_model()
                return
        self.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        if not self.args.load_best_model_at_end:
            self._average.put_into(self._trained())

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """The dev figures of the mean: what would be kept."""
        with self._average.in_place_of(self._trained()):
            figures: dict[str, float] = super().evaluate(*args, **kwargs)
        return figures

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """Writes the weights that are trained, and no others, into a checkpoint."""
        from safetensors.torch import save_file

        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        weights = {name: weight.detach().contiguous() for name, weight in self._trained().items()}
        mean, count = self._average.state()
        weights |= {AVERAGED + name: weight for name, weight in mean.items()}
        save_file(weights, folder / WEIGHTS, metadata={PROCESSES: str(world()), AVERAGED: str(count)})

    def _save_rng_state(self, output_dir: str) -> None:
        """The last that each process writes; the trainer's state comes after it and says that the checkpoint is whole."""
        super()._save_rng_state(output_dir)
        wait_for_others()

    def _load_from_checkpoint(self, checkpoint_path: str) -> None:
        """Puts the weights of a step back into the model, and the mean up to it."""
        from safetensors import safe_open

        with safe_open(Path(checkpoint_path) / WEIGHTS, "pt") as file:
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (it is no dict)
            count = int(file.metadata()[AVERAGED])
        mean = {
            name: stored.pop(AVERAGED + name).to(weight.device)
            for name, weight in self._trained().items()
            if AVERAGED + name in stored
        }
        self._average.go_on(mean, count)
        self.model.load_state_dict(stored, strict=False)

    def get_train_dataloader(self) -> Any:
        """Each process gets the rows of every whole step; of these the collator takes the process's share.

        Dealing out is not left to accelerate: it deals whole batches, and the last ones unevenly.
        """
        if world() == 1:
            return super().get_train_dataloader()
        from accelerate.data_loader import prepare_data_loader

        loader = self._build_dataloader(self.train_dataset, self.args.train_batch_size, dataset_kind="train")
        return prepare_data_loader(
            loader,
            self.args.device,
            num_processes=1,
            process_index=0,
            put_on_device=True,
            use_seedable_sampler=self.accelerator.use_seedable_sampler,
            data_seed=self.args.data_seed,
        )

    def _load_best_model(self) -> None:
        if not self.is_world_process_zero():
            return  # only process 0 continues with the model
        self._load_from_checkpoint(self.state.best_model_checkpoint)
        self._average.put_into(self._trained())

    def load_epoch(self, step: int) -> None:
        """Puts what an epoch, the best or the last one, ended with back into the model: the mean, if it had begun."""
        self._load_from_checkpoint(str(Path(self.args.output_dir) / f"checkpoint-{step}"))
        self._average.put_into(self._trained())

    def _trained(self) -> dict[str, Tensor]:
        return trained(self.model)

    def add_model_card_callback(self, default_args_dict: object) -> None:
        """Adds none; the run writes the card."""


def trained(model: Any) -> dict[str, Tensor]:
    """The weights that a training changes, by name."""
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}


class AverageSteps(TrainerCallback):  # type: ignore[misc]
    """Takes the weights after each step into their mean.

    Args:
        average: Knows which steps count.
    """

    def __init__(self, average: WeightAverage) -> None:
        self._average = average

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Comes before the dev evaluation and the checkpoint of the step."""
        self._average.add(state.global_step, trained(model))


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
    """Passes figures on, stops what goes wrong or gets no better, saves between epochs where that is wished.

    Args:
        log: Gets figures as they come.
        config: The recipe.
        precision: What is trained in.
        chance: The loss of guessing.
        work: Is told how far the training is.
    """

    def __init__(
        self,
        log: Callable[[Mapping[str, float], int], None],
        config: TrainingConfig,
        precision: str,
        chance: float,
        work: Work,
    ) -> None:
        self._log = log
        self._work = work
        self._config = config
        self._precision = precision
        self._chance = chance
        self._losses: list[float] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Takes up the losses of a training that continues."""
        self._losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
        self._work.begin_at(state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Asks for a checkpoint where one is due.

        Not after an epoch's last step: the epoch's own follows once dev is evaluated. A training that went on from one
        written before would skip that evaluation, and the epoch's would be written over a whole one.
        """
        self._work.reach(state.global_step)
        rhythm = self._config.checkpoint_steps
        due = rhythm and state.global_step % rhythm == 0
        if due and state.global_step % (state.max_steps // state.num_train_epochs):
            control.should_save = True

    def on_log(
        self, args: Any, state: Any, control: Any, logs: Mapping[str, float] | None = None, **kwargs: Any
    ) -> None:
        """Takes each step's loss."""
        if not logs or "loss" not in logs:
            return
        check_number(logs, state.global_step, self._precision)
        loss = float(logs["loss"])
        self._losses.append(loss)
        self._work.note = f"loss {loss:.3f}"
        check_course(self._losses, self._chance)
        self._log(
            {
                "train/loss": loss,
                "train/learning_rate": float(logs.get("learning_rate", 0)),
                "train/epoch": float(state.epoch),
            },
            state.global_step,
        )

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Comes once the checkpoint is written and older ones are removed."""
        if state.is_world_process_zero:
            seal(Path(args.output_dir) / f"checkpoint-{state.global_step}")

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Mapping[str, float] | None = None, **kwargs: Any
    ) -> None:
        """Joins the dev metrics to the epoch, and ends the training where they get no better."""
        dev = {
            key.removeprefix("eval_"): float(value)
            for key, value in (metrics or {}).items()
            if key.startswith("eval_dev_")
        }
        self._log({f"train/{key}": value for key, value in dev.items()}, state.global_step)
        if used_up(state.log_history, f"eval_dev_{self._config.select_by}", self._config.patience):
            control.should_training_stop = True


def training_arguments(
    config: TrainingConfig, checkpoints: Path, hardware: Hardware, seed: int, *, steps: int, has_dev: bool
) -> SentenceTransformerTrainingArguments:
    """Translates the recipe into the trainer's arguments.

    Args:
        steps: All of the training.
    """
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule,
        # Below 1: a share of all steps. Rounded up it would be the whole of a training of one step, at learning rate 0.
        warmup_steps=config.warmup_ratio if config.warmup_ratio * steps >= 1 else 0,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        optim="adamw_torch_fused",
        bf16=hardware.precision == "bf16",
        fp16=hardware.precision == "fp16",
        use_cpu=hardware.device == "cpu",
        **{_CHECKPOINTING: config.gradient_checkpointing},
        eval_strategy="epoch" if has_dev else "no",
        save_strategy="epoch",
        save_total_limit=KEPT_CHECKPOINTS,
        load_best_model_at_end=has_dev,
        metric_for_best_model=f"eval_dev_{config.select_by}" if has_dev else None,
        greater_is_better=True if has_dev else None,
        logging_steps=1,
        logging_nan_inf_filter=False,  # it would show a loss that is not a number as 0
        report_to=[],
        seed=seed,
        data_seed=seed,
        dataloader_pin_memory=hardware.device == "cuda",
        remove_unused_columns=False,
        # With several processes it would warn and set this by itself; `get_train_dataloader` needs no such thing.
        dataloader_drop_last=world() > 1,
    )
    arguments.dataloader_drop_last = False
    return arguments
