"""Folders that a run's settings name relative to where it was started, found again from anywhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from embft.config import ExperimentConfig


def places_of(config: ExperimentConfig, folder: Path) -> dict[str, str]:
    """The relative ones of the settings, relative to the run folder; "/" stands between folders."""
    return {
        key: Path(os.path.relpath(Path(value).absolute(), folder.absolute())).as_posix()
        for key, value in _named(config).items()
        if value and not Path(value).expanduser().is_absolute()
    }


def found_again(config: ExperimentConfig, places: Mapping[str, str], folder: Path) -> ExperimentConfig:
    """The settings with each of these places where it lies as seen from the run folder, if it does.

    Args:
        config: Of the run.
        places: As `places_of` gave them when it ended.
        folder: The run folder.
    """
    there = {key: str(path) for key, place in places.items() if (path := folder.absolute() / place).exists()}
    model, evaluation = config.model, config.evaluation
    if "model.path" in there:
        model = replace(model, path=os.path.normpath(there["model.path"]))
    if "evaluation.reranker.path" in there:
        reranker = replace(evaluation.reranker, path=os.path.normpath(there["evaluation.reranker.path"]))
        evaluation = replace(evaluation, reranker=reranker)
    cache = os.path.normpath(there["cache_dir"]) if "cache_dir" in there else config.cache_dir
    return replace(config, model=model, evaluation=evaluation, cache_dir=cache)


def _named(config: ExperimentConfig) -> dict[str, str | None]:
    return {
        "model.path": config.model.path,
        "evaluation.reranker.path": config.evaluation.reranker.path,
        "cache_dir": config.cache_dir,
    }
