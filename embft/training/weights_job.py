"""What one fine-tune needs besides the base model: made once, and sent to the processes that help with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from embft.config import ModelConfig
from embft.config.training import TrainingConfig
from embft.models.encoder import Encoder, computing_in
from embft.models.hardware import pick_device
from embft.models.source import resolve
from embft.records import RetrievalDataset
from embft.retrieval.embedder import Embedder
from embft.training.batching import Guide, Teacher
from embft.training.examples import ChunkExample
from embft.training.finetune import Dev, Hardware, Log, fine_tune
from embft.training.lower_layers import LowerLayers
from embft.training.teachers import CrossEncoderTeacher, FusedTeacher
from embft.training.trainee import Trainee


@dataclass(frozen=True)
class TrainingJob:
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

    def remember(self, trainee: Trainee) -> Embedder:
        """Lets frozen layers work out what they will be asked; returns the base model, the trainee's object if it can be."""
        if trainee.lower is None:
            return self.base
        base_or_trainee = replace(self.base, encoder=self.base.open_model.using(trainee.model))
        remember(trainee.lower, self.examples, self.searched, base_or_trainee, self.hardware.precision)
        return base_or_trainee

    def tune(self, trainee: Trainee, dev: Dev | None, output: Path, log: Log) -> dict[str, Any]:
        """See `embft.training.finetune.fine_tune`."""
        guide, teacher = advisers(self.config, self.base, self.examples)
        return fine_tune(
            trainee,
            self.examples,
            self.config,
            query_prompt=self.base.encoder.query_prompt,
            document_prompt=self.base.encoder.document_prompt,
            guide=guide,
            teacher=teacher,
            hardware=self.hardware,
            seed=self.seed,
            dev=dev,
            output=output,
            scratch=self.scratch,
            log=log,
        )

    def help(self) -> None:
        """In another process than 0: takes part, and keeps and says nothing."""
        encoder = self.base.open_model
        trainee = Trainee.of(encoder.folder, self.config, self.hardware.device, encoder.max_seq_length, self.seed)
        self.remember(trainee)
        dev = None if self.searched is None else Elsewhere()
        self.tune(trainee, dev, self.scratch / "nothing", lambda figures, step: None)


class Elsewhere:
    """The dev questions in another process than 0, which gets the figures from there."""

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


def remember(
    lower: LowerLayers,
    examples: Sequence[ChunkExample],
    searched: RetrievalDataset | None,
    base: Embedder,
    precision: str,
) -> None:
    """Has the frozen layers work out, once, all that dev and training will ask them for.

    What dev searches comes as exactly as everything that is searched; the rest as the training itself would have it.
    """
    encoder = base.open_model

    def fill(questions: Sequence[str], passages: Sequence[str], precision: str) -> None:
        with computing_in(precision, encoder.model.device.type):
            lower.fill(questions, encoder.query_prompt)
            lower.fill(passages, encoder.document_prompt)

    if searched is not None:
        fill(list(searched.queries.values()), base.passages(searched.corpus).texts, encoder.precision)
    fill(
        [text for example in examples for text in example.questions],
        [text for example in examples for text in example.passages],
        precision,
    )


def advisers(
    config: TrainingConfig, base: Embedder, examples: Sequence[ChunkExample]
) -> tuple[Guide | None, Teacher | None]:
    """The guide and the teacher that the loss asks for."""
    if config.loss == "gist":
        if config.guide is None:
            return base.pair_vectors, None
        source = resolve(ModelConfig(name="guide", path=config.guide))
        encoder = Encoder(
            source.folder,
            source.fingerprint,
            device=config.device,
            batch_size=base.encoder.batch_size,
            precision=base.open_model.precision,
        )
        return replace(base, encoder=encoder).pair_vectors, None
    if config.loss == "distillation":
        if config.teacher == "fused":
            return None, FusedTeacher(examples, base.pair_vectors)
        return None, CrossEncoderTeacher(Path(config.teacher), pick_device(config.device))
    return None, None
