"""What a cross-encoder's folder holds, looked at before anything is loaded: a model that scores pairs of texts, and no code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from embft.errors import ModelError
from embft.models.folder_check import MODULES, read_object
from embft.models.weight_files import check_weights
from embft.services.body import JsonObject

_KNOWN = frozenset({"Transformer", "LogitScore"})
_TOKENIZERS = (
    "tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model", "spm.model",
)  # fmt: skip
_EXAMPLES = "such as cross-encoder/ms-marco-MiniLM-L6-v2 or BAAI/bge-reranker-v2-m3"


def check_cross_encoder(name: str, folder: Path) -> None:
    """Reads the folder's descriptions.

    Args:
        name: What a person calls the model.
        folder: As sentence-transformers' CrossEncoder saves it, or a transformers folder for sequence classification.

    Raises:
        ModelError: It is no cross-encoder of a kind that embft loads, or it is incomplete or damaged.
    """
    if not (folder / "config.json").is_file():
        raise ModelError(
            f"{folder} holds no cross-encoder: config.json is missing. Give the folder that holds it "
            "(evaluation.reranker.path)."
        )
    modules = _modules(name, folder)
    _check_kind(name, folder, modules)
    config = read_object(name, folder / "config.json")
    for file in (folder / "config.json", folder / "tokenizer_config.json"):
        if file.is_file() and "auto_map" in read_object(name, file):
            raise ModelError(
                f"Cross-encoder {name} wants to run code from its repository (auto_map in {file.name}), which embft never "
                "does. Choose one that transformers carries itself."
            )
    if (folder / "adapter_config.json").is_file():
        raise ModelError(
            f"Cross-encoder {name} is an adapter of another model, whose weights are not here. Merge it into its base model "
            "and give that folder."
        )
    if "quantization_config" in config:
        raise ModelError(
            f"Cross-encoder {name} has quantised weights, which embft does not load. Choose the model it was made of."
        )
    _check_head(name, folder, config, modules)
    _check_activation(name, folder, config)
    check_weights(name, folder)
    if not any((folder / file).is_file() for file in _TOKENIZERS):
        raise ModelError(f"Cross-encoder {name} has no tokenizer ({folder}). Get it from where the model comes from.")


def _modules(name: str, folder: Path) -> list[str]:
    """The kinds of its modules; empty for a transformers folder."""
    file = folder / MODULES
    if not file.is_file():
        return []
    try:
        listed: Any = json.loads(file.read_text(encoding="utf-8"))
        types = [(str(entry["type"]), str(entry["path"])) for entry in listed]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(
            f"Cross-encoder {name} is damaged: {file} is no list of modules. Get its files again."
        ) from error
    for type_, place in types:
        if not type_.startswith("sentence_transformers."):
            raise ModelError(
                f"Cross-encoder {name} has a module of type {type_!r} ({file}): embft runs no code of a model's own."
            )
        if place.startswith(("/", "\\")) or ".." in place or ":" in place:
            raise ModelError(
                f"Cross-encoder {name} names files outside of its folder ({place!r} in {file}): not loaded."
            )
    return [type_.rpartition(".")[2] for type_, _ in types]


def _check_kind(name: str, folder: Path, modules: list[str]) -> None:
    file = folder / "config_sentence_transformers.json"
    # Before there were cross-encoders with modules, these two files stood beside embedding models alone.
    without = "SentenceTransformer" if file.is_file() or modules else "CrossEncoder"
    kind = str(read_object(name, file).get("model_type", without)) if file.is_file() else without
    if "Pooling" in modules or kind == "SentenceTransformer":
        if set(modules) <= _KNOWN and modules and not file.is_file():
            return
        raise ModelError(
            f"{name} is a SentenceTransformer: it embeds one text at a time and scores no pairs. It can be the run's own model "
            f"(model.path, model.id); evaluation.reranker wants a cross-encoder, {_EXAMPLES}, or kind=late."
        )
    if kind != "CrossEncoder":
        raise ModelError(f"{name} is a {kind}, not a cross-encoder. Choose one, {_EXAMPLES}.")
    if strange := sorted(set(modules) - _KNOWN):
        raise ModelError(
            f"Cross-encoder {name} has a module {strange[0]}: embft loads {' and '.join(sorted(_KNOWN))}. Choose another one."
        )


def _check_head(name: str, folder: Path, config: JsonObject, modules: list[str]) -> None:
    heads = config.get("architectures")
    head = str(heads[0]) if isinstance(heads, list) and heads else ""
    if head.endswith("ForCausalLM") and "LogitScore" in modules:
        return
    if not head.endswith("ForSequenceClassification"):
        what = f"a {head}" if head else "of a kind that config.json does not name (architectures)"
        raise ModelError(
            f"{name} is {what}, not a cross-encoder: its folder has no head that scores a pair ({folder / 'config.json'}). "
            f"Choose one, {_EXAMPLES}."
        )
    labels = config.get("num_labels", len(config.get("id2label") or {0: "", 1: ""}))
    if labels != 1:
        raise ModelError(
            f"{name} is a classifier with {labels} labels, not a cross-encoder with one score. Choose one, {_EXAMPLES}."
        )


def _check_activation(name: str, folder: Path, config: JsonObject) -> None:
    own = config.get("sentence_transformers")
    file = folder / "config_sentence_transformers.json"
    named = [
        config.get("sbert_ce_default_activation_function"),
        own.get("activation_fn") if isinstance(own, dict) else None,
        read_object(name, file).get("activation_fn") if file.is_file() else None,
    ]
    for function in filter(None, named):
        if not str(function).startswith("torch.nn.modules."):
            raise ModelError(
                f"Cross-encoder {name} names the activation {function!r}, which is none of PyTorch's. Choose another one."
            )
