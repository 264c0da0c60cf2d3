"""The texts of windows, cut out of their chunks as they are read: a second copy of a large corpus would not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import overload

import numpy as np
import numpy.typing as npt

from embft.embedded_text import embedded_text

Numbers = npt.NDArray[np.int32]


class WindowTexts(Sequence[str]):
    """A sequence of texts.

    Args:
        chunks: The chunks' own texts.
        owner: int32 [n_windows]: the chunk of each window.
        spans: int32 [n_windows, 2]: its first character in the chunk, and the one after its last.
        contexts: What stands before each window of a chunk, by its place; a chunk that is missing has none.
    """

    def __init__(self, chunks: Sequence[str], owner: Numbers, spans: Numbers, contexts: Mapping[int, str]) -> None:
        self._chunks = chunks
        self._owner = owner
        self._spans = spans
        self._contexts = contexts

    def __len__(self) -> int:
        """Number of windows."""
        return len(self._owner)

    def __iter__(self) -> Iterator[str]:
        """Window by window."""
        return map(self._text, range(len(self)))

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[str, ...]: ...

    def __getitem__(self, at: int | slice) -> str | tuple[str, ...]:
        """One text, or some."""
        if isinstance(at, slice):
            return tuple(map(self._text, range(*at.indices(len(self)))))
        return self._text(range(len(self))[at])

    def __eq__(self, other: object) -> bool:
        """Whether the texts are the same."""
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(str.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]

    def _text(self, at: int) -> str:
        owner = int(self._owner[at])
        start, end = self._spans[at].tolist()
        return embedded_text(self._contexts.get(owner, ""), self._chunks[owner][start:end])
