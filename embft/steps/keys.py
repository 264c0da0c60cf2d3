"""What of the configuration decides each stage's result, and so stands in its key.

A stage's key holds whole config groups. A field is left out only if it stands in `NOT_IN_KEY`, with the reason why it decides
nothing. So a new field is in the key from its first day, and forgetting it is not possible. Tests flip every field, and watch
which fields a real run reads while it builds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from embft.config import ExperimentConfig, FaissConfig, FiltersConfig, HeldBackConfig, QuestionsConfig

GROUPS_IN_KEY: Mapping[str, tuple[str, ...]] = {
    "reading": ("corpus",),
    "corpus": ("corpus",),
    "held_back": ("dataset", "questions"),
    "questions": ("questions",),
    "context": (),
    "context_choice": ("retrieval", "model"),
    "given_corpus": ("dataset",),
    "dataset": ("dataset",),
    "audits": ("retrieval", "model"),
    "training": ("training", "retrieval", "model"),
    "whitening": ("training", "retrieval", "model"),
    "ranking": ("retrieval", "model", "evaluation"),
    "evaluation": ("evaluation",),
    "general": ("evaluation", "retrieval", "model"),
    "judging": ("evaluation",),
    "costs": ("retrieval", "model"),
}
"""By stage: the config groups that its build may read."""

_LABEL = "a name for people"
_CONTENT = "its content is in the key"
_FINGERPRINT = "the weights are in the key by their fingerprint"
_TRANSPORT = "how requests are sent, not what is asked"
_LIMIT = "ends a run, changes no reply"
_BATCH = "how many texts at once: it moves the last bits of a vector alone"
_NOT_READ = "this stage does not read it"
_READING = "the stage reading reads it, whose key is in the key"

_ENDPOINT = {
    **dict.fromkeys(("api_key_env", "batch_size", "concurrency", "timeout_seconds", "max_retries"), _TRANSPORT),
    "price_per_million_tokens": "money, not vectors",
}
_RERANKER = "evaluation.reranker"
_RERANKER_LEFT_OUT = {
    # Folder and hub id stand for weights, which are in the key by their fingerprint.
    **{f"{_RERANKER}.{name}": _FINGERPRINT for name in ("id", "revision", "path")},
    **{
        f"{_RERANKER}.api.{name}": _TRANSPORT
        for name in ("api_key_env", "concurrency", "timeout_seconds", "max_retries")
    },
    **{
        f"{_RERANKER}.api.{name}": "money, not scores"
        for name in ("price_per_thousand_requests", "price_per_million_tokens")
    },
    **{f"{_RERANKER}.api.{name}": _LIMIT for name in ("max_cost_usd", "max_requests")},
}
_RERANKER_READ = (
    *(f"{_RERANKER}.{name}" for name in ("kind", "first", "weight", "max_length")),
    *(f"{_RERANKER}.api.{name}" for name in ("model", "base_url", "batch_size")),
)
_JUDGING = "evaluation.judging"
_JUDGING_ASKED = tuple(
    f"{_JUDGING}.{name}"
    for name in (
        "check", "backend", "model", "base_url", "structured", "temperature", "reply_tokens",
    )
)  # fmt: skip
_JUDGING_LEFT_OUT = {
    **{
        f"{_JUDGING}.{name}": _TRANSPORT
        for name in ("api_key_env", "concurrency", "requests_per_minute", "timeout_seconds", "max_retries")
    },
    **{f"{_JUDGING}.{name}": _LIMIT for name in ("max_cost_usd", "max_tokens")},
    f"{_JUDGING}.prices": "money, not grades",
    f"{_JUDGING}.dry_run": "there is no such stage then",
}
_JUDGES = ("evaluation.judge", f"{_JUDGING}.first", f"{_JUDGING}.relevant_from", *_JUDGING_ASKED, *_JUDGING_LEFT_OUT)
_MODEL = {
    "model.name": _LABEL,
    **{f"model.{name}": _FINGERPRINT for name in ("id", "revision", "path", "package", "package_sha256")},
    **{f"model.endpoint.{name}": reason for name, reason in _ENDPOINT.items()},
}
_RETRIEVAL = {
    "retrieval.name": _LABEL,
    "retrieval.batch_size": _BATCH,
    "retrieval.expand": "the stage evaluation has it in its key by its value",
}
_BM25 = {
    f"retrieval.{name}": _NOT_READ
    for name in ("bm25_k1", "bm25_b", "bm25_window", "bm25_pairs", "fuse", "fusion_metric")
}
_INDEX = {
    f"retrieval.{name}": "vectors are searched exactly here"
    for name in ("index", *(f"faiss.{item.name}" for item in fields(FaissConfig)))
}
_TRAINING = {
    **{f"training.{name}": _LABEL for name in ("name",)},
    "training.enabled": "decides whether there is this stage",
    "training.device": "the device that it means is in the key",
    "training.precision": "the precision that it means is in the key",
    "training.checkpoint_steps": "a training continues as if nothing had happened",
    "training.seeds": "how many trainings there are, not what one is",
    "training.refit": "whether there is one more training, not what one is",
    **_MODEL,
    **_RETRIEVAL,
    **_BM25,
    **_INDEX,
    "retrieval.depth": _NOT_READ,
}

_DATASET = {
    "dataset.name": _LABEL,
    **{f"dataset.{name}": _CONTENT for name in ("train", "dev", "test", "path")},
}

_DOCUMENTS = {
    "corpus.name": _LABEL,
    **{f"corpus.{name}": _CONTENT for name in ("path", "url", "sha256")},
    "corpus.bundled_questions": "the stage questions reads it",
}
_CHUNKING = "the stage corpus reads it"


def _names(kind: Any, prefix: str) -> list[str]:
    """Full names of a dataclass's fields, with those of the dataclasses in it."""
    inner = {"filters": FiltersConfig, "test": HeldBackConfig}
    names: list[str] = []
    for item in fields(kind):
        name = f"{prefix}.{item.name}"
        names += _names(inner[item.name], name) if item.name in inner and kind is QuestionsConfig else [name]
    return names


_HELD_BACK = "the stage held_back reads it"
_GIVEN = {**_DATASET, "dataset.test_from": _HELD_BACK}

NOT_IN_KEY: Mapping[str, Mapping[str, str]] = {
    "reading": {
        **_DOCUMENTS,
        **{f"corpus.{name}": _CHUNKING for name in ("chunk_tokens", "chunk_overlap")},
        "corpus.context": "the stage context reads it",
        "corpus.passage_tokens": _HELD_BACK,
    },
    "corpus": {
        **_DOCUMENTS,
        "corpus.context": "the stage context reads it",
        "corpus.passage_tokens": _HELD_BACK,
        **{
            f"corpus.{name}": _READING
            for name in ("kind", "share", "pdf_reader", "ocr", "drop_boilerplate", "on_error", "language")
        },
    },
    "context": {},
    "context_choice": {
        **_MODEL,
        **_RETRIEVAL,
        **{name: reason for name, reason in _BM25.items() if name != "retrieval.fusion_metric"},
    },
    "questions": {
        "questions.name": _LABEL,
        "questions.human": _HELD_BACK,
        **dict.fromkeys(_names(HeldBackConfig, "questions.test"), _HELD_BACK),
        "questions.api_key_env": _TRANSPORT,
        "questions.prices": "money, not questions",
        "questions.stands_in": "a sentence for people",
        "questions.dry_run": "there is no such stage then",
        "questions.max_cost_usd": _LIMIT,
        "questions.max_tokens": _LIMIT,
        **{
            f"questions.{name}": _TRANSPORT
            for name in ("concurrency", "requests_per_minute", "timeout_seconds", "max_retries", "poll_seconds")
        },
    },
    "held_back": {
        **_DATASET,
        "dataset.test_from": _CONTENT,
        **{f"dataset.{name}": _NOT_READ for name in ("kind", "candidates", "leaks", "train_on")},
        **dict.fromkeys(_names(QuestionsConfig, "questions"), "in the key as settings of who writes these questions"),
    },
    "given_corpus": _GIVEN,
    "dataset": _GIVEN,
    "audits": {**_MODEL, **_RETRIEVAL, **_BM25, **_INDEX, "retrieval.depth": _NOT_READ},
    "training": {**_TRAINING, "training.whitening": "the stage whitening reads it"},
    "whitening": _TRAINING,
    "ranking": {
        **_MODEL,
        **_RETRIEVAL,
        "evaluation.name": _LABEL,
        **{
            f"evaluation.{name}": _NOT_READ
            for name in (
                "metrics",
                "primary",
                "resamples",
                "confidence",
                "precision",
                "margin",
                "weights",
                "relevant_from",
                "general",
                "objective",
            )
        },
        **{f"evaluation.openai.{name}": reason for name, reason in _ENDPOINT.items()},
        **_RERANKER_LEFT_OUT,
        **dict.fromkeys(_JUDGES, _NOT_READ),
    },
    "judging": {
        "evaluation.name": _LABEL,
        "evaluation.judge": _CONTENT,
        **{
            f"evaluation.{name}": _NOT_READ
            for name in (
                "systems",
                "weights",
                "metrics",
                "primary",
                "resamples",
                "confidence",
                "precision",
                "margin",
                "relevant_from",
                "general",
                "objective",
            )
        },
        **{
            f"evaluation.openai.{name}": _NOT_READ
            for name in ("model", "base_url", "query_model", "max_tokens", *_ENDPOINT)
        },
        **dict.fromkeys((*_RERANKER_LEFT_OUT, *_RERANKER_READ), _NOT_READ),
        **_JUDGING_LEFT_OUT,
    },
    "evaluation": {
        "evaluation.name": _LABEL,
        "evaluation.systems": "the rankings are in the key",
        "evaluation.general": _NOT_READ,
        "evaluation.objective": _NOT_READ,
        "evaluation.margin": "the verdict is made anew in each run",
        **{
            f"evaluation.openai.{name}": "the rankings are in the key"
            for name in ("model", "base_url", "query_model", "max_tokens")
        },
        **{f"evaluation.openai.{name}": reason for name, reason in _ENDPOINT.items()},
        **dict.fromkeys((*_RERANKER_LEFT_OUT, *_RERANKER_READ), "the rankings are in the key"),
        "evaluation.judge": "the judgements are in the key",
        **dict.fromkeys((*_JUDGING_ASKED, *_JUDGING_LEFT_OUT), "the judgements are in the key"),
    },
    "general": {
        **_MODEL,
        **_RETRIEVAL,
        **_BM25,
        "evaluation.name": _LABEL,
        "evaluation.general": _CONTENT,
        **{
            f"evaluation.{name}": _NOT_READ
            for name in ("systems", "primary", "precision", "margin", "weights", "objective")
        },
        **{f"evaluation.openai.{name}": _NOT_READ for name in ("model", "base_url", "query_model", "max_tokens")},
        **{f"evaluation.openai.{name}": _NOT_READ for name in _ENDPOINT},
        **dict.fromkeys((*_RERANKER_LEFT_OUT, *_RERANKER_READ), _NOT_READ),
        **dict.fromkeys(_JUDGES, _NOT_READ),
    },
    "costs": {**_MODEL, "retrieval.name": _LABEL, "retrieval.expand": _NOT_READ},
}
"""By stage: the fields of its groups that are not in its key, each with its reason."""


def settings_of(stage: str, config: ExperimentConfig) -> dict[str, object]:
    """The settings in a stage's key: full name to value.

    Raises:
        KeyError: ``NOT_IN_KEY`` names a field that there is not.
    """
    settings = {
        key: value for group in GROUPS_IN_KEY[stage] for key, value in _flat(asdict(getattr(config, group)), group)
    }
    for key in NOT_IN_KEY[stage]:
        del settings[key]
    return settings


def _flat(values: Mapping[str, object], prefix: str) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in values.items():
        rows += _flat(value, f"{prefix}.{name}") if isinstance(value, Mapping) else [(f"{prefix}.{name}", value)]
    return rows
