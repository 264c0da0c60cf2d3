"""Stage ``training``: train questions to a tuned model."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from embft import typed_json
from embft.files import folder_digest
from embft.models.hardware import pick_device, pick_precision
from embft.models.vectors import read_query_map, read_whitening
from embft.results import Dataset, Tuned
from embft.retrieval.embedder import Embedder
from embft.stages import StageResult
from embft.steps.workspace import Lab
from embft.training.finetune import Hardware, Log
from embft.training.report import TrainingReport
from embft.training.tune_adapter import tune_adapter
from embft.training.tune_weights import tune_weights
from embft.training.tuning_task import TuningTask


def train_model(lab: Lab, dataset: StageResult[Dataset], log: Log) -> StageResult[Tuned]:
    """Tunes the base model on the train questions, keeping the epoch that is best on dev."""
    config, splits = lab.config.training, dataset.value.splits
    # An adapter trains in a second: no other machine is asked for that.
    elsewhere = None if config.part == "adapter" else lab.elsewhere
    if elsewhere is None:
        device = pick_device(config.device)
        hardware = Hardware(device, pick_precision(config.precision, device))
    else:
        hardware = elsewhere.hardware(config)

    def build(folder: Path, scratch: Path) -> None:
        tune_here = tune_adapter if config.part == "adapter" else tune_weights
        tune = tune_here if elsewhere is None else elsewhere.tune
        tune(TuningTask(config, splits, lab.base, hardware, lab.seed, folder, scratch), log)

    def load(folder: Path) -> Tuned:
        return Tuned(folder / "model", typed_json.load(TrainingReport, folder / "training.json"))

    return lab.run(
        "training",
        build,
        load,
        inputs=[dataset.key, lab.base.encoder.fingerprint, *_helping_models(lab)],
        values={**asdict(hardware), "seed": lab.seed},
    )


def tuned_embedder(base: Embedder, tuned: Tuned) -> Embedder:
    """The tuned model, searched as the base model is."""
    if tuned.report.part == "adapter":
        # Its questions are the base model's vectors, mapped here: nothing is embedded, or paid for, once more.
        return base.adapted(None if tuned.report.kept_base else read_query_map(tuned.folder))
    if tuned.unwhitened is not None:
        # So are the vectors of the model that was whitened.
        return tuned_embedder(base, tuned.unwhitened).whitened(read_whitening(tuned.folder))
    return base.encoding_with(base.open_model.tuned(tuned.folder, tuned.fingerprint))


def _helping_models(lab: Lab) -> list[str]:
    """Digests of the guide's and the teacher's folders: one that was trained anew in its place is another one."""
    config = lab.config.training
    teacher = None if config.teacher == "fused" else config.teacher
    return [folder_digest(Path(path).expanduser()) for path in (config.guide, teacher) if path]
