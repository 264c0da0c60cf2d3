"""Embeddings from any OpenAI-compatible endpoint: OpenAI, Azure, vLLM, Ollama, llama.cpp, text-embeddings-inference."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from embft.config import EndpointConfig
from embft.errors import EndpointError

Vectors = npt.NDArray[np.float32]

_CHARACTERS_A_TOKEN = 2.0
"""Cautious: English has about 4; code and Chinese fewer. Only inputs near the endpoint's limit are cut by it."""


class EndpointEncoder:
    """Embeds texts over HTTP. The key's value is read from the environment when the first request is made.

    Args:
        config: Endpoint, model, and the name of the key's variable.
    """

    def __init__(self, config: EndpointConfig) -> None:
        self._config = config
        self.cut = 0
        """Texts that were too long for the endpoint, so far."""

    def identity(self, *, queries: bool) -> str:
        """Names the function from text to vector, for the cache of vectors."""
        return f"endpoint:{self._config.base_url or 'openai'}:{self._model(queries)}"

    def encode(self, texts: Sequence[str], *, queries: bool) -> Vectors:
        """Returns float32 [n_texts, dim].

        Raises:
            EndpointError: No key, a refusal, or no connection after the retries.
        """
        size = self._config.batch_size
        batches = [texts[start : start + size] for start in range(0, len(texts), size)]
        with ThreadPoolExecutor(self._config.concurrency) as pool:
            vectors = list(pool.map(lambda batch: self._request(batch, queries), batches))
        return np.concatenate(vectors) if vectors else np.zeros((0, 0), np.float32)

    def _model(self, queries: bool) -> str:
        return (self._config.query_model if queries else None) or self._config.model

    def _request(self, texts: Sequence[str], queries: bool) -> Vectors:
        import openai

        limit = int(self._config.max_tokens * _CHARACTERS_A_TOKEN)
        self.cut += sum(len(text) > limit for text in texts)
        model = self._model(queries)
        # An empty input is refused; a space gives the vector of nothing.
        inputs = [text[:limit] or " " for text in texts]
        try:
            reply = self._client.embeddings.create(model=model, input=inputs, encoding_format="float")
        except openai.AuthenticationError:
            raise EndpointError(
                f"{self._where} refused the key in ${self._config.api_key_env}: check it, or evaluation.openai.base_url."
            ) from None
        except openai.NotFoundError:
            raise EndpointError(
                f"{self._where} has no embedding model '{model}': check evaluation.openai.model."
            ) from None
        except openai.APIConnectionError:
            raise EndpointError(
                f"{self._where} cannot be reached: check evaluation.openai.base_url and the network, or take 'openai' "
                "out of evaluation.systems. Vectors that were paid for are kept."
            ) from None
        except openai.APIStatusError as error:
            raise EndpointError(
                f"{self._where} answered {error.status_code} to model '{model}' after {self._config.max_retries} retries. "
                "Run the same command again later: vectors that were paid for are kept."
            ) from None
        rows = sorted(reply.data, key=lambda item: item.index)
        if len(rows) != len(texts):
            raise EndpointError(f"{self._where} returned {len(rows)} vectors for {len(texts)} texts.")
        return np.asarray([row.embedding for row in rows], np.float32)

    @property
    def _where(self) -> str:
        return self._config.base_url or "The OpenAI API"

    @cached_property
    def _client(self) -> Any:
        import openai

        variable = self._config.api_key_env
        key = os.environ.get(variable, "") if variable else "none"
        if not key:
            raise EndpointError(
                f"evaluation.openai needs a key in the environment variable {variable}, which is not set. Set it, or name "
                "another with evaluation.openai.api_key_env, or null for an endpoint without keys, or take 'openai' out "
                "of evaluation.systems."
            )
        return openai.OpenAI(
            api_key=key,
            base_url=self._config.base_url,
            timeout=self._config.timeout_seconds,
            max_retries=self._config.max_retries,
        )
