"""The adapter as a model: the base model's modules with a fork at the end, saved and read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from embft.training.adapter import QueryMap


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

    layers: list[Any] = []
    for place, (weight, bias) in enumerate(query_map.layers):
        inner = place < len(query_map.layers) - 1
        layers.append(
            Dense(
                weight.shape[1],
                weight.shape[0],
                activation_function=torch.nn.ReLU() if inner else torch.nn.Identity(),
                init_weight=torch.from_numpy(weight),
                init_bias=torch.from_numpy(bias),
            )
        )
    if query_map.unit:
        layers.append(Normalize())
    name = next(reversed(model._modules))
    last = model._modules[name]
    model._modules[name] = Router.for_query_document([last, *layers], [last]).to(model.device, model.dtype)
    model.eval()
    model.save_pretrained(str(output), create_model_card=False)
    return sorted(output.rglob("query_*_Dense/model.safetensors"))


def read_query_map(folder: Path) -> QueryMap:
    """The map of a model that `save_adapted` saved, without loading the model."""
    from safetensors.numpy import load_file

    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    router = folder / modules[-1]["path"]
    route = json.loads((router / "router_config.json").read_text(encoding="utf-8"))["structure"]["query"]
    _, *own = route  # the first is the base model's last module
    weights = [load_file(router / name / "model.safetensors") for name in own if name.endswith("_Dense")]
    return QueryMap(
        tuple((found["linear.weight"], found["linear.bias"]) for found in weights), own[-1].endswith("_Normalize")
    )
