"""Tunes a query-side adapter: cached vectors in, a map of question vectors out."""

from __future__ import annotations

import shutil
import time

import numpy as np

from embft import typed_json
from embft.files import digest, file_digest
from embft.models.saving import Prompts, save_base
from embft.models.vectors import unit
from embft.records import Splits
from embft.retrieval.embedder import Embedder
from embft.training.adapter import AdapterQuestions, train_adapter
from embft.training.adapter_model import save_adapted
from embft.training.dev_search import DevSearch
from embft.training.examples import window_chooser
from embft.training.finetune import Log
from embft.training.report import TrainingReport
from embft.training.tuning_task import TuningTask


def tune_adapter(task: TuningTask, log: Log) -> None:
    """Trains a map of the base model's question vectors; the task's folder gets ``model`` and ``training.json``."""
    started = time.perf_counter()
    config, splits, base, folder = task.config, task.splits, task.base, task.folder
    examples = adapter_questions(splits, base)
    dev = None
    if splits.dev.queries:
        dev = DevSearch.of(base, splits.searched("dev"), config.dev_chunks, config.select_by, task.seed)
    # A matrix of the model's width: a GPU's start would take longer than the training.
    trained = train_adapter(examples, config, seed=task.seed, dev=dev, log=log)
    fingerprint = base.encoder.fingerprint
    if trained.query_map is None:
        save_base(base.encoder, folder / "model")
    else:
        model = base.encoder.as_module()
        Prompts(base.encoder.query_prompt, base.encoder.document_prompt).put_into(model)
        files = save_adapted(model, trained.query_map, folder / "model")
        fingerprint = digest([fingerprint, *(file_digest(file) for file in files)])
    shutil.rmtree(task.scratch, ignore_errors=True)
    typed_json.save(
        folder / "training.json",
        TrainingReport(
            part=config.part,
            loss=config.loss,
            epochs=trained.epochs,
            best_epoch=trained.best_epoch,
            last_epoch=trained.epochs,
            steps=trained.steps,
            history=trained.history,
            chunks=len({ids[0] for ids in splits.train.relevant_docs.values()}),
            questions=len(examples.questions),
            passages=len(examples.passages),
            device="cpu",
            precision="fp32",
            seconds=round(time.perf_counter() - started, 2),
            query_prompt=base.encoder.query_prompt,
            document_prompt=base.encoder.document_prompt,
            fingerprint=fingerprint,
            settings=task.recipe,
        ),
    )


def adapter_questions(splits: Splits, base: Embedder) -> AdapterQuestions:
    """The train questions with every train passage: whose positive is which, and what is none of its negatives."""
    train = splits.train
    passages = base.passages(train.indexed)
    questions, vectors = base.query_vectors(train), base.passage_vectors(passages)
    choose = window_chooser(train.queries, passages.texts, unit(questions), unit(vectors))
    place = {chunk_id: number for number, chunk_id in enumerate(passages.chunk_ids)}
    starts = [*passages.starts.tolist(), len(passages.texts)]
    windows = {chunk_id: np.arange(starts[number], starts[number + 1]) for chunk_id, number in place.items()}
    ids = list(train.queries)
    return AdapterQuestions(
        questions,
        vectors,
        np.asarray([choose(key, windows[train.relevant_docs[key][0]].tolist()) for key in ids], np.int64),
        [np.concatenate([windows[chunk] for chunk in train.relevant_docs[key]]) for key in ids],
    )
