"""The configuration: its schema, its limits, what cannot be combined, and the command line that sets it."""

from embft.config.evaluation import EvaluationConfig
from embft.config.experiment import GROUPS, MOVED_KEYS, ExperimentConfig, ReportingConfig, TrackingConfig, register
from embft.config.fields import ANSWER_METRICS, OBJECTIVE_METRICS, RANK_METRICS
from embft.config.held_back import HeldBackConfig
from embft.config.scale import FaissConfig, ScaleConfig
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
    "ANSWER_METRICS",
    "GROUPS",
    "MOVED_KEYS",
    "OBJECTIVE_METRICS",
    "RANK_METRICS",
    "CorpusConfig",
    "DatasetConfig",
    "EndpointConfig",
    "EvaluationConfig",
    "ExperimentConfig",
    "FaissConfig",
    "FiltersConfig",
    "HeldBackConfig",
    "ModelConfig",
    "QuestionsConfig",
    "ReportingConfig",
    "RetrievalConfig",
    "ScaleConfig",
    "TrackingConfig",
    "TrainingConfig",
    "register",
]
