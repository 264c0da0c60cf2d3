"""Stage ``training``: train questions to a tuned model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from embft.config.training import TrainingConfig
from embft.files import read_json
from embft.models.hardware import pick_device, pick_precision
from embft.retrieval.embedder import Embedder
from embft.stages import StageCache, StageResult
from embft.steps.dataset import Dataset
from embft.training.adapter_model import read_query_map
from embft.training.finetune import Hardware, Log
from embft.training.tune_adapter import tune_adapter
from embft.training.tune_weights import NO_MATTER, tune_weights
from embft.training.whitening import read_whitening


@dataclass(frozen=True)
class Tuned:
    """What the stage gives.

    Attributes:
        folder: The tuned model; loads with ``SentenceTransformer(folder)``.
        fingerprint: Hash of its weights.
        report: Recipe, history, best epoch, seconds.
        unwhitened: The same model without its last layer, where that whitens.
    """

    folder: Path
    fingerprint: str
    report: dict[str, Any]
    unwhitened: Tuned | None = None


def tuned_embedder(base: Embedder, tuned: Tuned) -> Embedder:
    """The tuned model, searched as the base model is."""
    if tuned.report["part"] == "adapter":
        # Its questions are the base model's vectors, mapped here: nothing is embedded, or paid for, once more.
        return base.adapted(read_query_map(tuned.folder) if tuned.report["best_epoch"] else None)
    if tuned.unwhitened is not None:
        # So are the vectors of the model that was whitened.
        return replace(tuned_embedder(base, tuned.unwhitened), whitening=read_whitening(tuned.folder))
    return replace(base, encoder=base.open_model.tuned(tuned.folder, tuned.fingerprint))


def tune_model(
    stages: StageCache,
    config: TrainingConfig,
    dataset: StageResult[Dataset],
    base: Embedder,
    seed: int,
    log: Log,
) -> StageResult[Tuned]:
    """Tunes the base model on the train questions, keeping the epoch that is best on dev."""
    device = pick_device(config.device)
    hardware = Hardware(device, pick_precision(config.precision, device))
    splits = dataset.value.splits

    def build(folder: Path, scratch: Path) -> None:
        if config.part == "adapter":
            tune_adapter(config, splits, base, seed, folder, scratch, log)
        else:
            tune_weights(config, splits, base, hardware, seed, folder, scratch, log)

    def load(folder: Path) -> Tuned:
        report = read_json(folder / "training.json")
        return Tuned(folder / "model", report["fingerprint"], report)

    settings = asdict(config)
    for name in ("name", "enabled", "device", "precision", "merge", "whitening", *NO_MATTER):
        settings.pop(name)
    retrieval = base.retrieval
    return stages.run(
        "training",
        settings={
            **settings,
            **asdict(hardware),
            "seed": seed,
            "mode": [retrieval.mode, retrieval.late_interaction],
            # Truncated chunks are searched whole, and trained on in stretches.
            "windows": [retrieval.window_tokens, retrieval.window_overlap],
            **base.encoder.settings,
        },
        inputs=[dataset.key, base.encoder.fingerprint],
        code=(
            "embft.training",
            "embft.retrieval",
            "embft.text.tokens",
            "embft.models.embeddings_endpoint",
            "embft.models.endpoint_module",
            "embft.models.token_vectors",
            "embft.evaluation.metrics",
            "embft.steps.training",
            "embft.training.tune_weights",
            "embft.training.weights_job",
            "embft.training.tune_adapter",
            "embft.training.dev_search",
            "embft.retrieval.late_scores",
        ),
        build=build,
        load=load,
    )
