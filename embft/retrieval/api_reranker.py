"""A rerank API as a reranker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from embft.models.rerank_service import RerankService
from embft.retrieval.candidates import Candidates, Scores


class ApiReranker:
    """See `embft.retrieval.candidates.Reranker`."""

    def __init__(self, service: RerankService) -> None:
        self._service = service

    @property
    def name(self) -> str:
        """The model's, as the API calls it."""
        return self._service.model

    @property
    def identity(self) -> str:
        """Address and model: what it answers with cannot be looked into."""
        return self._service.identity

    def check(self) -> None:
        """There is a key; nothing is asked."""
        self._service.open()

    def requests_for(self, texts: int) -> int:
        """As many as it takes in batches."""
        return self._service.requests_for(texts)

    def scores(self, candidates: Sequence[Candidates]) -> Iterator[tuple[int, Scores]]:
        """See `Reranker`. Questions go out side by side, a few at a time, so that a kill loses a few answers at most."""
        at_once = 4 * self._service.concurrency
        for start in range(0, len(candidates), at_once):
            block = candidates[start : start + at_once]
            asked = [(one.question, one.texts) for one in block]
            for place, scores in self._service.each(asked):
                yield start + place, scores
