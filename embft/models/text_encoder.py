"""What a run asks of an embedding model, wherever its vectors come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


class TextEncoder(Protocol):
    """Weights that are here (`embft.models.encoder.Encoder`) or an API (`embft.models.embeddings_endpoint.EndpointEncoder`)."""

    @property
    def name(self) -> str:
        """What a person calls it."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What a reader of its figures should know of the model; sentences."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of what decides the vectors besides `settings`: the weights, or which model of which endpoint."""
        ...

    @property
    def settings(self) -> dict[str, Any]:
        """What else decides the vectors; part of the keys of stages."""
        ...

    @property
    def query_identity(self) -> str:
        """Names the function from question to vector, for the cache of vectors."""
        ...

    @property
    def document_identity(self) -> str:
        """Names the function from passage to vector, for the cache of vectors."""
        ...

    @property
    def query_prompt(self) -> str:
        """What stands before every question."""
        ...

    @property
    def document_prompt(self) -> str:
        """What stands before every passage."""
        ...

    @property
    def device(self) -> str:
        """What computes on this machine."""
        ...

    @property
    def batch_size(self) -> int:
        """Texts encoded at once."""
        ...

    @property
    def is_paid(self) -> bool:
        """Whether a text costs money each time: then none is embedded just to see how long it takes."""
        ...

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Returns float32 [n_texts, dim]; the texts come without the prompt."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Returns float32 [n_texts, dim]; the texts come without the prompt."""
        ...

    def token_spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """Character span of each token of each text, without special tokens."""
        ...

    def usable_tokens(self) -> int | None:
        """Tokens of a passage that it reads, without special tokens and prompt; None where it has no limit."""
        ...

    def read_ends(self, texts: Sequence[str]) -> list[int]:
        """How many characters of each passage it reads where that is embedded whole."""
        ...

    def as_module(self) -> Any:
        """A `SentenceTransformer` of its own that gives the same vectors: what an adapter is saved with."""
        ...
