"""Stage ``whitening``: the tuned model with a last layer that whitens its vectors."""

from __future__ import annotations

import logging
import random
import shutil
from dataclasses import replace
from pathlib import Path

from embft import typed_json
from embft.errors import ModelError
from embft.files import digest, file_digest
from embft.models.loading import load_model
from embft.results import Dataset, Tuned
from embft.stages import StageResult
from embft.steps.training import tuned_embedder
from embft.steps.workspace import Lab
from embft.training.dev_search import DevSearch
from embft.training.report import TrainingReport, WhiteningReport
from embft.training.whitening import save_whitened, whitening_of, whitening_strength

logger = logging.getLogger(__name__)

_MOST = 4000
"""Passages that are embedded for it, a random draw."""


def whiten_model(lab: Lab, dataset: StageResult[Dataset], tuned: StageResult[Tuned]) -> StageResult[Tuned]:
    """The tuned model whitened by its train passages; as it was where that is off, has no ground, or does harm on dev.

    Harm is what `DevSearch.does_harm` calls so. A kept base model stays what it is.
    """
    config, base = lab.config.training, lab.base
    strength = whitening_strength(config, base.retrieval.mode)
    if strength == 0 or tuned.value.report.kept_base:
        return tuned

    def build(folder: Path, scratch: Path) -> None:
        splits, report = dataset.value.splits, tuned.value.report
        embedder = tuned_embedder(base, tuned.value)
        texts = sorted(set(embedder.passages(splits.train.indexed).texts))
        texts = random.Random(lab.seed).sample(texts, min(_MOST, len(texts)))
        _, vectors = embedder.pair_vectors([], texts)
        outcome = WhiteningReport(strength, len(texts))
        # Of fewer vectors than numbers a vector has, some directions are unknown.
        if len(texts) <= vectors.shape[1]:
            outcome = replace(outcome, left_out="few")
        else:
            whitening = whitening_of(vectors, strength)
            if splits.dev.queries:
                dev = DevSearch.of(embedder, splits.searched("dev"), config.dev_chunks, config.select_by, lab.seed)
                harm = dev.does_harm(whitening, None)
                assert dev.best is not None
                means = {"without": dev.base_metrics, "with": dev.best.means}
                figures = {name: round(mean[config.select_by], 6) for name, mean in means.items()}
                outcome = replace(outcome, left_out="harm" if harm else None, dev=figures)
            if outcome.left_out is None:
                model = load_model(tuned.value.folder, "cpu", base.open_model.max_seq_length)
                try:
                    files = save_whitened(model, whitening, folder / "model")
                    fingerprint = digest([tuned.value.fingerprint, *(file_digest(file) for file in files)])
                    report = replace(report, fingerprint=fingerprint)
                except ModelError as error:
                    # Vectors that are all alike: what they share is taken away, and rounding grows with what is left.
                    logger.warning("The tuned model stays without whitening. %s", error)
                    shutil.rmtree(folder / "model", ignore_errors=True)
                    outcome = replace(outcome, left_out="alike")
        typed_json.save(folder / "training.json", replace(report, whitening=outcome))

    def load(folder: Path) -> Tuned:
        report = typed_json.load(TrainingReport, folder / "training.json")
        assert report.whitening is not None
        if report.whitening.left_out is not None:
            return Tuned(tuned.value.folder, report)
        return Tuned(folder / "model", report, unwhitened=tuned.value)

    return lab.run(
        "whitening",
        build,
        load,
        # The training's key stands for the dataset too.
        inputs=[tuned.key, base.encoder.fingerprint],
        values={"strength": strength, "seed": lab.seed},
    )
