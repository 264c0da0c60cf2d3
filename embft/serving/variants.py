"""What other programs make of a model: each a known way to give other vectors than were ranked, with its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from embft.models.encoder import Encoder, encode
from embft.models.kinds import is_static
from embft.models.vectors import Vectors, unit

_LIMITS = (8, 16, 32, 64, 96, 128, 256, 384, 512, 1024, 2048)
_POOLINGS = {
    "cls": "the first token (CLS)",
    "mean": "the mean",
    "max": "the maximum",
    "lasttoken": "the last token",
    "mean_sqrt_len_tokens": "the mean over the root of the length",
    "weightedmean": "the weighted mean",
}
Encode = Callable[[Sequence[str], bool], Vectors]
"""Texts, and whether they are questions, to float32 [n_texts, dim]."""


@dataclass(frozen=True)
class Variant:
    """One way.

    Attributes:
        cause: In a word: ``prompt``, ``pooling``, ``whitening``, ``truncation``.
        words: In a sentence.
        encode: The vectors that it gives.
    """

    cause: str
    words: str
    encode: Encode


def variants(encoder: Encoder) -> Iterator[Variant]:
    """The ways that fit a model, the likelier first; each is made when it is asked for."""
    yield from _prompts(encoder)
    yield from _truncations(encoder)
    yield from _without_layers(encoder)
    yield from _poolings(encoder)


def _prompts(encoder: Encoder) -> Iterator[Variant]:
    query, document = encoder.query_prompt, encoder.document_prompt

    def asking(for_query: str, for_document: str, task: str | None = None) -> Encode:
        def ask(texts: Sequence[str], queries: bool) -> Vectors:
            prompt = for_query if queries else for_document
            way = task or ("query" if queries else "document")
            return encode(encoder.model, texts, prompt, encoder.batch_size, task=way, precision=encoder.precision)

        return ask

    if query or document:
        named = " and ".join(
            f"{prompt!r} before {what}" for prompt, what in ((query, "questions"), (document, "passages")) if prompt
        )
        yield Variant("prompt", f"The prompts are missing: {named}.", asking("", ""))
        if query != document:
            yield Variant(
                "prompt", f"Questions are embedded with the passages' prompt {document!r}.", asking(document, document)
            )
            yield Variant(
                "prompt", f"Passages are embedded with the questions' prompt {query!r}.", asking(query, query)
            )
        doubled = asking(query + query, document + document)
        yield Variant("prompt", "The prompts are put before each text twice: by the server and by its client.", doubled)
    yield Variant(
        "prompt",
        "Questions take the passages' way through the model: its map of questions (the adapter) is left out.",
        asking(query, document, "document"),
    )


def _truncations(encoder: Encoder) -> Iterator[Variant]:
    if is_static(encoder.model):
        return
    own = encoder.model.max_seq_length

    def cut(limit: int) -> Encode:
        def ask(texts: Sequence[str], queries: bool) -> Vectors:
            with _limited(encoder.model, limit):
                return _ask(encoder, texts, queries)

        return ask

    for limit in _LIMITS:
        if own is None or limit < own:
            yield Variant(
                "truncation", f"Texts are cut off after {limit} tokens instead of {own or 'not at all'}.", cut(limit)
            )


@contextmanager
def _limited(model: Any, limit: int) -> Iterator[None]:
    own = model.max_seq_length
    model.max_seq_length = limit
    try:
        yield
    finally:
        model.max_seq_length = own


def _without_layers(encoder: Encoder) -> Iterator[Variant]:
    model = encoder.model
    dense = [name for name, module in model._modules.items() if type(module).__name__ == "Dense"]
    for left_out in ([dense[-1]], dense) if len(dense) > 1 else ([dense] if dense else []):
        layers = "its last layer" if len(left_out) == 1 else f"its {len(left_out)} last layers"

        def ask(texts: Sequence[str], queries: bool, left_out: list[str] = left_out) -> Vectors:
            with _modules_replaced(model, dict.fromkeys(left_out)):
                return unit(_ask(encoder, texts, queries))

        yield Variant("whitening", f"The model is served without {layers} (whitening, or another projection).", ask)


def _poolings(encoder: Encoder) -> Iterator[Variant]:
    from sentence_transformers.sentence_transformer.modules import Pooling

    model = encoder.model
    own = next((name for name, module in model._modules.items() if type(module).__name__ == "Pooling"), None)
    if own is None:
        return
    current = model._modules[own]
    modes = getattr(current, "pooling_mode", None)
    for mode, words in _POOLINGS.items():
        if modes in (mode, [mode], (mode,)):
            continue

        def ask(texts: Sequence[str], queries: bool, mode: str = mode) -> Vectors:
            other = Pooling(model[0].get_embedding_dimension(), mode).to(model.device)
            with _modules_replaced(model, {own: other}):
                return _ask(encoder, texts, queries)

        yield Variant("pooling", f"Tokens are pooled by {words} instead of {modes}.", ask)


@contextmanager
def _modules_replaced(model: Any, others: dict[str, Any]) -> Iterator[None]:
    """A model with modules changed, or left out where there is None."""
    own = dict(model._modules)
    try:
        for name, module in others.items():
            if module is None:
                del model._modules[name]
            else:
                model._modules[name] = module
        yield
    finally:
        model._modules.clear()
        model._modules.update(own)


def _ask(encoder: Encoder, texts: Sequence[str], queries: bool) -> Vectors:
    return encoder.encode_questions(texts) if queries else encoder.encode_passages(texts)


def least_cosine(one: Vectors, other: Vectors) -> float:
    """Over rows; -1 where they have different lengths."""
    if one.shape != other.shape:
        return -1.0
    return float((unit(one) * unit(other)).sum(axis=1, dtype=np.float64).min())
