"""An API as the first module of a saved model. Imported only where one is made or loaded: it needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, TypedDict

import torch
from sentence_transformers.base.modules import InputModule

from embft.config import EndpointConfig
from embft.models.embeddings_service import EmbeddingsService


class TextFeatures(TypedDict):
    """What goes through the modules of such a model.

    Attributes:
        texts: With their prompt.
        task: ``query`` where they are questions.
    """

    texts: list[str]
    task: str | None


class EmbeddedTexts(TextFeatures):
    """The same with ``sentence_embedding``, float32 [n_texts, dim]."""

    sentence_embedding: torch.Tensor


class EndpointModule(InputModule):  # type: ignore[misc]
    """Texts to an API's vectors, inside of a `SentenceTransformer`.

    Its ``config.json`` says where to ask and the name of the environment variable with the key; never the key.

    Args:
        settings: Fields of `EndpointConfig`.
    """

    save_in_root = False

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self._settings = settings
        self._config = EndpointConfig(**settings)
        self._service = EmbeddingsService(self._config, "the model's endpoint")
        # Without weights of its own it would not know where the modules after it are.
        self.register_buffer("place", torch.zeros(0), persistent=False)

    @classmethod
    def of(cls, config: EndpointConfig) -> EndpointModule:
        """The module of an endpoint."""
        return cls(**{name: value for name, value in asdict(config).items() if name != "price_per_million_tokens"})

    def get_config_dict(self) -> dict[str, object]:
        """What ``config.json`` holds."""
        return self._settings

    def save(self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any) -> None:
        """Writes ``config.json``; there are no weights."""
        self.save_config(output_path)

    def preprocess(
        self, inputs: Sequence[str], prompt: str | None = None, task: str | None = None, **kwargs: Any
    ) -> TextFeatures:
        """Puts the prompt before each text; nothing is cut into tokens here."""
        return {"texts": [f"{prompt or ''}{text}" for text in inputs], "task": task}

    def forward(self, features: TextFeatures, **kwargs: Any) -> EmbeddedTexts:
        """Asks the endpoint; adds ``sentence_embedding``, float32 [n_texts, dim].

        Raises:
            EndpointError: No key, a refusal, no connection after the retries, or an answer that cannot be used.
        """
        model = self._config.query_model if features["task"] == "query" else None
        vectors = torch.from_numpy(self._service.vectors(features["texts"], model or self._config.model))
        return {**features, "sentence_embedding": vectors.to(self.place.device)}
