"""Stage ``training``: train questions to a tuned model."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from embft.config import TrainingConfig
from embft.evaluation.metrics import mean_metrics
from embft.models.encoder import encode
from embft.models.hardware import pick_device, pick_precision
from embft.models.source import ModelSource
from embft.records import Passages, RetrievalDataset
from embft.retrieval.scoring import dense_scorers, rank, unit
from embft.stages import StageCache, StageResult, file_digest, read_json, write_json
from embft.steps.dataset import Dataset
from embft.steps.embedding import Embedder
from embft.training.examples import by_chunk, hidden, window_chooser
from embft.training.finetune import Hardware, Log, fine_tune

Vectors = npt.NDArray[np.float32]

_DEV_DEPTH = 100


@dataclass(frozen=True)
class Tuned:
    """What the stage gives.

    Attributes:
        folder: The tuned model; loads with ``SentenceTransformer(folder)``.
        fingerprint: Hash of its weights.
        report: Recipe, history, best epoch, seconds.
    """

    folder: Path
    fingerprint: str
    report: dict[str, Any]


def tune_model(
    stages: StageCache,
    config: TrainingConfig,
    dataset: StageResult[Dataset],
    source: ModelSource,
    base: Embedder,
    seed: int,
    log: Log,
) -> StageResult[Tuned]:
    """Tunes the base model on the train questions, keeping the epoch that is best on dev."""
    device = pick_device(config.device)
    hardware = Hardware(device, pick_precision(config.precision, device))
    splits = dataset.value.splits

    def build(folder: Path, scratch: Path) -> None:
        passages = base.passages(splits.train.corpus)
        chooser = window_chooser(
            splits.train.queries,
            unit(base.query_vectors(splits.train)),
            # Whole chunks leave nothing to choose, so they need no vectors.
            unit(base.passage_vectors(passages)) if base.retrieval.mode == "windows" else np.zeros((0, 0), np.float32),
        )
        dev = DevSearch.of(base, splits.searched("dev"), config.dev_chunks, seed) if splits.dev.queries else None
        report = fine_tune(
            source.folder,
            by_chunk(splits.train, passages, chooser, hidden(splits.sources, config.hide_source)),
            config,
            query_prompt=base.encoder.query_prompt,
            document_prompt=base.encoder.document_prompt,
            max_seq_length=base.encoder.max_seq_length,
            hardware=hardware,
            seed=seed,
            evaluate=dev.metrics if dev else None,
            base_metrics=dev.base_metrics if dev else {},
            output=folder / "model",
            scratch=scratch,
            log=log,
        )
        # A kept base model shares its vectors.
        fingerprint = (
            file_digest(folder / "model" / "model.safetensors")[:16] if report["best_epoch"] else source.fingerprint
        )
        if dev:
            dev.keep_best(base, fingerprint, report)
        write_json(folder / "training.json", {**report, "fingerprint": fingerprint, "settings": asdict(config)})

    def load(folder: Path) -> Tuned:
        report = read_json(folder / "training.json")
        return Tuned(folder / "model", report["fingerprint"], report)

    settings = asdict(config)
    for name in ("name", "enabled", "device", "precision"):
        settings.pop(name)
    retrieval = base.retrieval
    return stages.run(
        "training",
        settings={
            **settings,
            **asdict(hardware),
            "seed": seed,
            "mode": retrieval.mode,
            "windows": [retrieval.window_tokens, retrieval.window_overlap] if retrieval.mode == "windows" else None,
            **base.encoder.settings,
        },
        inputs=[dataset.key, source.fingerprint],
        code=("embft.training", "embft.retrieval.windows", "embft.steps.training"),
        build=build,
        load=load,
    )


@dataclass
class DevSearch:
    """The dev evaluation after each epoch.

    It searches what the dev questions search, or in a large corpus the relevant chunks and a random draw of the others,
    so that its cost does not grow without end. (Not the base model's strongest others: that would be a test made of the
    base model's own mistakes.)

    Attributes:
        passages: Of the chunks that are searched.
        query_prompt, document_prompt: Put before each text.
        base_metrics: The base model's figures in this search.
        evaluations: Vectors of questions and passages at each evaluation of this process.
    """

    dataset: RetrievalDataset
    passages: Passages
    query_prompt: str
    document_prompt: str
    batch_size: int
    base_metrics: Mapping[str, float]
    evaluations: list[tuple[Vectors, Vectors]]

    @classmethod
    def of(cls, base: Embedder, dataset: RetrievalDataset, limit: int, seed: int) -> DevSearch:
        """Chooses the chunks that are searched."""
        chosen = {chunk_id for ids in dataset.relevant_docs.values() for chunk_id in ids}
        others = [key for key in dataset.corpus if key not in chosen]
        random.Random(seed).shuffle(others)
        chosen.update(others[: max(0, limit - len(chosen))])
        corpus = {key: text for key, text in dataset.corpus.items() if key in chosen}
        small = RetrievalDataset(dataset.queries, corpus, dataset.relevant_docs)
        passages = base.passages(corpus)
        search = cls(
            small,
            passages,
            base.encoder.query_prompt,
            base.encoder.document_prompt,
            base.encoder.batch_size,
            {},
            [],
        )
        search.base_metrics = search._measure(base.query_vectors(small), base.passage_vectors(passages))
        return search

    def metrics(self, model: Any) -> dict[str, float]:
        """Embeds with the model as it is now; returns dev metrics by name, ``ndcg@10`` and the like."""
        questions = encode(model, list(self.dataset.queries.values()), self.query_prompt, self.batch_size)
        passages = encode(model, self.passages.texts, self.document_prompt, self.batch_size)
        self.evaluations.append((questions, passages))
        return self._measure(questions, passages)

    def keep_best(self, base: Embedder, fingerprint: str, report: Mapping[str, Any]) -> None:
        """Puts the vectors of the epoch that was kept into the cache: the ranking then need not embed them again.

        A training that was resumed lacks the earlier epochs' vectors; then nothing is kept.
        """
        if report["resumed"] or report["best_epoch"] == 0:
            return
        questions, passages = self.evaluations[report["best_epoch"] - 1]
        identity = base.encoder.identity_of(fingerprint)
        base.cache.store(identity, self.query_prompt, list(self.dataset.queries.values()), questions)
        base.cache.store(identity, self.document_prompt, self.passages.texts, passages)

    def _measure(self, questions: Vectors, passages: Vectors) -> dict[str, float]:
        scorer = dense_scorers(questions, passages, self.passages)["cosine"]
        question_ids = list(self.dataset.queries)
        ranking = rank(
            scorer, question_ids, self.passages.chunk_ids, system="tuned", score_name="cosine", depth=_DEV_DEPTH
        )
        return mean_metrics(ranking, self.dataset.relevant_docs, question_ids)
