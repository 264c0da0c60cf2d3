"""Vectors, and the maps that a tuned model may put them through: the side of training that search needs."""

from __future__ import annotations

import json
import mmap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


TEXTS_AT_ONCE = 512
"""Texts embedded before their vectors are stored, unless who asks says otherwise: what a kill can lose."""
_ROWS = 1 << 14
"""Vectors worked on at once."""


@dataclass(frozen=True, eq=False)
class StoredVectors:
    """Vectors in a file: what is asked for is read when it is asked for, so that no copy of all stands in memory.

    A slice, or an array of places, gives float32 [n, length]; ``np.asarray`` gives all of them.

    Attributes:
        rows: float32 [n_rows, stored length], a memory map.
        places: int64 [n]: the row of each vector.
        through: Maps that they go through as they are read, such as `unit`; each gives vectors of some length for vectors.
    """

    rows: Vectors
    places: npt.NDArray[np.int64]
    through: tuple[Callable[[Vectors], Vectors], ...] = ()

    def __len__(self) -> int:
        """Number of vectors."""
        return len(self.places)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of vectors, and numbers in each."""
        return len(self.places), self[:1].shape[1] if len(self.places) else self.rows.shape[1]

    def __getitem__(self, at: slice | npt.NDArray[Any]) -> Vectors:
        """The vectors at some places; a view of the map where they lie side by side."""
        places = self.places[at]
        in_order = len(places) > 0 and bool((np.diff(places) == 1).all())
        vectors: Vectors = self.rows[places[0] : places[-1] + 1] if in_order else self.rows[places]
        for change in self.through:
            vectors = change(vectors)
        return np.asarray(vectors)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """All of them, in memory."""
        whole = np.empty(self.shape, np.float32)
        for start in range(0, len(self), _ROWS):
            whole[start : start + _ROWS] = self[start : start + _ROWS]
        return whole if dtype is None else whole.astype(dtype)

    @property
    def nbytes(self) -> int:
        """What all of them would take in memory."""
        return 4 * self.shape[0] * self.shape[1]

    def at(self, places: npt.NDArray[np.int64]) -> StoredVectors:
        """The vectors at some places, which stay in the file."""
        return StoredVectors(self.rows, self.places[places], self.through)

    def let_go(self) -> None:
        """Gives back the memory of what was read; it stays with the operating system while that has room."""
        mapping, advice = getattr(self.rows, "_mmap", None), getattr(mmap, "MADV_DONTNEED", None)
        if mapping is not None and advice is not None:
            mapping.madvise(advice)

    def mapped(self, change: Callable[[Vectors], Vectors]) -> StoredVectors:
        """The same vectors, going through a map."""
        return StoredVectors(self.rows, self.places, (*self.through, change))


AnyVectors = Vectors | StoredVectors
"""In memory or in a file."""


@dataclass(frozen=True)
class TokenVectors:
    """Texts as the vectors of their tokens.

    Attributes:
        vectors: float32 [n_tokens, dim], of length 1.
        starts: int64 [n_texts]: where each text's tokens begin. Every text has one at least.
    """

    vectors: Vectors
    starts: npt.NDArray[np.int64]


def mapped(vectors: AnyVectors, change: Callable[[Vectors], Vectors]) -> AnyVectors:
    """Vectors through a map: at once where they are in memory, else as they are read."""
    return vectors.mapped(change) if isinstance(vectors, StoredVectors) else change(vectors)


def unit(vectors: Vectors) -> Vectors:
    """Scales rows to length 1, in float32; zero rows stay zero."""
    scaled = np.empty(vectors.shape, np.float32)
    for start in range(0, len(vectors), _ROWS):
        block = vectors[start : start + _ROWS]
        norms = np.linalg.norm(block, axis=1, keepdims=True)
        scaled[start : start + _ROWS] = block / np.where(norms > 0, norms, 1)
    return scaled


def is_unit(vectors: AnyVectors) -> bool:
    """True where every row has length 1 already: cosine and dot then rank alike and are scored once."""
    return all(
        np.allclose(np.linalg.norm(vectors[start : start + _ROWS], axis=1), 1, atol=1e-4)
        for start in range(0, len(vectors), _ROWS)
    )


@dataclass(frozen=True)
class QueryMap:
    """An adapter: a linear map of question vectors.

    Attributes:
        weight: float32 [dim, dim].
        bias: float32 [dim].
        unit: Whether the result is scaled to length 1.
    """

    weight: Vectors
    bias: Vectors
    unit: bool

    def __call__(self, vectors: Vectors) -> Vectors:
        """Maps question vectors of the base model; float32 [n_questions, dim] both."""
        vectors = vectors @ self.weight.T + self.bias
        if self.unit:
            vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return np.asarray(vectors, np.float32)


@dataclass(frozen=True)
class Whitening:
    """An affine map of unit vectors, of questions and passages alike; its results are scaled to length 1.

    Attributes:
        weight: float32 [dim, dim], symmetric.
        bias: float32 [dim].
    """

    weight: Vectors
    bias: Vectors

    def __call__(self, vectors: Vectors) -> Vectors:
        """Maps vectors of questions or passages; float32 [n, dim] both, of length 1."""
        return unit(unit(vectors) @ self.weight + self.bias)


def read_query_map(folder: Path) -> QueryMap:
    """The map of a model that `embft.training.adapter_model.save_adapted` saved, without loading the model."""
    from safetensors.numpy import load_file

    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    router = folder / modules[-1]["path"]
    route = json.loads((router / "router_config.json").read_text(encoding="utf-8"))["structure"]["query"]
    _, dense, *after = route  # the first is the base model's last module
    layer = load_file(router / dense / "model.safetensors")
    bias = layer["linear.bias"]
    # Of a base model that cuts its vectors off, the layer gets whole ones.
    return QueryMap(np.ascontiguousarray(layer["linear.weight"][:, : len(bias)]), bias, bool(after))


def read_whitening(folder: Path) -> Whitening:
    """The map of a model that `embft.training.whitening.save_whitened` saved, without loading the model."""
    from safetensors.numpy import load_file

    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    layer = load_file(folder / modules[-2]["path"] / "model.safetensors")
    return Whitening(layer["linear.weight"], layer["linear.bias"])
