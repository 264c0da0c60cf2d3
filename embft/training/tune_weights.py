"""Tunes a model's weights: its examples, guide, teacher and dev search, and what the stage's folder gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from embft import typed_json
from embft.config.training import TrainingConfig
from embft.errors import TrainingError
from embft.files import digest, file_digest
from embft.models.kinds import is_multi_vector
from embft.models.saving import save_base
from embft.models.vectors import unit
from embft.records import Passages, Splits
from embft.retrieval.embedder import Embedder
from embft.retrieval.windows import cut_windows
from embft.training.dev_search import DevSearch
from embft.training.examples import ChunkExample, by_chunk, drawn, hidden, window_chooser, window_pairs
from embft.training.finetune import Log
from embft.training.negatives import with_negatives
from embft.training.processes import with_helpers
from embft.training.trainee import Trainee
from embft.training.tuning_task import TuningTask
from embft.training.weights_job import WeightsJob


def tune_weights(task: TuningTask, log: Log) -> None:
    """Tunes the base model, whole or in part; the task's folder gets ``model`` and ``training.json``."""
    base, splits, folder = task.base, task.splits, task.folder
    config = replace(task.config, frozen_share=_frozen_share(task.config, base))
    task = replace(task, config=config)
    open_model, device = base.open_model, task.hardware.device
    trainee = Trainee.of(open_model.folder, config, device, open_model.max_seq_length, task.seed)
    learned_from, examples = training_examples(config, splits, base, task.seed)
    searched = splits.searched("dev") if splits.dev.queries else None
    job = WeightsJob(config, task.hardware, base, examples, searched, task.seed, task.scratch)
    with with_helpers(job.help, device):
        # Base and trainee are one model until the first step, so where frozen layers are remembered the base's dev vectors
        # cost the upper layers only.
        base_or_trainee = job.fill_lower_layers(trainee)
        dev = None
        if searched is not None:
            dev = DevSearch.of(base_or_trainee, searched, config.dev_chunks, config.select_by, task.seed)
        report = job.tune(trainee, dev, folder / "model", log)
    assert report is not None  # this is process 0
    if report.kept_base:
        save_base(base.encoder, folder / "model")
        fingerprint = base.encoder.fingerprint  # a kept base model shares its vectors
    else:
        fingerprint = _weights_digest(folder / "model")
        if dev:
            dev.keep_best(base, fingerprint)
    report = replace(report, learned_from=learned_from, fingerprint=fingerprint, settings=task.recipe)
    typed_json.save(folder / "training.json", report)


def _weights_digest(folder: Path) -> str:
    """Of the transformer's weights; of all files of weights where it is not alone in being trained, or there is none."""
    whole = folder / "model.safetensors"
    if whole.is_file():
        return file_digest(whole)[:16]
    return digest([file_digest(file) for file in sorted(folder.rglob("*.safetensors"))])


def _frozen_share(config: TrainingConfig, base: Embedder) -> float:
    """What ``frozen_share=null`` stands for.

    In cross-validation on the 10-K training all layers was best with windows. Of truncated chunks most is unseen, and half of
    the layers gain their .04 of nDCG@10 in less than two thirds of the time (docs/decisions.md).
    """
    if config.frozen_share is not None:
        return config.frozen_share
    return 0.5 if base.retrieval.mode == "truncate" and not config.train_embeddings else 0.0


def _positives(config: TrainingConfig, corpus: Mapping[str, str], base: Embedder) -> Passages:
    """What is trained on: what is searched, or of truncated chunks, where that is asked for, also what is cut off.

    A beginning does not answer a question about text that is cut off. But it is what will be searched: on web pages that all
    begin with a menu the model must learn to tell menus apart (docs/decisions.md).
    """
    limit = base.encoder.usable_tokens()
    if base.retrieval.mode != "truncate" or config.positives == "beginning" or limit is None:
        return base.passages(corpus)
    return cut_windows(corpus, base.encoder.token_spans, limit, min(base.retrieval.window_overlap, limit - 1))


def training_examples(
    config: TrainingConfig, splits: Splits, base: Embedder, seed: int
) -> tuple[str, list[ChunkExample]]:
    """What stands in the batches, by chunk; first what it is made of, ``questions`` or ``windows``.

    Args:
        seed: Decides which chunks are drawn, where windows are learned from and there are more than ``window_chunks``.
    """
    train = splits.train
    cut_out = bool(splits.sources) and all(key in splits.sources for key in train.queries)
    if config.learn_from == "windows" or (config.learn_from == "auto" and cut_out and not config.negatives):
        pairs = window_pairs(base.windows(train.indexed), train.contexts)
        # Chunks that are hardly longer than a window have no neighbours to ask for.
        if config.learn_from == "windows" or 2 * len(pairs) >= len(train.corpus):
            if len(pairs) < 2:
                raise TrainingError(
                    f"training.learn_from=windows needs chunks longer than a window, {len(pairs)} of {len(train.corpus)} are: "
                    f"lower retrieval.window_tokens ({base.retrieval.window_tokens}), or learn_from=questions."
                )
            return "windows", drawn(pairs, config.window_chunks, seed)
    passages = _positives(config, train.indexed, base)
    questions = vectors = None
    # The few windows of a truncated chunk are distinguished by words alone: embedding all of them would cost half the training.
    # A model of token vectors has none of whole texts.
    one_vector = not is_multi_vector(base.open_model.model)
    if one_vector and (base.retrieval.mode != "truncate" or config.negatives):
        questions, vectors = unit(base.query_vectors(train)), unit(base.passage_vectors(passages))
    chooser = window_chooser(train.queries, passages.texts, questions, vectors)
    examples = by_chunk(train, passages, chooser, hidden(splits.sources, config.hide_source))
    if config.negatives and questions is not None and vectors is not None:
        examples = with_negatives(
            examples, passages, questions, vectors, train.queries, config.negatives, config.negative_margin
        )
    return "questions", examples
