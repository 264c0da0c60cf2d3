"""Which weights a fine-tune leaves as they are."""

from __future__ import annotations

from typing import Any


def freeze(model: Any, *, train_embeddings: bool, frozen_share: float) -> list[Any]:
    """Takes the token embeddings and the lowest transformer layers out of the training.

    Lee, Tang and Lin, "What Would Elsa Do? Freezing Layers During Transformer Fine-Tuning", 2019: a fourth of the
    layers is enough. No gradient is worked out below the lowest trained layer, so each frozen layer saves two thirds of its cost.

    Args:
        model: A sentence-transformers model; one without a transformer has nothing that is frozen here.
        train_embeddings: False leaves the embeddings as they are: half of a small model's weights, whose rows a few
            thousand questions hardly move.
        frozen_share: Share of the layers, from the bottom, to the nearest layer; one is always trained. Frozen layers mean
            frozen embeddings too.

    Returns:
        The frozen layers, from the bottom.
    """
    transformer = getattr(model[0], "auto_model", None)
    if transformer is None:
        return []
    layers = max((m for m in transformer.modules() if type(m).__name__ == "ModuleList"), key=len, default=())
    frozen_layers = min(round(frozen_share * len(layers)), max(0, len(layers) - 1))
    if train_embeddings and not frozen_layers:
        return []
    # Position and type embeddings, and the norm above them, belong to it where a model keeps them in one module.
    embeddings = getattr(transformer, "embeddings", None) or transformer.get_input_embeddings()
    frozen = list(layers)[:frozen_layers]
    for module in (embeddings, *frozen):
        module.requires_grad_(False)
    if frozen:
        # MPNet and T5 share a table of distances among all layers, DeBERTa a norm: trained, they would change the frozen ones.
        for weight in _weights_below(model, transformer, frozen[-1]):
            weight.requires_grad_(False)
    return frozen


def _weights_below(model: Any, transformer: Any, layer: Any) -> list[Any]:
    """The weights that are still to be trained and have a say in what a layer gives."""
    import torch

    results: list[Any] = []
    hook = layer.register_forward_hook(lambda module, given, result: results.append(result))
    training = model.training
    model.eval()
    try:
        with torch.enable_grad():
            features = model.preprocess(["a"])
            features = {
                key: value.to(model.device) if hasattr(value, "to") else value for key, value in features.items()
            }
            model[0](features)
            result = results[0][0] if isinstance(results[0], tuple) else results[0]
            if not result.requires_grad:
                return []
            weights = [weight for weight in transformer.parameters() if weight.requires_grad]
            slopes = torch.autograd.grad(result.sum(), weights, allow_unused=True)
    finally:
        hook.remove()
        model.train(training)
    return [weight for weight, slope in zip(weights, slopes, strict=True) if slope is not None]
