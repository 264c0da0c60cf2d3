"""One fine-tune of weights as every process of a torchrun takes part in it: made in process 0, sent to the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from embft.config import ModelConfig, TrainingConfig
from embft.models.encoder import Computing, Encoder, computing_in
from embft.models.hardware import pick_device
from embft.models.kinds import is_multi_vector
from embft.models.source import resolve
from embft.models.trial import try_model
from embft.models.vectors import Vectors
from embft.records import RetrievalDataset
from embft.retrieval.embedder import Embedder
from embft.retrieval.late_search import late_scores
from embft.retrieval.windows import whole_chunks
from embft.training.batching import Guide, Teacher
from embft.training.examples import ChunkExample
from embft.training.finetune import Dev, FineTuneJob, Hardware, Log, fine_tune
from embft.training.lower_layers import LowerLayers
from embft.training.report import TrainingReport
from embft.training.teachers import CrossEncoderTeacher, FusedTeacher
from embft.training.trainee import Trainee


@dataclass(frozen=True)
class WeightsJob:
    """One fine-tune.

    Attributes:
        config: The recipe.
        hardware: What each process trains on.
        base: The base model.
        examples: The train questions by chunk.
        searched: The dev questions and all that they search; None without any.
        seed: Of batches, dropout, new weights.
        scratch: Keeps checkpoints.
    """

    config: TrainingConfig
    hardware: Hardware
    base: Embedder
    examples: Sequence[ChunkExample]
    searched: RetrievalDataset | None
    seed: int
    scratch: Path

    def fill_lower_layers(self, trainee: Trainee) -> Embedder:
        """Has frozen layers work out, once, all that dev and training will ask them for.

        What dev searches comes as exactly as everything that is searched; the rest as the training itself would have it.

        Returns:
            The base model; around the trainee's object where that has frozen layers.
        """
        if trainee.lower is None:
            return self.base
        base_or_trainee = replace(self.base, encoder=self.base.open_model.using(trainee.model))
        fill = _Filling(trainee.lower, base_or_trainee.open_model)
        if self.searched is not None:
            passages = base_or_trainee.passages(self.searched.indexed).texts
            fill(list(self.searched.queries.values()), passages, base_or_trainee.open_model.precision)
        fill(
            [text for example in self.examples for text in example.questions],
            [text for example in self.examples for text in example.passages],
            self.hardware.precision,
        )
        return base_or_trainee

    def tune(self, trainee: Trainee, dev: Dev | None, output: Path, log: Log) -> TrainingReport | None:
        """See `embft.training.finetune.fine_tune`."""
        guide, teacher = guide_and_teacher(self.config, self.base, self.examples)
        job = FineTuneJob(
            self.config,
            self.hardware,
            query_prompt=self.base.encoder.query_prompt,
            document_prompt=self.base.encoder.document_prompt,
            seed=self.seed,
            output=output,
            scratch=self.scratch,
            guide=guide,
            teacher=teacher,
        )
        return fine_tune(trainee, self.examples, job, dev, log)

    def help(self) -> None:
        """In another process than 0: takes part, and keeps and says nothing."""
        encoder = self.base.open_model
        trainee = Trainee.of(encoder.folder, self.config, self.hardware.device, encoder.max_seq_length, self.seed)
        self.fill_lower_layers(trainee)
        dev = None if self.searched is None else DevInFirstProcess()
        self.tune(trainee, dev, self.scratch / "nothing", lambda figures, step: None)


class DevInFirstProcess:
    """The dev questions in another process than 0: process 0 measures and sends the figures."""

    base_metrics: Mapping[str, float] = {}

    def metrics(self, model: Any) -> Mapping[str, float]:
        """Is not called: see ``SentenceTransformerTrainer.evaluation_loop``."""
        raise NotImplementedError

    def is_below(self, model: Any, epoch: int | None) -> bool:
        """Is not called: `fine_tune` leaves this to process 0."""
        raise NotImplementedError

    def does_harm(self, model: Any, epoch: int | None) -> bool:
        """Is not called: `fine_tune` leaves this to process 0."""
        raise NotImplementedError


@dataclass(frozen=True)
class _Filling:
    """Hands texts to the frozen layers, which remember what they make of them."""

    lower: LowerLayers
    encoder: Encoder

    def __call__(self, questions: Sequence[str], passages: Sequence[str], precision: str) -> None:
        with computing_in(precision, self.encoder.model.device.type):
            self.lower.fill(questions, self.encoder.query_prompt)
            self.lower.fill(passages, self.encoder.document_prompt)


def guide_and_teacher(
    config: TrainingConfig, base: Embedder, examples: Sequence[ChunkExample]
) -> tuple[Guide | None, Teacher | None]:
    """What the loss asks besides the model: a guide, a teacher, or neither."""
    if config.loss == "gist":
        if config.guide is None:
            by_token = is_multi_vector(base.open_model.model)
            return partial(_token_scores, base.open_model) if by_token else base.pair_vectors, None
        source = resolve(ModelConfig(name="guide", path=config.guide))
        encoder = Encoder(
            source.folder,
            source.fingerprint,
            name=source.name,
            computing=Computing(config.device, base.encoder.batch_size, base.open_model.precision),
        )
        try_model(encoder)
        return replace(base, encoder=encoder).pair_vectors, None
    if config.loss == "distillation":
        if config.teacher == "fused":
            return None, FusedTeacher(examples, base.pair_vectors)
        return None, CrossEncoderTeacher(Path(config.teacher), pick_device(config.device))
    return None, None


def _token_scores(encoder: Encoder, questions: Sequence[str], passages: Sequence[str]) -> Vectors:
    """MaxSim of a model that has one vector per token; float32 [Q, P]."""
    corpus = {str(place): text for place, text in enumerate(passages)}
    return late_scores(encoder, encoder.model, questions, whole_chunks(corpus))
