"""What a kind of model cannot do: said in a sentence before any other work, as soon as its folder is known."""

from __future__ import annotations

from collections.abc import Iterator

from embft.config import ExperimentConfig
from embft.config.training import TrainingConfig
from embft.errors import ModelError
from embft.models.kinds import MULTI_VECTOR, STATIC


def check_fit(name: str, kind: str, config: ExperimentConfig) -> None:
    """Compares the settings of a run with its base model.

    Args:
        name: What a person calls the model.
        kind: See `embft.models.kinds`.
        config: All settings.

    Raises:
        ModelError: They ask for something that such a model does not have; all of it, a sentence each.
    """
    if sentences := list(_misfits(name, kind, config)):
        raise ModelError("\n".join(sentences))


def _misfits(name: str, kind: str, config: ExperimentConfig) -> Iterator[str]:
    late = config.retrieval.mode == "late"
    if kind == STATIC:
        alike = f"Model {name} is a static table, in which a token has one vector wherever it stands:"
        if late:
            yield f"{alike} retrieval=late needs a transformer, take retrieval=windows."
        if "reranked" in config.evaluation.systems and config.evaluation.reranker.kind == "late":
            yield f"{alike} evaluation.reranker.kind=late needs a transformer, take a cross-encoder."
        if config.training.enabled:
            yield from _without_layers(name, config.training)
    if kind == MULTI_VECTOR:
        if not late:
            yield (
                f"Model {name} is a MultiVectorEncoder, which has one vector per token and none of a text: add retrieval=late "
                f"(it is {config.retrieval.mode})."
            )
        if config.training.enabled:
            yield from _without_vectors(name, config.training)


def _without_layers(name: str, training: TrainingConfig) -> Iterator[str]:
    table = f"Model {name} is a static table, which has no"
    if training.part == "lora":
        yield f"{table} linear layers, and training.part=lora updates those alone: take training=static."
    if training.frozen_share:
        yield f"{table} layers to freeze: leave out training.frozen_share={training.frozen_share:g}, or take training=static."
    if training.attention != "auto":
        yield f"{table} attention: leave out training.attention={training.attention}."
    if training.gradient_checkpointing:
        yield f"{table} layers whose activations take memory: leave out training.gradient_checkpointing."
    if training.compile:
        yield f"{table} transformer to compile: leave out training.compile."


def _without_vectors(name: str, training: TrainingConfig) -> Iterator[str]:
    tokens = f"Model {name} is a MultiVectorEncoder, which has one vector per token and none of a text:"
    if training.part == "adapter":
        yield f"{tokens} training.part=adapter maps those of texts, take another recipe."
    if training.negatives:
        yield f"{tokens} training.negatives are mined by those of texts, leave it out."
    if training.loss == "distillation" and training.teacher == "fused":
        yield f"{tokens} training.teacher=fused asks for those of texts, give the folder of a cross-encoder."
    if training.loss == "gist" and training.guide is not None:
        yield f"{tokens} the guide of training.loss=gist is the base model itself here, leave out training.guide."
