"""The adapter as a model: the base model's modules with a fork at the end, saved and read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from embft.models.vectors import QueryMap


def save_adapted(model: Any, query_map: QueryMap, output: Path) -> list[Path]:
    """Saves a model whose questions go through the map; ``SentenceTransformer(output)`` loads it, without embft.

    The base model's last module makes way for a Router. Its route "document" is that last module alone, so passages get the
    very vectors that the base model gives them, and an index made with it stays as it is. Its route "query" is the last
    module, then the map. ``encode_query`` takes one, ``encode_document`` and plain ``encode`` the other.

    Args:
        model: The base model, a `SentenceTransformer`; changed in place.
        query_map: Acts on its vectors.
        output: Gets a sentence-transformers folder.

    Returns:
        The files of the map's weights.
    """
    import torch
    from sentence_transformers.base.modules import Dense, Normalize, Router

    dim = len(query_map.bias)
    dense = Dense(
        dim,
        dim,
        activation_function=torch.nn.Identity(),
        init_weight=torch.from_numpy(query_map.weight),
        init_bias=torch.from_numpy(query_map.bias),
    )
    layers: list[Any] = [dense]
    if query_map.unit:
        layers.append(Normalize())
    name = next(reversed(model._modules))
    last = model._modules[name]
    model._modules[name] = Router.for_query_document([last, *layers], [last]).to(model.device, model.dtype)
    model.eval()
    model.save_pretrained(str(output), create_model_card=False)
    return sorted(output.rglob("query_*_Dense/model.safetensors"))
