"""A cross-encoder as a reranker: it reads each question together with each chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from embft.models.cross_encoder import PairModel
from embft.retrieval.candidates import Candidates, Scores


class PairReranker:
    """See `embft.retrieval.candidates.Reranker`."""

    def __init__(self, model: PairModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """The model's."""
        return self._model.name

    @property
    def identity(self) -> str:
        """Weights and limit."""
        return self._model.identity

    def check(self) -> None:
        """Loads the model and scores a pair."""
        self._model.model  # noqa: B018 - it is tried as it is loaded

    def requests_for(self, texts: int) -> int:
        """None: the model is here."""
        return 0

    def scores(self, candidates: Sequence[Candidates]) -> Iterator[tuple[int, Scores]]:
        """See `Reranker`."""
        for row, one in enumerate(candidates):
            yield row, self._model.scores([(one.question, text) for text in one.texts])
