"""The configuration of tests that compose none: the schema's defaults."""

from __future__ import annotations

from typing import Any

from embft.config import (
    CorpusConfig,
    DatasetConfig,
    EvaluationConfig,
    ExperimentConfig,
    ModelConfig,
    QuestionsConfig,
    RetrievalConfig,
    ScaleConfig,
    TrackingConfig,
    TrainingConfig,
)


def plain_config(**groups: Any) -> ExperimentConfig:
    """The defaults, with the names of their files, and other groups or values in their place."""
    defaults = {
        "corpus": CorpusConfig(name="python_reference"),
        "questions": QuestionsConfig(name="extractive"),
        "dataset": DatasetConfig(name="generated"),
        "model": ModelConfig(name="minilm"),
        "training": TrainingConfig(name="default"),
        "retrieval": RetrievalConfig(name="windows"),
        "evaluation": EvaluationConfig(name="default"),
        "scale": ScaleConfig(name="local"),
        "tracking": TrackingConfig(name="local"),
    }
    return ExperimentConfig(**{**defaults, **groups})
