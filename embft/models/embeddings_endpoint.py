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
from embft.files import digest
from embft.text import tokens

Vectors = npt.NDArray[np.float32]

_CHARACTERS_A_TOKEN = 2.0
"""Cautious: English has about 4; code and Chinese fewer. Only inputs near the endpoint's limit are cut by it."""
_LONGEST_TOKEN = 10
"""Characters of a model-independent token: nine letters and a space."""
_WAYS_OUT = {
    "evaluation.openai": ", or take 'openai' out of evaluation.systems",
    "model.endpoint": ", or choose an open model (model=minilm)",
}


class EndpointEncoder:
    """Embeds texts over HTTP. The key's value is read from the environment, and kept by the client alone.

    Args:
        config: Endpoint, model, and the name of the key's variable.
        setting: Where ``config`` stands, for what is said when something is wrong with it.
        query_prompt, document_prompt: Put before each text.
    """

    is_paid = True
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
        self._setting = setting
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
            EndpointError: No key, a refusal, or no connection after the retries.
        """
        return self._encode([self.query_prompt + text for text in texts], self._query_model)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Returns float32 [n_texts, dim].

        Raises:
            EndpointError: No key, a refusal, or no connection after the retries.
        """
        return self._encode([self.document_prompt + text for text in texts], self._config.model)

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
            EndpointError: The environment variable is not set.
        """
        assert self._client is not None

    @property
    def _query_model(self) -> str:
        return self._config.query_model or self._config.model

    @property
    def _longest(self) -> int:
        """Characters of an input that is sent as it is."""
        return int(self._config.max_tokens * _CHARACTERS_A_TOKEN)

    def _identity(self, model: str) -> str:
        return f"endpoint:{self._config.base_url or 'openai'}:{model}"

    def _encode(self, texts: Sequence[str], model: str) -> Vectors:
        size = self._config.batch_size
        batches = [texts[start : start + size] for start in range(0, len(texts), size)]
        with ThreadPoolExecutor(self._config.concurrency) as pool:
            vectors = list(pool.map(lambda batch: self._request(batch, model), batches))
        return np.concatenate(vectors) if vectors else np.zeros((0, 0), np.float32)

    def _request(self, texts: Sequence[str], model: str) -> Vectors:
        import openai

        # An empty input is refused; a space gives the vector of nothing.
        inputs = [text[: self._longest] or " " for text in texts]
        try:
            reply = self._client.embeddings.create(model=model, input=inputs, encoding_format="float")
        except openai.AuthenticationError:
            raise EndpointError(
                f"{self._where} refused the key in ${self._config.api_key_env}: check it, or {self._setting}.base_url."
            ) from None
        except openai.NotFoundError:
            raise EndpointError(
                f"{self._where} has no embedding model '{model}': check {self._setting}.model."
            ) from None
        except openai.APIConnectionError:
            raise EndpointError(
                f"{self._where} cannot be reached: check {self._setting}.base_url and the network{self._way_out}. "
                "Vectors that were paid for are kept."
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

    @property
    def _way_out(self) -> str:
        return _WAYS_OUT.get(self._setting, "")

    @cached_property
    def _client(self) -> Any:
        variable = self._config.api_key_env
        key = os.environ.get(variable, "") if variable else "none"
        if not key:
            raise EndpointError(
                f"{self._setting} needs a key in the environment variable {variable}, which is not set. Set it, or name "
                f"another with {self._setting}.api_key_env, or null for an endpoint without keys{self._way_out}."
            )
        import openai

        return openai.OpenAI(
            api_key=key,
            base_url=self._config.base_url,
            timeout=self._config.timeout_seconds,
            max_retries=self._config.max_retries,
        )
