"""What the batches of a server are computed by: vectors of texts, and rankings of questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from embft.models.batch_encoding import encode_batch
from embft.models.encoder import Encoder
from embft.models.kinds import is_multi_vector
from embft.models.vectors import Vectors
from embft.serving.answering import Answering, Asked, Hit
from embft.serving.gauges import Gauges
from embft.serving.requests import ServedModel
from embft.serving.standing import StandingEmbedder
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
        embedder = answering.embedder(name)
        assert isinstance(embedder, StandingEmbedder)
        self._embedder = embedder
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
        embedder, queries = self._embedder, task == "query"
        encoder = embedder.encoder
        if isinstance(encoder, Encoder):
            batch = encode_batch(encoder, texts, queries=queries)
            vectors, counts, cut = batch.vectors, batch.tokens, batch.cut
        else:  # an API's own count is not known here
            vectors = encoder.encode_questions(texts) if queries else encoder.encode_passages(texts)
            prompt = encoder.query_prompt if queries else encoder.document_prompt
            counts, cut = [len(tokens.spans(prompt + text)) for text in texts], [False] * len(texts)
        if queries:
            vectors = embedder.question_layers(vectors)
        return [Embedded(*row) for row in zip(vectors, counts, cut, strict=True)]
