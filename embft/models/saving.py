"""A model is saved as it was ranked, or not at all: with its prompts and its limit, readable by others, and tried afresh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from embft.errors import ModelError
from embft.models.encoder import computing_in, encode
from embft.models.kinds import is_multi_vector, limit_of, tokenizer_of
from embft.models.loading import load_model
from embft.models.portable import inputs_of, make_portable
from embft.models.text_encoder import TextEncoder
from embft.models.trial import trial_texts

Vectors = npt.NDArray[np.float32]

_TOLERANCE = 1e-5
"""Of a number of a vector of length 1."""


@dataclass(frozen=True)
class Prompts:
    """What stands before every question and every passage."""

    query: str
    document: str

    @classmethod
    def of(cls, model: Any) -> Prompts:
        """Those that a model was given by `put_into`."""
        return cls(model.prompts.get("query") or "", model.prompts.get("document") or "")

    def put_into(self, model: Any) -> None:
        """Has plain ``encode_query`` and ``encode_document`` use them; other prompts of the model stay."""
        model.prompts = {**model.prompts, "query": self.query, "document": self.document}


@dataclass(frozen=True)
class TrialVectors:
    """What a model makes of a few texts, asked with its own prompts.

    Attributes:
        texts: One batch, short and long.
        queries: Their vectors as questions, float32 [n_texts, dim].
        documents: Their vectors as passages.
    """

    texts: list[str]
    queries: Vectors
    documents: Vectors

    @classmethod
    def of(cls, model: Any, texts: list[str] | None = None, precision: str = "fp32") -> TrialVectors | None:
        """A model's; None of an API in a model's place, which would be paid for them.

        Args:
            model: A `SentenceTransformer`.
            texts: None: `embft.models.trial.trial_texts`.
            precision: What the vectors are worked out in.
        """
        if type(model[0]).__name__ == "EndpointModule":
            return None
        texts = trial_texts(tokenizer_of(model), limit_of(model)) if texts is None else texts
        prompts = Prompts.of(model)
        queries = _trial(model, texts, prompts.query, "query", precision)
        return cls(texts, queries, _trial(model, texts, prompts.document, "document", precision))

    def mapped(self, queries: Callable[[Vectors], Vectors], documents: Callable[[Vectors], Vectors]) -> TrialVectors:
        """The same texts after layers that are put on top of the model."""
        return TrialVectors(self.texts, queries(self.queries), documents(self.documents))


def _trial(model: Any, texts: list[str], prompt: str, task: str, precision: str) -> Vectors:
    """Vectors of texts; those of all their tokens, one after another, where there are none of texts."""
    if not is_multi_vector(model):
        return encode(model, texts, prompt, len(texts), task=task, precision=precision)
    with computing_in(precision, model.device.type):
        rows = model.encode(texts, prompt=prompt, task=task, show_progress_bar=False, convert_to_numpy=True)
    return np.concatenate(rows).astype(np.float32)


def save_model(model: Any, folder: Path, *, attention: str = "auto", precision: str = "fp32") -> None:
    """Saves a model, in the layout that others read, that gives the same vectors when it is loaded again.

    Args:
        model: A `SentenceTransformer` with its prompts (`Prompts.put_into`).
        folder: Gets a sentence-transformers folder.
        attention: As for `load_model`, where it knows half precision alone.
        precision: What vectors are compared in.

    Raises:
        ModelError: The saved model gives other vectors.
    """
    model.eval()
    expected = TrialVectors.of(model, precision=precision)
    save_as_ranked(model, folder, expected, attention=attention, precision=precision)


def save_base(encoder: TextEncoder, folder: Path) -> None:
    """Saves an encoder's own model, untuned, with the prompts that it is used with."""
    model = encoder.as_module()
    Prompts(encoder.query_prompt, encoder.document_prompt).put_into(model)
    save_model(model, folder)


def save_as_ranked(
    model: Any, folder: Path, expected: TrialVectors | None, *, attention: str = "auto", precision: str = "fp32"
) -> None:
    """Saves a model that must give these vectors when it is loaded again; see `save_model`."""
    model.eval()
    model.save_pretrained(str(folder), create_model_card=False)
    if expected is None:
        make_portable(folder)
        return
    if not is_multi_vector(model):  # which no older version knows
        make_portable(folder, inputs_of(model))
    afresh = load_model(folder, model.device.type, attention=attention)
    if Prompts.of(afresh) != Prompts.of(model) or limit_of(afresh) != limit_of(model):
        raise ModelError(f"The model saved in {folder} has lost its prompts or its limit. It is not kept. {_REPORT}")
    vectors = TrialVectors.of(afresh, expected.texts, precision)
    assert vectors is not None
    _compare(vectors.queries, expected.queries, folder)
    _compare(vectors.documents, expected.documents, folder)


_REPORT = "Please report this with the name of the base model."


def _compare(vectors: Vectors, expected: Vectors, folder: Path) -> None:
    if vectors.shape == expected.shape:
        scale = max(1.0, float(np.linalg.norm(expected, axis=1).max()))
        distance = float(np.abs(vectors - expected).max()) / scale
        if distance <= _TOLERANCE:
            return
        message = f"they differ by {distance:.1g}"
    else:
        message = f"they have {vectors.shape[-1]} numbers instead of {expected.shape[-1]}"
    raise ModelError(
        f"The model saved in {folder} gives other vectors than those that were ranked: {message}. It is not kept. {_REPORT}"
    )
