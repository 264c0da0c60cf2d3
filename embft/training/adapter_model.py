"""The adapter as a model: the base model's modules with a fork at the end, saved and read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from embft.models.saving import TrialVectors, save_as_ranked
from embft.training.adapter import QueryMap


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
    # A model may cut its vectors off, which happens after all modules: what is cut off weighs nothing in the first layer.
    with model.truncate_embeddings(None):
        whole = model.get_embedding_dimension()
    layers: list[Any] = []
    for place, (weight, bias) in enumerate(query_map.layers):
        if not place and whole is not None and whole > weight.shape[1]:
            weight = np.pad(weight, ((0, 0), (0, whole - weight.shape[1])))
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
    expected = None if before is None else before.mapped(query_map, lambda vectors: vectors)
    save_as_ranked(model, output, expected)
    return sorted(output.rglob("query_*_Dense/model.safetensors"))


def read_query_map(folder: Path) -> QueryMap:
    """The map of a model that `save_adapted` saved, without loading the model."""
    from safetensors.numpy import load_file

    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    router = folder / modules[-1]["path"]
    route = json.loads((router / "router_config.json").read_text(encoding="utf-8"))["structure"]["query"]
    _, *own = route  # the first is the base model's last module
    weights = [load_file(router / name / "model.safetensors") for name in own if name.endswith("_Dense")]
    layers = [(weight["linear.weight"], weight["linear.bias"]) for weight in weights]
    cut = json.loads((folder / "config_sentence_transformers.json").read_text(encoding="utf-8")).get("truncate_dim")
    first, bias = layers[0]
    return QueryMap(((np.ascontiguousarray(first[:, :cut]), bias), *layers[1:]), own[-1].endswith("_Normalize"))
