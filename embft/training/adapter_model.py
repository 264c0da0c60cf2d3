"""The adapter as a model: the base model's modules with a fork at the end, saved and read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from embft.models.saving import TrialVectors, save_as_ranked
from embft.models.vectors import QueryMap


def save_adapted(model: Any, query_map: QueryMap, output: Path) -> list[Path]:
    """Saves a model whose questions go through the map; ``SentenceTransformer(output)`` loads it, without embft.

    The base model's last module makes way for a Router. Its route "document" is that last module alone, so passages get the
    very vectors that the base model gives them, and an index made with it stays as it is. Its route "query" is the last
    module, then the map. ``encode_query`` takes one, ``encode_document`` and plain ``encode`` the other.

    Args:
        model: The base model, a `SentenceTransformer` with its prompts (`embft.models.saving.Prompts`); changed in place.
        query_map: Acts on its vectors.
        output: Gets a sentence-transformers folder.

    Returns:
        The files of the map's weights.

    Raises:
        ModelError: The saved model gives other vectors than the map.
    """
    import torch
    from sentence_transformers.base.modules import Dense, Normalize, Router

    before = TrialVectors.of(model)
    dim = len(query_map.bias)
    # A model may cut its vectors off, which happens after all modules: what is cut off then weighs nothing here.
    with model.truncate_embeddings(None):
        whole = model.get_embedding_dimension() or dim
    dense = Dense(
        whole,
        dim,
        activation_function=torch.nn.Identity(),
        init_weight=torch.from_numpy(np.pad(query_map.weight, ((0, 0), (0, whole - dim)))),
        init_bias=torch.from_numpy(query_map.bias),
    )
    if len(model) == 1:
        # A static table without a last layer to share: one that changes nothing takes its place.
        same = Dense(whole, whole, bias=False, activation_function=torch.nn.Identity(), init_weight=torch.eye(whole))
        model.append(same.to(model.device))
    layers: list[Any] = [dense]
    if query_map.unit:
        layers.append(Normalize())
    name = next(reversed(model._modules))
    last = model._modules[name]
    model._modules[name] = Router.for_query_document([last, *layers], [last]).to(model.device, model.dtype)
    expected = None if before is None else before.mapped(query_map, lambda vectors: vectors)
    save_as_ranked(model, output, expected)
    return sorted(output.rglob("query_*_Dense/model.safetensors"))
