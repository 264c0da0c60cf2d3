"""Training on other machines, as the machine that started the run sees it: ordered, watched, taken over."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from embft import typed_json
from embft.config import ExperimentConfig, ScaleConfig, TrainingConfig
from embft.damaged import make_folder, remove
from embft.errors import ScaleError, TrainingError
from embft.heartbeat import DEAD_AFTER, alone
from embft.models.hardware import pick_precision
from embft.progress import Work, under_way
from embft.scaling.events import Listener
from embft.scaling.left_over import lock_of, shards_of
from embft.scaling.long_job import LongJob, Starter
from embft.scaling.ray_job import RayJobs
from embft.scaling.submitted_job import SubmittedJobs
from embft.training.finetune import Hardware, Log
from embft.training.on_a_node import Refusal
from embft.training.order import ERROR, FACTS, RESULT, SCRATCH, WORK, take_result, write_order
from embft.training.processes import launched
from embft.training.report import TrainingReport
from embft.training.tuning_task import TuningTask

logger = logging.getLogger(__name__)

_ATTEMPTS = 3
"""How often a result that does not arrive as it was written is made again, from the last checkpoint."""


@dataclass(frozen=True)
class TrainedElsewhere:
    """See `embft.training.tuning_task.Elsewhere`.

    Attributes:
        starter: How the machines are asked.
        folder: That all of them see.
        gpus: Whether their processes have GPUs.
        dead_after: Seconds without a sign of life after which a process counts as dead.
    """

    starter: Starter
    folder: Path
    gpus: bool
    dead_after: float = DEAD_AFTER

    def hardware(self, config: TrainingConfig) -> Hardware:
        """See `embft.training.tuning_task.Elsewhere`. ``auto``: what the job asks for."""
        device = config.device
        if device == "auto":
            device = "cuda" if self.gpus else "cpu"
        if config.precision == "auto" and device == "cuda" and not _has_gpu():
            return Hardware(device, "bf16")  # of any GPU since 2020; the job refuses another
        return Hardware(device, pick_precision(config.precision, device))

    def tune(self, task: TuningTask, log: Log) -> None:
        """See `embft.training.tuning_task.Elsewhere`."""
        name = f"training-{task.scratch.name}"
        folder, work = self.folder / name, Work("on another machine")
        make_folder(self.folder, self.folder.parent)
        with alone(lock_of(self.folder / name), self.dead_after), under_way(work):
            make_folder(folder, self.folder)
            write_order(folder, task, self.dead_after)
            (folder / ERROR).unlink(missing_ok=True)  # of an earlier start: it may have been mended
            watch = _Watch(folder, Listener(folder, log, work), work)
            job = LongJob(self.starter, folder, WORK, self.dead_after)
            for _ in range(_ATTEMPTS):
                job.see_through(watch.is_over, watch.how_far)
                if (host := take_result(folder, task.folder)) is not None:
                    break
                logger.warning("The result in %s is damaged: its training continues.", folder)
                remove(folder / RESULT)
            else:
                raise ScaleError(f"The result in {folder} was damaged {_ATTEMPTS} times in turn: is that disk full?")
            remove(folder)
        report = typed_json.load(TrainingReport, task.folder / "training.json")
        # There these were folders of the order's.
        named = {"guide": task.config.guide, "teacher": task.config.teacher}
        typed_json.save(task.folder / "training.json", report.with_settings(**named))
        logger.info("Trained on %s in %.0f s.", host, report.seconds)


@dataclass
class _Watch:
    """What is to be seen of a training in its folder."""

    folder: Path
    listener: Listener
    work: Work
    state: str = ""

    def is_over(self, state: str) -> bool:
        """Whether the result is there.

        Raises:
            TrainingError, ScaleError: The job has said why it cannot go on.
        """
        if state != self.state:
            self.work.note = self.state = state  # until the job itself says more
        self.listener.look()
        if (self.folder / ERROR).exists():
            refusal = _read_refusal(self.folder / ERROR)
            kind = TrainingError if refusal.kind == "training" else ScaleError
            raise kind(f"{refusal.text} ({refusal.host} says so, which trains in {self.folder}.)")
        return (self.folder / RESULT / FACTS).exists()

    def how_far(self) -> int:
        """Steps that the last checkpoint is of."""
        names = (path.name for path in (self.folder / SCRATCH / "checkpoints").glob("checkpoint-*"))
        return max((int(found[1]) for name in names if (found := re.fullmatch(r"checkpoint-(\d+)", name))), default=0)


def _read_refusal(path: Path) -> Refusal:
    try:
        return typed_json.load(Refusal, path)
    except (OSError, ValueError):
        raise ScaleError(f"The training stopped, and {path}, which says why, is damaged: is that disk full?") from None


def open_elsewhere(config: ExperimentConfig, cache_dir: Path) -> TrainedElsewhere | None:
    """The machines that train; None: this one does.

    Raises:
        ScaleError: They cannot be asked, or this process is one of a torchrun.
    """
    scale = config.scale
    if scale.kind == "local" or not scale.train or not config.training.enabled:
        return None
    if launched():
        raise ScaleError("scale.train=true starts the processes of the training itself: start run.py without torchrun.")
    starter = _starter(scale)
    starter.check()
    folder = shards_of(scale.folder, cache_dir)
    return TrainedElsewhere(starter, folder, scale.gpus > 0, scale.silence_seconds)


def _starter(scale: ScaleConfig) -> Starter:
    return RayJobs(scale) if scale.kind == "ray" else SubmittedJobs(scale)


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()
