"""The configuration: its schema, its limits, what cannot be combined, and the command line that sets it."""

from embft.config.evaluation import EvaluationConfig
from embft.config.experiment import GROUPS, MOVED_KEYS, ExperimentConfig, TrackingConfig, register
from embft.config.fields import OBJECTIVE_METRICS
from embft.config.schema import (
    CorpusConfig,
    DatasetConfig,
    EndpointConfig,
    FiltersConfig,
    ModelConfig,
    QuestionsConfig,
    RetrievalConfig,
)
from embft.config.training import TrainingConfig

__all__ = [
    "GROUPS",
    "MOVED_KEYS",
    "OBJECTIVE_METRICS",
    "CorpusConfig",
    "DatasetConfig",
    "EndpointConfig",
    "EvaluationConfig",
    "ExperimentConfig",
    "FiltersConfig",
    "ModelConfig",
    "QuestionsConfig",
    "RetrievalConfig",
    "TrackingConfig",
    "TrainingConfig",
    "register",
]
