"""Stage ``whitening``: the tuned model with a last layer that whitens its vectors."""

from __future__ import annotations

import logging
import random
from pathlib import Path
from typing import Any

from embft.config_training import TrainingConfig
from embft.models.encoder import encode, load_model
from embft.models.hardware import pick_device, pick_precision
from embft.stages import StageCache, StageResult, digest, file_digest, read_json, write_json
from embft.steps.dataset import Dataset
from embft.steps.dev_search import DevSearch
from embft.steps.embedding import Embedder
from embft.steps.ranking import tuned_embedder
from embft.steps.training import Tuned
from embft.training.whitening import Whitening, save_whitened

logger = logging.getLogger(__name__)

MOST = 4000
"""Passages that are embedded for it, a random draw: a covariance of a few hundred numbers needs no more."""


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
    device = pick_device(config.device)
    precision = pick_precision(config.precision, device)
    splits = dataset.value.splits

    def build(folder: Path, scratch: Path) -> None:
        embedder = tuned_embedder(base, tuned.value)
        encoder = embedder.open_model
        texts = sorted(set(embedder.passages(splits.train.corpus).texts))
        texts = random.Random(seed).sample(texts, min(MOST, len(texts)))
        model = load_model(encoder.folder, device, encoder.max_seq_length)
        whitening: dict[str, Any] = {"strength": strength, "passages": len(texts), "kept": False, "why": "few"}
        report = {**tuned.value.report, "whitening": whitening}
        # Of fewer vectors than numbers a vector has, some directions are unknown.
        if len(texts) > (model.get_embedding_dimension() or 0):
            vectors = encode(
                model, texts, encoder.document_prompt, encoder.batch_size, task="document", precision=precision
            )
            found = Whitening.of(vectors, strength)
            dev = None
            if splits.dev.queries:
                dev = DevSearch.of(embedder, splits.searched("dev"), config.dev_chunks, config.select_by, seed)
            harm = dev is not None and dev.does_harm(found, None)
            whitening.update(kept=not harm, why="harm" if harm else None)
            if dev is not None and dev.base is not None and dev.best is not None:
                means = (dev.base.means, dev.best.means)
                whitening["dev"] = [round(mean[config.select_by], 6) for mean in means]
            if not harm:
                files = save_whitened(model, found, folder / "model")
                report["fingerprint"] = digest([tuned.value.fingerprint, *(file_digest(file) for file in files)])
                if dev is not None:
                    dev.keep_best(base, report["fingerprint"])
        write_json(folder / "training.json", report)

    def load(folder: Path) -> Tuned:
        report = read_json(folder / "training.json")
        kept = report["whitening"]["kept"]
        return Tuned(folder / "model" if kept else tuned.value.folder, report["fingerprint"], report)

    retrieval = base.retrieval
    return stages.run(
        "whitening",
        settings={
            "strength": strength,
            "precision_of_training": precision,
            "dev_chunks": config.dev_chunks,
            "select_by": config.select_by,
            "seed": seed,
            "mode": retrieval.mode,
            "windows": [retrieval.window_tokens, retrieval.window_overlap],
            **base.encoder.settings,
        },
        inputs=[tuned.key, base.encoder.fingerprint],
        code=("embft.training.whitening", "embft.retrieval.windows", "embft.steps.whitening", "embft.steps.dev_search"),
        build=build,
        load=load,
    )


def _strength(config: TrainingConfig, base: Embedder) -> float:
    """What ``whitening=null`` stands for: 0.2 with windows, which gained on every set that was looked at.

    Truncated chunks are few, and what their beginnings share is not what the rest of them shares: it did harm there. An adapter
    must leave passages as they are, and vectors that may be cut off keep their numbers in order (docs/experiments.md).
    """
    if config.whitening is not None:
        return config.whitening
    fits = base.retrieval.mode == "windows" and config.part != "adapter" and not config.matryoshka
    return 0.2 if fits else 0.0
