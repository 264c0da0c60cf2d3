"""Vectors, and the maps that a tuned model may put them through: the side of training that search needs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


_ROWS = 1 << 14
"""Vectors worked on at once."""


def unit(vectors: Vectors) -> Vectors:
    """Scales rows to length 1, in float32; zero rows stay zero."""
    scaled = np.empty(vectors.shape, np.float32)
    for start in range(0, len(vectors), _ROWS):
        block = vectors[start : start + _ROWS]
        norms = np.linalg.norm(block, axis=1, keepdims=True)
        scaled[start : start + _ROWS] = block / np.where(norms > 0, norms, 1)
    return scaled


def is_unit(vectors: Vectors) -> bool:
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
