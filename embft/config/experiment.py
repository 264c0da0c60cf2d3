"""The whole experiment: its groups put together, and made known to Hydra."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from omegaconf import MISSING, OmegaConf

from embft.config.evaluation import EvaluationConfig
from embft.config.fields import choice, number
from embft.config.plugins import rename_packages_settings
from embft.config.scale import ScaleConfig
from embft.config.schema import (
    CorpusConfig,
    DatasetConfig,
    ModelConfig,
    QuestionsConfig,
    RetrievalConfig,
)
from embft.config.training import TrainingConfig


@dataclass
class TrackingConfig:
    """Where figures go besides the run folder."""

    name: str = MISSING
    """What reports call the choice: the name of its file."""
    backend: str = choice("wandb", "wandb", "local", "trackio", "mlflow", "tensorboard")
    """Where figures go besides the run folder: Weights & Biases, Trackio, MLflow, TensorBoard; local: nowhere."""
    mode: str = choice("auto", "auto", "online", "offline", "disabled")
    """auto: online where a key is set, else offline."""
    project: str = "embft"
    """Project at Weights & Biases or Trackio, experiment at MLflow."""
    entity: str | None = None
    """User or team at Weights & Biases; null is the key's own."""
    group: str | None = None
    """Group of runs; null: a sweep's name for its jobs."""
    tags: list[str] = field(default_factory=list)
    """Labels of the run."""
    notes: str | None = None
    """A remark on the run."""
    artifacts: str = choice("references", "references", "files", "none")
    """The dataset and the models of a run, as artifacts with their lineage. references: files are named with their digests
    and stay where they are; files: they are uploaded."""


@dataclass
class ReportingConfig:
    """The report of a run."""

    language: str = choice("auto", "auto", "en", "zh")
    """Language of report.html, report.md, the summary on the terminal, and a sweep's compare.html: English or Chinese; auto:
    Chinese where more than half of the chunks are. What programs read (metrics.json, the tracker, the log) and the model card
    are English."""


@dataclass
class ExperimentConfig:
    """One experiment."""

    corpus: CorpusConfig = MISSING
    questions: QuestionsConfig = MISSING
    dataset: DatasetConfig = MISSING
    model: ModelConfig = MISSING
    training: TrainingConfig = MISSING
    retrieval: RetrievalConfig = MISSING
    evaluation: EvaluationConfig = MISSING
    scale: ScaleConfig = field(default_factory=lambda: ScaleConfig(name="local"))
    tracking: TrackingConfig = MISSING
    reporting: ReportingConfig = field(default_factory=ReportingConfig)
    seed: int = number(42, 0, 2**31 - 1)
    """Of everything random: splits, batches, resamples."""
    cache_dir: str = "outputs/cache"
    """Where stages, vectors and replies that were paid for are kept."""


MOVED_KEYS = {
    "dataset.allow_leaks": "dataset.leaks=drop (leaves leaking questions out, the default), stop or allow",
    "retrieval.late_interaction": "retrieval.mode=late (the config file: retrieval=late)",
    "training.merge": "nothing: mixing tuned and base weights was no gain, see docs/decisions.md",
    "training.adapter_layers": "nothing: an adapter has one layer, two were no better, see docs/decisions.md",
}
"""Keys of earlier versions, and what takes their place."""

GROUPS: dict[str, type] = {
    "corpus": CorpusConfig,
    "questions": QuestionsConfig,
    "dataset": DatasetConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
    "retrieval": RetrievalConfig,
    "evaluation": EvaluationConfig,
    "scale": ScaleConfig,
    "tracking": TrackingConfig,
}


_JOB_LOGGING = {
    "version": 1,
    "formatters": {"simple": {"format": "[%(asctime)s][%(name)s][%(levelname)s] - %(message)s"}},
    "filters": {"progress": {"()": "embft.progress.Console"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "simple",
            "stream": "ext://sys.stdout",
            "filters": ["progress"],
        },
        "file": {
            "class": "logging.FileHandler",
            "formatter": "simple",
            "filename": "${hydra.runtime.output_dir}/${hydra.job.name}.log",
            "encoding": "utf-8",
            "delay": True,
        },
    },
    "root": {"level": "INFO", "handlers": ["console", "file"]},
    "disable_existing_loggers": False,
}
"""As Hydra's own, but a log is begun by its first line: a run that is refused its folder leaves the log there alone."""


def register() -> None:
    """Puts into Hydra's config store: ``schema`` in each group, ``experiment_schema`` at the top, and how jobs log.

    And the resolver ``has_key``: ``${has_key:NAME,a,b}`` is ``a`` where the environment variable is set, else ``b``. It tells
    whether there is a key, never what it is.
    """
    from hydra.core.config_store import ConfigStore

    OmegaConf.register_new_resolver("has_key", _has_key, replace=True)
    store = ConfigStore.instance()
    store.store(name="experiment_schema", node=ExperimentConfig)
    for group, schema in GROUPS.items():
        store.store(group=group, name="schema", node=schema)
    store.store(group="hydra/job_logging", name="embft", node=_JOB_LOGGING)
    rename_packages_settings()


def _has_key(variable: str, yes: str, no: str) -> str:
    return yes if os.environ.get(variable) else no
