"""The configuration: its schema, its limits, what cannot be combined, and the command line that sets it."""

from embft.config.experiment import GROUPS, ExperimentConfig, TrackingConfig, register
from embft.config.schema import (
    OBJECTIVE_METRICS,
    SYSTEMS,
    CorpusConfig,
    DatasetConfig,
    EndpointConfig,
    EvaluationConfig,
    FiltersConfig,
    ModelConfig,
    QuestionsConfig,
    RetrievalConfig,
)
from embft.config.training import TrainingConfig

__all__ = [
    "GROUPS",
    "OBJECTIVE_METRICS",
    "SYSTEMS",
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
