"""What reorders chunks: question and chunk in, a score out, whoever works it out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from embft.embedded_text import IndexedCorpus

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Candidates:
    """A question and the chunks that are to be reordered for it.

    Attributes:
        question: Its text.
        chunk_ids: Best first, as the first search has them.
        corpus: Where their texts stand; may hold others.
    """

    question: str
    chunk_ids: tuple[str, ...]
    corpus: IndexedCorpus

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Of these chunks, as they are embedded and indexed."""
        return tuple(self.corpus[key] for key in self.chunk_ids)


class Reranker(Protocol):
    """Scores candidates. Higher is better; scores of different questions need not be comparable."""

    @property
    def name(self) -> str:
        """What a person calls it."""
        ...

    @property
    def identity(self) -> str:
        """Names the function from question and chunks to scores: another identity, other scores."""
        ...

    def check(self) -> None:
        """Sees to it that it can be asked, before any other work: a model is tried, a key must be there.

        Raises:
            EmbftError: It cannot.
        """
        ...

    def requests_for(self, texts: int) -> int:
        """Requests to an API for one question with so many chunks; 0 where there is none. They may cost money."""
        ...

    def scores(self, candidates: Sequence[Candidates]) -> Iterator[tuple[int, Scores]]:
        """Yields (position in ``candidates``, float32 [n_texts]) in any order, each once, as soon as it is known.

        Raises:
            EmbftError: It cannot be asked, or answers with what is no score.
        """
        ...
