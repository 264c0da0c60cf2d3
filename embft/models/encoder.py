"""An open embedding model with its prompts: texts in, vectors out, and where its tokens stand in a text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embft.files import digest
from embft.models.hardware import pick_device, pick_precision
from embft.models.kinds import limit_of, marks_in, tokenizer_of
from embft.models.loading import load_model
from embft.progress import progress
from embft.text.tokens import spans_in_blocks

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = npt.NDArray[np.float32]

ON_A_GPU, ELSEWHERE = 256, 32
"""Texts at once: a GPU waits for each batch to be launched, a processor for nothing (benchmarks/results/gpu.md, encode.md)."""


@dataclass(frozen=True)
class Computing:
    """How vectors are worked out.

    Attributes:
        device: ``cpu``, ``cuda``, ``mps`` or ``auto``.
        batch_size: Texts encoded at once; None: `ON_A_GPU` on a GPU, else `ELSEWHERE`.
        precision: ``fp32``, ``bf16``, ``fp16`` or ``auto``.
    """

    device: str = "cpu"
    batch_size: int | None = None
    precision: str = "fp32"

    @property
    def at_once(self) -> int:
        """Texts encoded at once."""
        return self.batch_size or (ON_A_GPU if pick_device(self.device) == "cuda" else ELSEWHERE)


class Encoder:
    """A sentence-transformers model, loaded when its first vector is needed.

    Args:
        folder: The model's folder.
        fingerprint: Hash of its files; part of the key of cached vectors.
        name: What a person calls it: the hub id or the folder.
        query_prompt, document_prompt: Put before each text; None takes the model's own, if it has one.
        max_seq_length: Tokens a text is cut at; None takes the model's own.
        computing: How vectors are worked out.

    Attributes:
        notes: What a reader of its figures should know of the model; sentences (see `embft.models.source.ModelSource`).
    """

    is_paid = False

    def __init__(
        self,
        folder: Path,
        fingerprint: str,
        *,
        name: str = "",
        query_prompt: str | None = None,
        document_prompt: str | None = None,
        max_seq_length: int | None = None,
        computing: Computing | None = None,
    ) -> None:
        self.folder = folder
        self.fingerprint = fingerprint
        self.name = name or folder.name
        self.max_seq_length = max_seq_length
        self.computing = computing or Computing()
        self.notes: tuple[str, ...] = ()
        self._query_prompt = query_prompt
        self._document_prompt = document_prompt

    def __getstate__(self) -> dict[str, object]:
        """Another process loads the model for itself."""
        return {name: value for name, value in self.__dict__.items() if name != "model"}

    @cached_property
    def model(self) -> SentenceTransformer:
        """The model, in evaluation mode."""
        return load_model(self.folder, pick_device(self.device), self.max_seq_length)

    @property
    def device(self) -> str:
        """What computes; may be ``auto``."""
        return self.computing.device

    @property
    def batch_size(self) -> int:
        """Texts encoded at once."""
        return self.computing.at_once

    @cached_property
    def precision(self) -> str:
        """What vectors are worked out in; never ``auto``."""
        wanted = self.computing.precision
        return "fp32" if wanted == "fp32" else pick_precision(wanted, pick_device(self.device))

    @cached_property
    def query_prompt(self) -> str:
        """What stands before every question."""
        return own_prompt(self.model, "query") if self._query_prompt is None else self._query_prompt

    @cached_property
    def document_prompt(self) -> str:
        """What stands before every passage."""
        return own_prompt(self.model, "document") if self._document_prompt is None else self._document_prompt

    @property
    def query_identity(self) -> str:
        """Names the function from question to vector, for the cache of vectors."""
        return self.identity_of(self.fingerprint)

    @property
    def document_identity(self) -> str:
        """Names the function from passage to vector, for the cache of vectors."""
        return self.identity_of(self.fingerprint)

    def identity_of(self, fingerprint: str) -> str:
        """The identity of another model with these settings: the same one, tuned."""
        numbers = "" if self.precision == "fp32" else f":{self.precision}"
        return f"{fingerprint}:{self.max_seq_length or 'own'}{numbers}"

    @property
    def settings(self) -> dict[str, object]:
        """What decides the vectors besides the weights; known without loading the model."""
        return {
            "query_prompt": self._query_prompt,
            "document_prompt": self._document_prompt,
            "max_seq_length": self.max_seq_length,
            "precision": self.precision,
        }

    def tuned(self, folder: Path, fingerprint: str) -> Encoder:
        """An encoder for a tuned copy of this model: same prompts, same limit.

        Args:
            folder: The copy.
            fingerprint: Hash of its weights.
        """
        return Encoder(
            folder,
            fingerprint,
            name=self.name,
            query_prompt=self.query_prompt,
            document_prompt=self.document_prompt,
            max_seq_length=self.max_seq_length,
            computing=self.computing,
        )

    def using(self, model: Any) -> Encoder:
        """This encoder around another object with the same weights: the model that is about to be trained."""
        same = self.tuned(self.folder, self.fingerprint)
        same.__dict__["model"] = model
        return same

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Returns float32 [n_texts, dim], as the model gives them (normalised only if the model does that)."""
        return self.encode_with(self.model, texts, queries=True)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Returns float32 [n_texts, dim], as the model gives them (normalised only if the model does that)."""
        return self.encode_with(self.model, texts, queries=False)

    def encode_with(self, model: Any, texts: Sequence[str], *, queries: bool) -> Vectors:
        """Another model's vectors, made as this one's are: those of a model that is being trained."""
        prompt, task = (self.query_prompt, "query") if queries else (self.document_prompt, "document")
        return encode(model, texts, prompt, self.batch_size, task=task, precision=self.precision)

    def token_spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """Character span of each token of each text by the model's own tokenizer, without special tokens."""
        if not texts:
            return []
        encoded = tokenizer_of(self.model)(
            list(texts), add_special_tokens=False, return_offsets_mapping=True, truncation=False, verbose=False
        )
        spans: list[list[tuple[int, int]]] = encoded["offset_mapping"]
        return spans

    @cached_property
    def tokenizer_identity(self) -> str:
        """Names the function from a text to its tokens: a model and its tuned selves have the same."""
        backend = getattr(tokenizer_of(self.model), "backend_tokenizer", None)
        if backend is None:
            return self.fingerprint
        state = json.loads(backend.to_str())
        return digest({name: value for name, value in state.items() if name not in ("truncation", "padding")})

    def usable_tokens(self) -> int | None:
        """Tokens left for text in one passage: the limit less special tokens and prompt; None without a limit."""
        limit = limit_of(self.model)
        if limit is None:
            return None
        prompt = tokenizer_of(self.model)(self.document_prompt, add_special_tokens=False)["input_ids"]
        return max(8, limit - marks_in(self.model) - len(prompt))

    def read_ends(self, texts: Sequence[str]) -> list[int]:
        """Characters of each passage before it is cut off."""
        limit = self.usable_tokens()
        return [
            len(text) if limit is None or len(spans) <= limit else spans[limit - 1][1]
            for text, spans in zip(texts, spans_in_blocks(self.token_spans, texts), strict=True)
        ]

    def as_module(self) -> SentenceTransformer:
        """The model, loaded anew: it may be changed."""
        return load_model(self.folder, "cpu", self.max_seq_length)


def encode(
    model: Any, texts: Sequence[str], prompt: str, batch_size: int, *, task: str, precision: str = "fp32"
) -> Vectors:
    """Embeds texts with a loaded model; float32 [n_texts, dim].

    Args:
        model: A `SentenceTransformer`.
        texts: Without the prompt.
        prompt: Put before each.
        batch_size: Texts encoded at once.
        task: ``query`` or ``document``: which way they take in a model that has two. Nothing to one that has none.
        precision: ``fp32``, ``bf16`` or ``fp16``, regardless of the training's own format.
    """
    if not texts:
        return np.zeros((0, model.get_embedding_dimension() or 0), np.float32)
    with own_forward(model), computing_in(precision, model.device.type), embedding_progress(model, len(texts)):
        vectors = model.encode(
            list(texts),
            prompt=prompt,
            task=task,
            batch_size=batch_size,
            show_progress_bar=False,
            convert_to_numpy=True,
        )
    return np.asarray(vectors, np.float32)


@contextmanager
def own_forward(model: Any) -> Iterator[None]:
    """Takes off what accelerate puts around the forward pass of a model in training: the training's number format."""
    wrapped = model.__dict__.pop("forward", None)
    try:
        yield
    finally:
        if wrapped is not None:
            model.forward = wrapped


def computing_in(precision: str, device: str) -> AbstractContextManager[Any]:
    """Sets the number format of matrix products, also inside a training with another one."""
    import torch

    half = torch.float16 if precision == "fp16" else torch.bfloat16
    return torch.autocast(device, half, enabled=precision != "fp32")


@contextmanager
def embedding_progress(model: Any, texts: int) -> Iterator[None]:
    """Tells how far a call of ``model.encode`` is, batch by batch."""

    def count(module: Any, args: tuple[Any, ...], output: Any) -> None:
        features = args[0] if args and isinstance(args[0], Mapping) else {}
        # A static model has its texts' tokens one after another, and where each text begins.
        rows = features.get("offsets", features.get("input_ids"))
        if rows is not None:
            work.advance(len(rows))

    with progress("embedding", texts, "texts") as work:
        handle = model[0].register_forward_hook(count)
        try:
            yield
        finally:
            handle.remove()


def own_prompt(model: Any, kind: str) -> str:
    """The prompt that the model's own configuration has for ``query`` or ``document``; empty if none."""
    prompts: dict[str, str] = model.prompts or {}
    names = ("query",) if kind == "query" else ("document", "passage", "corpus")
    return next((prompts[name] for name in names if prompts.get(name)), "")
