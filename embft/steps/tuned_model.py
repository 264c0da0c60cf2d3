"""The tuned model from beginning to end: trained, mixed with the base model where that is asked for, whitened."""

from __future__ import annotations

from dataclasses import replace

from embft.config.training import TrainingConfig
from embft.retrieval.embedder import Embedder
from embft.stages import StageCache, StageResult
from embft.steps.dataset import Dataset
from embft.steps.merging import merge_model
from embft.steps.training import Tuned, tune_model
from embft.steps.whitening import whiten_model
from embft.training.finetune import Log


def make_tuned_model(
    stages: StageCache,
    config: TrainingConfig,
    dataset: StageResult[Dataset],
    base: Embedder,
    seed: int,
    log: Log,
) -> StageResult[Tuned]:
    """Three stages as one: their seconds are added up, and ``cached`` says that none of them had to be built."""
    trained = tune_model(stages, config, dataset, base, seed, log)
    if trained.cached:
        # A training from the cache still has its curve.
        for epoch in trained.value.report["history"]:
            values = {f"train/{key}": value for key, value in epoch.items() if key != "epoch"}
            log({**values, "train/epoch": epoch["epoch"]}, None)
    made = [trained]
    for finish in (merge_model, whiten_model):
        found = finish(stages, config, dataset, base, made[-1], seed)
        if found is not made[-1]:
            made.append(found)
    tuned = made[-1].value
    # What is no part of the training's key may stand there as another run had it.
    settings = {**tuned.report["settings"], "merge": config.merge, "whitening": config.whitening}
    return replace(
        made[-1],
        value=replace(tuned, report={**tuned.report, "settings": settings}),
        seconds=sum(stage.seconds for stage in made),
        built_seconds=sum(stage.built_seconds for stage in made),
        cached=all(stage.cached for stage in made),
    )
