"""Embeddings from any OpenAI-compatible endpoint: OpenAI, Azure, vLLM, Ollama, llama.cpp, text-embeddings-inference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from embft.config import EndpointConfig
from embft.files import digest
from embft.models.embeddings_service import EmbeddingsService, longest_input
from embft.text import tokens

Vectors = npt.NDArray[np.float32]

_LONGEST_TOKEN = 10
"""Characters of a model-independent token: nine letters and a space."""


class EndpointEncoder:
    """Embeds texts over HTTP. The key's value is read from the environment, and kept by the client alone.

    Args:
        config: Endpoint, model, and the name of the key's variable.
        setting: Where ``config`` stands, for what is said when something is wrong with it.
        query_prompt, document_prompt: Put before each text.
    """

    is_paid = True
    notes: Sequence[str] = ()
    device = "cpu"  # a map of question vectors and the search are all that is computed here

    def __init__(
        self,
        config: EndpointConfig,
        *,
        setting: str = "evaluation.openai",
        query_prompt: str = "",
        document_prompt: str = "",
    ) -> None:
        self._config = config
        self._service = EmbeddingsService(config, setting)
        self.name = config.model
        self.batch_size = config.batch_size
        self.query_prompt = query_prompt
        self.document_prompt = document_prompt

    @property
    def query_identity(self) -> str:
        """Names the function from question to vector, for the cache of vectors."""
        return self._identity(self._query_model)

    @property
    def document_identity(self) -> str:
        """Names the function from passage to vector, for the cache of vectors."""
        return self._identity(self._config.model)

    @property
    def fingerprint(self) -> str:
        """Hash of the endpoint's address and the names of its models: what it answers with cannot be looked into."""
        return digest([self.query_identity, self.document_identity])

    @property
    def settings(self) -> dict[str, Any]:
        """What else decides the vectors."""
        return {
            "query_prompt": self.query_prompt,
            "document_prompt": self.document_prompt,
            "max_tokens": self._config.max_tokens,
        }

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Returns float32 [n_texts, dim].

        Raises:
            EndpointError: No key, a refusal, no connection after the retries, or an answer that cannot be used.
        """
        return self._service.vectors([self.query_prompt + text for text in texts], self._query_model)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Returns float32 [n_texts, dim].

        Raises:
            EndpointError: No key, a refusal, no connection after the retries, or an answer that cannot be used.
        """
        return self._service.vectors([self.document_prompt + text for text in texts], self._config.model)

    def token_spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """Character span of each token by `embft.text.tokens`: an API's own tokenizer is not here."""
        return [tokens.spans(text) for text in texts]

    def usable_tokens(self) -> int:
        """Tokens by `embft.text.tokens` that are sent whole, however long their words."""
        return max(8, (self._longest - len(self.document_prompt)) // _LONGEST_TOKEN)

    def read_ends(self, texts: Sequence[str]) -> list[int]:
        """Characters of each passage before it is cut off."""
        limit = max(0, self._longest - len(self.document_prompt))
        return [min(len(text), limit) for text in texts]

    def as_module(self) -> Any:
        """A model that asks the endpoint; saved, it holds the name of the key's variable, not the key."""
        from sentence_transformers import SentenceTransformer

        from embft.models.endpoint_module import EndpointModule

        return SentenceTransformer(modules=[EndpointModule.of(self._config)], device=self.device)

    def require_key(self) -> None:
        """Sees to it that there is a key, before anything else is done.

        Raises:
            EndpointError: The environment variable is not set, or the address is none.
        """
        self._service.open()

    @property
    def _query_model(self) -> str:
        return self._config.query_model or self._config.model

    @property
    def _longest(self) -> int:
        """Characters of an input that is sent as it is."""
        return longest_input(self._config)

    def _identity(self, model: str) -> str:
        return f"endpoint:{self._config.base_url or 'openai'}:{model}"
