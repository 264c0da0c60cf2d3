"""Stage ``merging``, opt-in: the tuned model mixed with the base one."""

from __future__ import annotations

import logging
from pathlib import Path

from embft.config.training import TrainingConfig
from embft.evaluation.significance import groups_of
from embft.files import file_digest, read_json, write_json
from embft.models.hardware import pick_device
from embft.models.loading import load_model
from embft.models.saving import save_model
from embft.retrieval.embedder import Embedder
from embft.stages import StageCache, StageResult
from embft.steps.dataset import Dataset
from embft.steps.training import Tuned
from embft.training.dev_search import DevSearch
from embft.training.merging import ALPHAS, choose_alpha, mix_weights

logger = logging.getLogger(__name__)


def merge_model(
    stages: StageCache,
    config: TrainingConfig,
    dataset: StageResult[Dataset],
    base: Embedder,
    tuned: StageResult[Tuned],
    seed: int,
) -> StageResult[Tuned]:
    """The mix that dev chooses, in the tuned model's place; the tuned model where merging is off or has no ground.

    Without dev questions nothing could choose, and a kept base model leaves nothing to mix.
    """
    splits = dataset.value.splits
    if not config.merge or not splits.dev.queries or tuned.value.report["best_epoch"] == 0:
        return tuned

    def build(folder: Path, scratch: Path) -> None:
        device = pick_device(config.device)
        dev = DevSearch.of(base, splits.searched("dev"), config.dev_chunks, config.select_by, seed)
        before, model = (
            load_model(path, device, base.open_model.max_seq_length)
            for path in (base.open_model.folder, tuned.value.folder)
        )
        weights = {key: value.clone() for key, value in model.state_dict().items()}
        original = before.state_dict()
        curve = [[0.0, round(dev.base_metrics[config.select_by], 6)]]
        for alpha in ALPHAS:
            mix_weights(model, original, weights, alpha)
            curve.append([alpha, round(dev.metrics(model)[config.select_by], 6)])
        groups = groups_of(list(dev.dataset.queries), dev.dataset.relevant_docs)
        place = choose_alpha([found.scores for found in dev.epochs], groups)
        dev.best = dev.epochs[place]
        mix_weights(model, original, weights, ALPHAS[place])
        save_model(model, folder / "model")
        fingerprint = file_digest(folder / "model" / "model.safetensors")[:16]
        dev.keep_best(base, fingerprint)
        merge = {"alpha": ALPHAS[place], "curve": curve, "metric": config.select_by}
        write_json(folder / "training.json", {**tuned.value.report, "merge": merge, "fingerprint": fingerprint})

    def load(folder: Path) -> Tuned:
        report = read_json(folder / "training.json")
        return Tuned(folder / "model", report["fingerprint"], report)

    found = stages.run(
        "merging",
        settings={
            "dev_chunks": config.dev_chunks,
            "select_by": config.select_by,
            "seed": seed,
            **base.encoder.settings,
        },
        inputs=[tuned.key, base.encoder.fingerprint],
        code=("embft.training.merging", "embft.steps.merging"),
        build=build,
        load=load,
    )
    logger.info("Merged: %.0f%% tuned, the rest base, chosen on dev.", 100 * found.value.report["merge"]["alpha"])
    return found
