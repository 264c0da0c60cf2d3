"""One fine-tune of a model's weights: its examples, advisers and dev search, and what it leaves in the stage's folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from embft.config import ModelConfig
from embft.config_training import TrainingConfig
from embft.errors import TrainingError
from embft.models.encoder import Encoder, load_model
from embft.models.hardware import pick_device
from embft.models.source import ModelSource, resolve
from embft.records import RetrievalDataset, Splits
from embft.retrieval.scoring import unit
from embft.stages import file_digest, write_json
from embft.steps.dev_search import DevSearch
from embft.steps.embedding import Embedder
from embft.training.batching import Guide, Teacher
from embft.training.examples import ChunkExample, by_chunk, hidden, window_chooser
from embft.training.finetune import Hardware, Log, fine_tune
from embft.training.lower_layers import LowerLayers
from embft.training.negatives import with_negatives
from embft.training.teachers import CrossEncoderTeacher, FusedTeacher
from embft.training.trainee import Trainee

NO_MATTER = ("checkpoint_steps", "seeds")
"""Settings that change nothing about one training; `tests/training/test_resume.py` says so of checkpoints."""


def tune_weights(
    config: TrainingConfig,
    splits: Splits,
    source: ModelSource,
    base: Embedder,
    hardware: Hardware,
    seed: int,
    folder: Path,
    scratch: Path,
    log: Log,
) -> None:
    """Tunes the base model, whole or in part; ``folder`` gets ``model`` and ``training.json``."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise TrainingError("embft trains in one process: start it with python, not with torchrun.")
    trainee = Trainee.of(source.folder, config, hardware.device, base.encoder.max_seq_length, seed)
    examples = training_examples(config, splits, base)
    searched = splits.searched("dev") if splits.dev.queries else None
    if trainee.lower is not None:
        # Base and trainee are one model until the first step, so the base's dev vectors cost the upper layers only.
        base_or_trainee = replace(base, encoder=base.encoder.using(trainee.model))
        remember(trainee.lower, examples, searched, base_or_trainee)
    else:
        base_or_trainee = base
    dev = None
    if searched is not None:
        dev = DevSearch.of(base_or_trainee, searched, config.dev_chunks, config.select_by, seed)
    guide, teacher = advisers(config, base, examples)
    report = fine_tune(
        trainee,
        examples,
        config,
        query_prompt=base.encoder.query_prompt,
        document_prompt=base.encoder.document_prompt,
        guide=guide,
        teacher=teacher,
        hardware=hardware,
        seed=seed,
        dev=dev,
        output=folder / "model",
        scratch=scratch,
        log=log,
    )
    if not report["best_epoch"]:
        load_model(source.folder, "cpu").save_pretrained(str(folder / "model"), create_model_card=False)
    # A kept base model shares its vectors.
    fingerprint = (
        file_digest(folder / "model" / "model.safetensors")[:16] if report["best_epoch"] else source.fingerprint
    )
    if dev and report["best_epoch"]:
        dev.keep_best(base, fingerprint)
    recipe = {name: value for name, value in asdict(config).items() if name not in NO_MATTER}
    write_json(folder / "training.json", {**report, "fingerprint": fingerprint, "settings": recipe})


def training_examples(config: TrainingConfig, splits: Splits, base: Embedder) -> list[ChunkExample]:
    """The train questions by chunk: what stands in the batches."""
    train = splits.train
    passages = base.passages(train.corpus)
    questions = vectors = np.zeros((0, 0), np.float32)
    # Whole chunks leave nothing to choose, so they need no vectors.
    if base.retrieval.mode == "windows" or config.negatives:
        questions, vectors = unit(base.query_vectors(train)), unit(base.passage_vectors(passages))
    chooser = window_chooser(train.queries, questions, vectors)
    examples = by_chunk(train, passages, chooser, hidden(splits.sources, config.hide_source))
    if config.negatives:
        examples = with_negatives(
            examples, passages, questions, vectors, train.queries, config.negatives, config.negative_margin
        )
    return examples


def remember(
    lower: LowerLayers, examples: Sequence[ChunkExample], searched: RetrievalDataset | None, base: Embedder
) -> None:
    """Has the frozen layers work out, once, all that training and dev will ask them for."""
    questions = [text for example in examples for text in example.questions]
    passages = [text for example in examples for text in example.passages]
    if searched is not None:
        questions += searched.queries.values()
        passages += base.passages(searched.corpus).texts
    lower.fill(questions, base.encoder.query_prompt)
    lower.fill(passages, base.encoder.document_prompt)


def advisers(
    config: TrainingConfig, base: Embedder, examples: Sequence[ChunkExample]
) -> tuple[Guide | None, Teacher | None]:
    """The guide and the teacher that the loss asks for."""
    if config.loss == "gist":
        if config.guide is None:
            return base.pair_vectors, None
        source = resolve(ModelConfig(name="guide", path=config.guide))
        encoder = Encoder(source.folder, source.fingerprint, device=config.device, batch_size=base.encoder.batch_size)
        return replace(base, encoder=encoder).pair_vectors, None
    if config.loss == "distillation":
        if config.teacher == "fused":
            return None, FusedTeacher(examples, base.pair_vectors)
        return None, CrossEncoderTeacher(Path(config.teacher), pick_device(config.device))
    return None, None
