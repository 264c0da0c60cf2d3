"""Stage ``whitening``: the tuned model with a last layer that whitens its vectors."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from embft.config.training import TrainingConfig
from embft.files import digest, file_digest, read_json, write_json
from embft.models.loading import load_model
from embft.retrieval.embedder import Embedder
from embft.stages import StageCache, StageResult
from embft.steps.dataset import Dataset
from embft.steps.training import Tuned, tuned_embedder
from embft.training.dev_search import DevSearch
from embft.training.whitening import Whitening, save_whitened

_MOST = 4000
"""Passages that are embedded for it, a random draw."""


def whiten_model(
    stages: StageCache,
    config: TrainingConfig,
    dataset: StageResult[Dataset],
    base: Embedder,
    tuned: StageResult[Tuned],
    seed: int,
) -> StageResult[Tuned]:
    """The tuned model whitened by its train passages; as it was where that is off, has no ground, or does harm on dev.

    Harm is what `DevSearch.does_harm` calls so. A kept base model stays what it is.
    """
    strength = _strength(config, base)
    if strength == 0 or tuned.value.report["best_epoch"] == 0:
        return tuned
    splits = dataset.value.splits

    def build(folder: Path, scratch: Path) -> None:
        embedder = tuned_embedder(base, tuned.value)
        texts = sorted(set(embedder.passages(splits.train.corpus).texts))
        texts = random.Random(seed).sample(texts, min(_MOST, len(texts)))
        _, vectors = embedder.pair_vectors([], texts)
        whitening: dict[str, Any] = {"strength": strength, "passages": len(texts), "left_out": None, "dev": None}
        report = {**tuned.value.report, "whitening": whitening}
        # Of fewer vectors than numbers a vector has, some directions are unknown.
        if len(texts) <= vectors.shape[1]:
            whitening["left_out"] = "few"
        else:
            found = Whitening.of(vectors, strength)
            if splits.dev.queries:
                dev = DevSearch.of(embedder, splits.searched("dev"), config.dev_chunks, config.select_by, seed)
                whitening["left_out"] = "harm" if dev.does_harm(found, None) else None
                assert dev.best is not None
                means = {"without": dev.base_metrics, "with": dev.best.means}
                whitening["dev"] = {name: round(mean[config.select_by], 6) for name, mean in means.items()}
        if whitening["left_out"] is None:
            model = load_model(tuned.value.folder, "cpu", base.open_model.max_seq_length)
            files = save_whitened(model, found, folder / "model")
            report["fingerprint"] = digest([tuned.value.fingerprint, *(file_digest(file) for file in files)])
        write_json(folder / "training.json", report)

    def load(folder: Path) -> Tuned:
        report = read_json(folder / "training.json")
        if report["whitening"]["left_out"] is not None:
            return Tuned(tuned.value.folder, report["fingerprint"], report)
        return Tuned(folder / "model", report["fingerprint"], report, unwhitened=tuned.value)

    retrieval = base.retrieval
    return stages.run(
        "whitening",
        settings={
            "strength": strength,
            "dev_chunks": config.dev_chunks,
            "select_by": config.select_by,
            "seed": seed,
            "mode": retrieval.mode,
            "windows": [retrieval.window_tokens, retrieval.window_overlap],
            **base.encoder.settings,
        },
        # The training's key stands for the dataset too.
        inputs=[tuned.key, base.encoder.fingerprint],
        code=(
            "embft.training.whitening",
            "embft.retrieval",
            "embft.evaluation.metrics",
            "embft.evaluation.significance",
            "embft.steps.whitening",
            "embft.training.dev_search",
            "embft.retrieval.embedder",
        ),
        build=build,
        load=load,
    )


def _strength(config: TrainingConfig, base: Embedder) -> float:
    """What ``whitening=null`` stands for: 0.2 with windows. Token vectors, with late interaction, are no affair of that layer.

    Truncated chunks are few, and what their beginnings share is not what the rest of them shares: it did harm there. An adapter
    must leave passages as they are, and vectors that may be cut off keep their numbers in order (docs/experiments.md).
    """
    if config.whitening is not None:
        return config.whitening
    retrieval = base.retrieval
    one_vector = retrieval.mode == "windows" and not retrieval.late_interaction
    fits = one_vector and config.part != "adapter" and not config.matryoshka
    return 0.2 if fits else 0.0
