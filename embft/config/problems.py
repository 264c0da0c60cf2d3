"""What is wrong with a configuration: values beyond their limits and combinations that cannot work, all at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from math import isfinite
from typing import Any

from embft.config import (
    OBJECTIVE_METRICS,
    EvaluationConfig,
    ExperimentConfig,
    ModelConfig,
    QuestionsConfig,
    RetrievalConfig,
)
from embft.config.reranking_problems import reranking_problems
from embft.config.scale_problems import scale_problems
from embft.config.tracking_packages import tracking_problems
from embft.config.training import TrainingConfig
from embft.errors import nearest
from embft.services.address import problem_with
from embft.systems import SYSTEM_NAMES
from embft.text.codes import NAMES

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def problems(config: ExperimentConfig) -> list[str]:
    """Returns one sentence for each wrong value and each combination that cannot work."""
    return [*_value_problems(config, ""), *_combination_problems(config)]


def _choices(value: str, choices: Sequence[str]) -> str:
    return f"{nearest(value, choices)} Choices: {', '.join(choices)}."


def _value_problems(node: Any, prefix: str) -> Iterator[str]:
    for item in fields(node):
        value, key, limits = getattr(node, item.name), prefix + item.name, item.metadata
        if is_dataclass(value):
            yield from _value_problems(value, key + ".")
        elif value == "???":
            yield f"{key} is missing."
        elif item.name == "api_key_env" and value and not _VARIABLE.fullmatch(value):
            # Not repeated: it may be the key itself.
            yield f"{key} is not the name of an environment variable: put the key in one, and set {key}=ITS_NAME."
        elif item.name == "base_url" and value and (wrong := problem_with(value)):
            yield f"{key} {wrong}"
        elif "choices" in limits:
            if value not in limits["choices"]:
                yield f"{key}={value} is unknown.{_choices(str(value), limits['choices'])}"
        elif limits and value is not None:
            low, high, above = limits["low"], limits["high"], limits["above"]
            if not isfinite(value):
                yield f"{key}={value} is not a number that can be worked with: a finite one is wanted."
            elif above is not None and not value > above:
                yield f"{key}={value} must be greater than {above:g}."
            elif (low is not None and value < low) or (high is not None and value > high):
                least = above if low is None else low
                bounds = f"at least {low:g}" if high is None else f"between {least:g} and {high:g}"
                yield f"{key}={value} must be {bounds}."


def _combination_problems(config: ExperimentConfig) -> Iterator[str]:
    corpus, questions, dataset = config.corpus, config.questions, config.dataset
    training, retrieval, evaluation = config.training, config.retrieval, config.evaluation
    if dataset.kind == "generated":
        if corpus.kind == "files" and not corpus.path:
            yield "corpus=files needs corpus.path=FILE, a folder or a quoted glob such as 'docs/**/*.md'."
        if corpus.kind == "chunks" and not corpus.path:
            yield "corpus=chunks needs corpus.path=FILE: JSON Lines, CSV or Parquet with an id and a text in each row."
        if questions.per_chunk == 0 and training.enabled:
            yield "questions.per_chunk=0 leaves nothing to train on: set it to 1 or more, or add training=none."
        yield from _question_problems(questions)
        if corpus.context == "llm" and questions.backend == "extractive":
            yield (
                "corpus.context=llm asks the LLM of the group questions, and questions=extractive asks none: choose "
                "questions=openai (questions.per_chunk=0 with questions.human=FILE writes no questions) or local_llm."
            )
        if dataset.dev_fraction + dataset.test_fraction >= 1:
            yield "dataset.dev_fraction + dataset.test_fraction must be below 1, or nothing is left to train on."
        if dataset.split == "article" and corpus.kind == "python_reference":
            yield "dataset.split=article cuts by page number, which python_reference does not have: use dataset.split=blocks."
    if questions.dry_run and dataset.kind != "generated":
        yield f"questions.dry_run=true: dataset={dataset.kind} brings its own questions, there is nothing to estimate."
    if dataset.kind == "llama_index":
        yield from (
            f"dataset=llama_index needs dataset.{name}=FILE."
            for name in ("train", "test")
            if not getattr(dataset, name)
        )
    if dataset.kind == "beir" and corpus.context in {"auto", "headings", "llm"}:
        yield f"corpus.context={corpus.context}: a BEIR folder has titles alone: take title, or none."
    if dataset.kind == "beir" and not dataset.path:
        yield "dataset=beir needs dataset.path=DIR, a folder with corpus.jsonl, queries.jsonl and qrels/."
    if corpus.chunk_overlap >= corpus.chunk_tokens:
        yield f"corpus.chunk_overlap={corpus.chunk_overlap} must be smaller than corpus.chunk_tokens={corpus.chunk_tokens}."
    if retrieval.window_overlap >= retrieval.window_tokens:
        yield (
            f"retrieval.window_overlap={retrieval.window_overlap} must be smaller than "
            f"retrieval.window_tokens={retrieval.window_tokens}."
        )
    yield from tracking_problems(config.tracking)
    yield from _model_problems(config.model, training, retrieval)
    yield from _training_problems(training)
    if retrieval.mode == "late" and training.enabled:
        if training.part == "adapter":
            yield (
                "training.part=adapter maps one vector per question, and retrieval.mode=late has one per token: leave one of "
                "them out."
            )
        if training.whitening:
            yield "training.whitening maps one vector per text, and retrieval.mode=late has one per token: leave it out."
        if training.attention == "flash_attention_2":
            yield (
                "training.attention=flash_attention_2 joins the texts of a batch, and retrieval.mode=late needs the tokens of "
                "each: take sdpa."
            )
    yield from _evaluation_problems(evaluation, training)
    yield from reranking_problems(config)
    yield from scale_problems(config)


def _model_problems(model: ModelConfig, training: TrainingConfig, retrieval: RetrievalConfig) -> Iterator[str]:
    for code in model.language.replace(",", "+").split("+"):
        if code not in NAMES and code != "multi":
            known = _choices(code, ("multi", *NAMES))
            yield f"model.language={model.language}: '{code}' is no language code that embft knows.{known}"
    weights = ("id", "path", "package")
    if model.kind == "weights":
        if not any(getattr(model, name) for name in weights):
            yield "model has neither id, path nor package: choose a model=..., or give model.path=DIR."
        return
    for name in (*weights, "revision", "package_sha256"):
        if getattr(model, name):
            yield f"model.{name} names weights, and model={model.name} is an API: leave one of them out."
    if model.max_seq_length is not None:
        yield "model.max_seq_length is for weights; what an API takes is model.endpoint.max_tokens."
    if retrieval.mode == "late":
        yield f"retrieval.mode=late needs one vector per token, and model={model.name} gives one per text: take windows."
    if retrieval.precision != "fp32":
        yield f"retrieval.precision={retrieval.precision} is for weights; an API decides that itself: leave it out."
    if training.enabled and training.part != "adapter":
        yield (
            f"model={model.name} is an API, whose weights cannot be tuned (training.part={training.part}): add "
            "training=adapter, which maps its question vectors, or training=none evaluation=base_only."
        )


def _training_problems(training: TrainingConfig) -> Iterator[str]:
    if training.symmetric and training.loss == "distillation":
        yield "training.symmetric=true: a teacher has an opinion of passages, not of questions: leave it out."
    if any(width < 1 for width in training.matryoshka):
        yield f"training.matryoshka={training.matryoshka}: lengths of vectors must be at least 1."
    if training.matryoshka and training.whitening:
        yield "training.whitening mixes the numbers of a vector, which training.matryoshka keeps in order: leave one of them out."
    if training.part == "lora" and (training.frozen_share or training.train_embeddings):
        yield "training.part=lora updates all linear layers, nothing else: leave frozen_share and train_embeddings out."
    if training.learn_from == "windows" and training.negatives:
        yield "training.learn_from=windows asks no questions, and training.negatives are mined for questions: leave it out."
    if training.part == "adapter":
        for name, value, normal in (
            ("loss", training.loss, "ranking"), ("symmetric", training.symmetric, False),
            ("matryoshka", list(training.matryoshka), []), ("mini_batch", training.mini_batch, 0),
            ("frozen_share", training.frozen_share, None), ("average", training.average, 0.0),
            ("whitening", training.whitening or None, None),
            ("learn_from", "questions" if training.learn_from == "auto" else training.learn_from, "questions"),
            ("gradient_checkpointing", training.gradient_checkpointing, False), ("negatives", training.negatives, 0),
        ):  # fmt: skip
            if value != normal:
                yield f"training.part=adapter maps question vectors and leaves the model alone: leave out training.{name}."


def _question_problems(questions: QuestionsConfig) -> Iterator[str]:
    low, high = questions.filters.fewest_words, questions.filters.most_words
    if low is not None and high is not None and low > high:
        yield f"questions.filters.fewest_words={low} is more than questions.filters.most_words={high}: no question is left."


def _evaluation_problems(evaluation: EvaluationConfig, training: TrainingConfig) -> Iterator[str]:
    systems = evaluation.systems
    if not systems:
        yield "evaluation.systems is empty."
    for system in systems:
        if system not in SYSTEM_NAMES:
            yield f"evaluation.systems: '{system}' is unknown.{nearest(system, SYSTEM_NAMES)} Choices: {', '.join(SYSTEM_NAMES)}."
    if len(set(systems)) < len(systems):
        yield "evaluation.systems names a system twice."
    for metric in (*evaluation.metrics, evaluation.primary):
        if metric not in OBJECTIVE_METRICS:
            yield f"evaluation metric '{metric}' is unknown.{_choices(metric, OBJECTIVE_METRICS)}"
    if evaluation.primary not in evaluation.metrics:
        yield f"evaluation.primary={evaluation.primary} must be one of evaluation.metrics."
    if not training.enabled and "tuned" in systems:
        yield (
            "training.enabled=false (training=none) leaves no tuned model, and evaluation.systems names no other: leave it out, "
            "or add base."
        )
    system, _, metric = evaluation.objective.partition("/")
    scored = [name for name in systems if name != "tuned" or training.enabled]
    if system not in scored:
        yield (
            f"evaluation.objective={evaluation.objective}: no system '{system}' is evaluated; "
            f"it can be {', '.join(f'{name}/{metric}' for name in scored)}."
        )
    if metric not in OBJECTIVE_METRICS:
        yield f"evaluation.objective={evaluation.objective}: metric '{metric}' is unknown.{_choices(metric, OBJECTIVE_METRICS)}"
