"""The configuration: its schema, its limits, what cannot be combined, and the command line that sets it."""

from embft.config.schema import (
    GROUPS,
    OBJECTIVE_METRICS,
    SYSTEMS,
    CorpusConfig,
    DatasetConfig,
    EndpointConfig,
    EvaluationConfig,
    ExperimentConfig,
    FiltersConfig,
    ModelConfig,
    QuestionsConfig,
    RetrievalConfig,
    TrackingConfig,
    register,
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
