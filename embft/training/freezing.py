"""Which weights a fine-tune leaves as they are."""

from __future__ import annotations

from typing import Any

from embft.errors import TrainingError


def freeze(model: Any, *, train_embeddings: bool, frozen_layers: int | None) -> list[Any]:
    """Takes the token embeddings and the lowest transformer layers out of the training.

    Lee, Tang and Lin, "What Would Elsa Do? Freezing Layers During Transformer Fine-Tuning", 2019: a fourth of the
    layers is enough. No gradient is worked out below the lowest trained layer, so each frozen layer saves two thirds of its cost.

    Args:
        model: A sentence-transformers model; one without a transformer has nothing that is frozen here.
        train_embeddings: False leaves the embeddings as they are: half of a small model's weights, whose rows a few
            thousand questions hardly move.
        frozen_layers: Layers from the bottom, None for two thirds of them; they mean frozen embeddings too.

    Returns:
        The frozen layers, from the bottom.

    Raises:
        TrainingError: The model has no more layers than are to be frozen.
    """
    transformer = getattr(model[0], "auto_model", None)
    if transformer is None:
        return []
    layers = max((m for m in transformer.modules() if type(m).__name__ == "ModuleList"), key=len, default=())
    if frozen_layers is None:
        frozen_layers = 0 if train_embeddings else 2 * len(layers) // 3
    if train_embeddings and not frozen_layers:
        return []
    if frozen_layers >= max(1, len(layers)):
        raise TrainingError(
            f"training.frozen_layers={frozen_layers} leaves nothing to train: this model has {len(layers)} layers."
        )
    # Position and type embeddings, and the norm above them, belong to it where a model keeps them in one module.
    embeddings = getattr(transformer, "embeddings", None) or transformer.get_input_embeddings()
    frozen = list(layers)[:frozen_layers]
    for module in (embeddings, *frozen):
        module.requires_grad_(False)
    return frozen
