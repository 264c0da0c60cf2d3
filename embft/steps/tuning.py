"""The tuned model from beginning to end: trained, then whitened."""

from __future__ import annotations

from dataclasses import replace

from embft.results import Dataset, Tuned
from embft.stages import StageResult
from embft.steps.training import train_model
from embft.steps.whitening import whiten_model
from embft.steps.workspace import Lab
from embft.training.finetune import Log


def tune_model(lab: Lab, dataset: StageResult[Dataset], log: Log) -> StageResult[Tuned]:
    """Two stages as one: their seconds are added up, and ``cached`` says that neither had to be built."""
    trained = train_model(lab, dataset, log)
    if trained.cached:
        # A training from the cache still has its curve.
        for epoch in trained.value.report.history:
            figures = epoch.as_json()
            log({f"train/{name}": value for name, value in figures.items()}, None)
    whitened = whiten_model(lab, dataset, trained)
    stages = [trained] if whitened is trained else [trained, whitened]
    tuned = whitened.value
    # What is no part of the training's key may stand there as another run had it.
    report = tuned.report.with_settings(whitening=lab.config.training.whitening)
    return replace(
        whitened,
        value=replace(tuned, report=report),
        seconds=sum(stage.seconds for stage in stages),
        built_seconds=sum(stage.built_seconds for stage in stages),
        cached=all(stage.cached for stage in stages),
    )
