"""What the batches of a server are computed by: vectors of texts, and rankings of questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from embft.models.encoder import Encoder
from embft.models.kinds import is_multi_vector, is_static, limit_of, tokenizer_of
from embft.models.vectors import Vectors
from embft.retrieval.embedder import Embedder
from embft.serving.answering import Answering, Asked, Hit
from embft.serving.gauges import Gauges
from embft.serving.requests import ServedModel
from embft.text import tokens


@dataclass(frozen=True)
class Embedded:
    """A text's vector.

    Attributes:
        vector: float32 [dim].
        tokens: That the text has, with prompt and marks.
        cut: Whether the model saw its beginning only.
    """

    vector: Vectors
    tokens: int
    cut: bool


class Engine:
    """A run's model and systems. One thread at a time.

    Args:
        answering: The systems.
        system: The one that is asked unless another is named; None: none.
        gauges: Counts.
    """

    def __init__(self, answering: Answering, system: str | None, gauges: Gauges) -> None:
        self.answering = answering
        self.system = system
        self._gauges = gauges
        setup = answering.run.setup
        name = (answering.run.model_of(system) if system else None) or ("base" if setup.tuned is None else "tuned")
        self._embedder: Embedder = answering.embedder(name)
        described = setup.base if name == "base" or setup.tuned is None else setup.tuned
        encoder = self._embedder.encoder
        by_token = isinstance(encoder, Encoder) and is_multi_vector(encoder.model)
        width = 0 if by_token else len(self._embed("document", ["first"])[0].vector)
        self.served = ServedModel(
            name,
            width,
            tuple(size for size in described.dimensions if size < width),
            encoder.query_prompt == encoder.document_prompt and not described.two_ways,
        )
        if system is not None:
            answering.search(system, [Asked("first")])  # its index is made before anybody waits for it

    def work(self, kind: Any, items: Sequence[Any]) -> Sequence[Any]:
        """A batch: of ``("embed", task)`` the texts' vectors, of ``("search", system)`` the questions' rankings."""
        action, argument = kind
        self._gauges.texts(action, len(items))
        return self._embed(argument, items) if action == "embed" else self._search(argument, items)

    def _search(self, system: str, asked: Sequence[Asked]) -> list[list[Hit]]:
        return self.answering.search(system, asked)

    def _embed(self, task: str, texts: Sequence[str]) -> list[Embedded]:
        encoder = self._embedder.encoder
        queries = task == "query"
        embedder = self._embedder
        vectors = embedder.question_vectors(texts) if queries else encoder.encode_passages(texts)
        prompt = encoder.query_prompt if queries else encoder.document_prompt
        if not isinstance(encoder, Encoder):  # an API's own count is not known here
            counts = [len(tokens.spans(prompt + text)) for text in texts]
            return [Embedded(vector, count, False) for vector, count in zip(vectors, counts, strict=True)]
        tokenizer, limit = tokenizer_of(encoder.model), limit_of(encoder.model)
        marked = not is_static(encoder.model)
        asked = [prompt + text for text in texts]
        ids = tokenizer(asked, add_special_tokens=marked, truncation=False, verbose=False)["input_ids"]
        return [
            Embedded(vector, len(row), limit is not None and len(row) > limit)
            for vector, row in zip(vectors, ids, strict=True)
        ]
