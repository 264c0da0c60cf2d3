"""Stage ``training``: train questions to a tuned model."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from embft.config import ModelConfig
from embft.config_training import TrainingConfig
from embft.evaluation.metrics import per_question, with_hit_rates
from embft.evaluation.significance import groups_of, standard_error
from embft.models.encoder import Encoder, encode, load_model
from embft.models.hardware import pick_device, pick_precision
from embft.models.source import ModelSource, resolve
from embft.records import Passages, RetrievalDataset, Splits
from embft.retrieval.scoring import dense_scorers, rank, unit
from embft.stages import StageCache, StageResult, file_digest, read_json, write_json
from embft.steps.dataset import Dataset
from embft.steps.embedding import Embedder
from embft.training.batching import Guide, Teacher
from embft.training.examples import ChunkExample, by_chunk, hidden, window_chooser
from embft.training.finetune import Hardware, Log, fine_tune
from embft.training.lower_layers import LowerLayers
from embft.training.negatives import with_negatives
from embft.training.teachers import CrossEncoderTeacher, FusedTeacher
from embft.training.trainee import Trainee

Vectors = npt.NDArray[np.float32]

_DEV_DEPTH = 100
_NO_MATTER = ("checkpoint_steps", "seeds")
"""Settings that change nothing about one training; `tests/training/test_resume.py` says so of checkpoints."""


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
        trainee = Trainee.of(source.folder, config, device, base.encoder.max_seq_length, seed)
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
        recipe = {name: value for name, value in asdict(config).items() if name not in _NO_MATTER}
        write_json(folder / "training.json", {**report, "fingerprint": fingerprint, "settings": recipe})

    def load(folder: Path) -> Tuned:
        report = read_json(folder / "training.json")
        return Tuned(folder / "model", report["fingerprint"], report)

    settings = asdict(config)
    for name in ("name", "enabled", "device", "precision", "merge", *_NO_MATTER):
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
        code=("embft.training", "embft.retrieval", "embft.evaluation.metrics", "embft.steps.training"),
        build=build,
        load=load,
    )


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


@dataclass(frozen=True)
class DevResult:
    """One model's dev search: vectors of questions and passages, means by name, scores by the metric that selects."""

    questions: Vectors
    passages: Vectors
    means: Mapping[str, float]
    scores: npt.NDArray[np.float64]


@dataclass
class DevSearch:
    """The dev evaluation after each epoch.

    It searches what the dev questions search, or in a large corpus the relevant chunks and a random draw of the others,
    so that its cost does not grow without end. (Not the base model's strongest others: that would be a test made of the
    base model's own mistakes.)

    Attributes:
        passages: Of the chunks that are searched.
        query_prompt, document_prompt: Put before each text.
        select_by: The metric that chooses.
        base: What the base model found.
        epochs: What each epoch of this process found.
        best: What the kept epoch found.
    """

    dataset: RetrievalDataset
    passages: Passages
    query_prompt: str
    document_prompt: str
    batch_size: int
    select_by: str
    base: DevResult | None = None
    epochs: list[DevResult] = field(default_factory=list)
    best: DevResult | None = None

    @classmethod
    def of(cls, base: Embedder, dataset: RetrievalDataset, limit: int, select_by: str, seed: int) -> DevSearch:
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
            select_by,
        )
        search.base = search._measure(base.query_vectors(small), base.passage_vectors(passages))
        return search

    @property
    def base_metrics(self) -> Mapping[str, float]:
        """The base model's figures in this search."""
        assert self.base is not None
        return self.base.means

    def metrics(self, model: Any) -> Mapping[str, float]:
        """Embeds with the model as it is now; returns dev metrics by name, ``ndcg@10`` and the like."""
        self.epochs.append(self._search(model))
        return self.epochs[-1].means

    def does_harm(self, model: Any, epoch: int | None) -> bool:
        """Whether the best epoch is below the base model by more than one standard error of their paired difference.

        Epoch 0 stands for election too, but a dev set of 30 questions would throw away real gains by chance if the
        higher mean alone decided: the one-standard-error rule, turned towards what was asked for, a tuned model
        (Breiman et al., "Classification and Regression Trees", 1984, section 3.4.3).
        """
        assert self.base is not None
        self.best = self.epochs[epoch - 1] if epoch is not None else self._search(model)
        differences = self.best.scores - self.base.scores
        groups = groups_of(list(self.dataset.queries), self.dataset.relevant_docs)
        return bool(differences.mean() < -standard_error(differences, groups))

    def keep_best(self, base: Embedder, fingerprint: str) -> None:
        """Puts the vectors of the kept epoch into the cache: the ranking then need not embed them again."""
        assert self.best is not None
        identity = base.encoder.identity_of(fingerprint)
        base.cache.store(identity, self.query_prompt, list(self.dataset.queries.values()), self.best.questions)
        base.cache.store(identity, self.document_prompt, self.passages.texts, self.best.passages)

    def _search(self, model: Any) -> DevResult:
        return self._measure(
            encode(model, list(self.dataset.queries.values()), self.query_prompt, self.batch_size),
            encode(model, self.passages.texts, self.document_prompt, self.batch_size),
        )

    def _measure(self, questions: Vectors, passages: Vectors) -> DevResult:
        scorer = dense_scorers(questions, passages, self.passages)["cosine"]
        question_ids = list(self.dataset.queries)
        ranking = rank(
            scorer, question_ids, self.passages.chunk_ids, system="tuned", score_name="cosine", depth=_DEV_DEPTH
        )
        scores = with_hit_rates(per_question(ranking, self.dataset.relevant_docs, question_ids))
        means = {name: float(values.mean()) for name, values in scores.items()}
        return DevResult(questions, passages, means, scores[self.select_by])
