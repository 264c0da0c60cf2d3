"""A model on trial before any other work: are its weights all there, does it tell texts apart, are its numbers numbers?

transformers fills weights that it does not find with random numbers and continues. So a folder with renamed or missing weights
would run as a model, and be measured.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from embft.damaged import make_folder, remove
from embft.errors import ModelError
from embft.files import digest, read_json, write_json
from embft.models.encoder import Encoder, encode
from embft.models.kinds import is_multi_vector, is_static, limit_of, tokenizer_of
from embft.models.loading import one_line, quiet

logger = logging.getLogger(__name__)

_AGAIN = "Get the model's files again."
_WORDS = 12
_ANY = ("a", "loop", "is", "left", "early", "1", "2", "3")
"""Words for a tokenizer without any: one of bytes or characters knows them all the same."""
_EQUAL = 1e-5
"""Vectors that differ by less than this share of their size are one vector."""
_LIBRARIES = ("sentence-transformers", "transformers", "tokenizers")


def try_once(encoder: Encoder, folder: Path) -> None:
    """Tries a model that was not tried before; what passed is remembered by its fingerprint.

    Args:
        encoder: The model.
        folder: Where that is remembered.

    Raises:
        ModelError: See `try_model`.
    """
    versions = [version(library) for library in _LIBRARIES]
    passed = folder / f"{digest([encoder.fingerprint, encoder.max_seq_length, versions])}.json"
    if os.path.lexists(passed):
        with suppress(OSError, ValueError, LookupError, TypeError):
            if read_json(passed)["fingerprint"] == encoder.fingerprint:
                return
        logger.warning("%s is damaged: %s is tried again.", passed, encoder.name)
    try_model(encoder)
    make_folder(folder, folder.parent)
    if passed.is_dir():
        remove(passed)
    write_json(passed, {"model": encoder.name, "fingerprint": encoder.fingerprint})


def try_model(encoder: Encoder) -> None:
    """Loads a model and embeds a few texts.

    Raises:
        ModelError: Weights are missing, left over or not finite, tokenizer and weights do not belong together, or vectors
            are not finite, zero, or the same for different texts.
    """
    model = encoder.model
    with quiet():
        _try(encoder, model)


def _try(encoder: Encoder, model: Any) -> None:
    _check_vocabulary(encoder.name, model)
    for name, weight in model.named_parameters():
        if not bool(weight.isfinite().all()):
            raise ModelError(
                f"The weights of {encoder.name} are damaged: {name} holds numbers that are not finite. {_AGAIN}"
            )
    if not is_static(model):  # a table without its weights is not loaded at all
        _check_complete(encoder.name, model, encoder.folder)
    texts = trial_texts(tokenizer_of(model), limit_of(model))
    _check_vectors(encoder.name, texts, _vectors(encoder.name, model, texts))


def trial_texts(tokenizer: Any, limit: int | None) -> list[str]:
    """Texts of words that a tokenizer knows: short ones, and one that is longer than a model reads.

    Args:
        tokenizer: The model's.
        limit: Tokens that the model reads.
    """
    special = set(tokenizer.all_special_ids)
    words = []
    for token, number in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1]):
        # A first piece of a word, whichever sign the tokenizer has for that.
        word = token.lstrip("▁Ġ")
        if number not in special and word.isalnum() and len(word) < 20:
            words.append(word)
    chosen = words[:: max(1, len(words) // _WORDS)][:_WORDS]
    chosen = chosen if len(chosen) > 1 else [*chosen, *_ANY]
    short = [" ".join(chosen[start : start + length]) for start, length in ((0, 1), (1, 3), (4, 8))]
    longest = min(limit or 512, 512) + 8
    return [text for text in [*short, " ".join((chosen * longest)[:longest])] if text]


def _vectors(name: str, model: Any, texts: Sequence[str]) -> Any:
    try:
        if is_multi_vector(model):
            rows = model.encode(list(texts), task="document", show_progress_bar=False, convert_to_numpy=True)
            return np.stack([row.mean(axis=0) for row in rows])
        return encode(model, texts, "", 32, task="document")
    except Exception as error:  # any error of its modules when they run together
        raise ModelError(
            f"Model {name} cannot embed a text: {one_line(error)}. Its modules and its tokenizer do not fit together. {_AGAIN}"
        ) from error


def _check_vocabulary(name: str, model: Any) -> None:
    tokenizer = tokenizer_of(model)
    if not callable(getattr(tokenizer, "get_vocab", None)) or not getattr(tokenizer, "is_fast", False):
        raise ModelError(
            f"Model {name} has no fast tokenizer (tokenizer.json), which says where a token stands in a text."
        )
    vocabulary = tokenizer.get_vocab()
    added = set(tokenizer.get_added_vocab())
    highest = max((number for token, number in vocabulary.items() if token not in added), default=-1)
    table = model[0].embedding if is_static(model) else model[0].auto_model.get_input_embeddings()
    rows = table.num_embeddings
    if highest >= rows:
        raise ModelError(
            f"Tokenizer and weights of {name} do not belong together: tokens are numbered up to {highest}, the weights know "
            f"{rows}. Get both from the same place."
        )
    # Words one by one: unknown ones differ in nothing, texts of them still in their number.
    words = trial_texts(tokenizer, 16)[-1].split()
    if len({tuple(tokenizer(word, verbose=False)["input_ids"]) for word in words}) < 2:
        raise ModelError(
            f"The tokenizer of {name} cannot tell words apart (it knows {len(vocabulary)} tokens). Get it from where the model "
            "comes from."
        )


def _check_complete(name: str, model: Any, folder: Path) -> None:
    """Which weights were not found, and which found no place."""
    transformer = model[0].auto_model
    place = next((Path(path) for path in [getattr(transformer, "name_or_path", "")] if path), folder)
    try:
        _, report = type(transformer).from_pretrained(
            place if place.is_dir() else folder, local_files_only=True, use_safetensors=True, output_loading_info=True,
            device_map="meta",
        )  # fmt: skip
    except Exception as error:
        raise ModelError(f"The weights of {name} cannot be read: {one_line(error)}") from error
    missing = _used(model, sorted(report["missing_keys"]))
    spare = sorted(report["unexpected_keys"])
    if missing:
        instead = f" The files have {_some(spare)}, for which the model has no place." if spare else ""
        raise ModelError(
            f"Weights of {name} are missing: {_some(missing)}. They would be random numbers.{instead} {_AGAIN}"
        )
    shapes = {_numberless(key) for key in transformer.state_dict()}
    prefix = f"{transformer.base_model_prefix}."
    left_out = [key for key in spare if _numberless(key.removeprefix(prefix)) in shapes]
    if left_out:
        raise ModelError(
            f"config.json of {name} makes less of the model than its files hold: no place for {_some(left_out)}. "
            f"{_AGAIN}"
        )


def _numberless(key: str) -> str:
    return re.sub(r"\.\d+\.", ".N.", key)


def _used(model: Any, missing: Sequence[str]) -> list[str]:
    """Of missing weights those that a text's vector depends on: many models come without a pooler, which is not used."""
    import torch

    if not missing:
        return []
    parameters = dict(model[0].auto_model.named_parameters())
    known = [name for name in missing if name in parameters]
    with torch.enable_grad():
        features = model.preprocess(trial_texts(model.tokenizer, 16)[:1])
        features = {key: value.to(model.device) if hasattr(value, "to") else value for key, value in features.items()}
        total = model(features)["token_embeddings" if is_multi_vector(model) else "sentence_embedding"].sum()
        slopes = torch.autograd.grad(total, [parameters[name] for name in known], allow_unused=True) if known else ()
    unused = {name for name, slope in zip(known, slopes, strict=True) if slope is None}
    return [name for name in missing if name not in unused]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def _check_vectors(name: str, texts: Sequence[str], vectors: Any) -> None:
    if vectors.ndim != 2 or len(vectors) != len(texts) or not vectors.shape[1]:
        raise ModelError(f"Model {name} does not give one vector per text. Choose an embedding model.")
    if not np.isfinite(vectors).all():
        raise ModelError(f"Model {name} gives vectors with numbers that are not finite. {_AGAIN}")
    sizes = np.abs(vectors).max(axis=1)
    if not sizes.all():
        raise ModelError(f"Model {name} gives a text the zero vector. {_AGAIN}")
    if np.abs(vectors - vectors[0]).max() <= _EQUAL * sizes.max():
        raise ModelError(f"Model {name} gives different texts the same vector. {_AGAIN}")
