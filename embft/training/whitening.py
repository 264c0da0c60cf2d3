"""Whitening: a last linear layer under which the directions of passage vectors differ less in how much they vary.

All chunks of a corpus share its matter, so their vectors share a mean and a few strong directions, and a cosine sees little
else. Huang et al., "WhiteningBERT: An Easy Unsupervised Sentence Embedding Approach", Findings of EMNLP 2021, centre and
whiten them; a part of that is better here (docs/decisions.md). No question is needed for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from embft.config.training import TrainingConfig
from embft.models.saving import TrialVectors, save_as_ranked
from embft.models.vectors import Vectors, Whitening, unit


def whitening_of(vectors: Vectors, strength: float) -> Whitening:
    """The map that takes their mean to zero, and their covariance that far towards equal variances.

    Of all maps that do so this one moves the vectors least (ZCA: Kessy, Lewin and Strimmer, "Optimal Whitening and
    Decorrelation", The American Statistician 2018, section 4). Few vectors make their weak directions look weaker
    than they are, which the covariance's shrinkage repairs (Ledoit and Wolf, "A well-conditioned estimator for
    large-dimensional covariance matrices", Journal of Multivariate Analysis 2004).

    Args:
        vectors: Of passages, float32 [n, dim]; more than ``dim`` distinct ones.
        strength: 0 (their mean only) to 1 (all variances equal).
    """
    from sklearn.covariance import ledoit_wolf

    vectors = unit(vectors)
    mean = vectors.mean(axis=0, dtype=np.float64)  # (D,)
    centred = vectors - mean
    covariance, _ = ledoit_wolf(centred, assume_centered=True)
    variances, directions = np.linalg.eigh(covariance)  # (D,), (D, D)
    weight = (directions * variances ** (-strength / 2)) @ directions.T
    # Lengths around 1, as before: the next layer does away with them, but a person who looks at weights is not misled.
    weight /= np.linalg.norm(centred @ weight, axis=1).mean()
    return Whitening(weight.astype(np.float32), (-mean @ weight).astype(np.float32))


def save_whitened(model: Any, whitening: Whitening, output: Path) -> list[Path]:
    """Saves a model whose vectors go through the map; ``SentenceTransformer(output)`` loads it, without embft.

    Args:
        model: A `SentenceTransformer`; changed in place.
        whitening: Acts on its vectors.
        output: Gets a sentence-transformers folder.

    Returns:
        The files of the map's weights.

    Raises:
        ModelError: The saved model gives other vectors than the map.
    """
    import torch
    from sentence_transformers.base.modules import Dense, Normalize

    before = TrialVectors.of(model)
    dim = len(whitening.bias)
    with model.truncate_embeddings(None):
        whole = model.get_embedding_dimension() or dim
    dense = Dense(
        dim,
        dim,
        activation_function=torch.nn.Identity(),
        init_weight=torch.from_numpy(whitening.weight),
        init_bias=torch.from_numpy(whitening.bias),
    )
    modules = [dense, Normalize()] if isinstance(model[-1], Normalize) else [Normalize(), dense, Normalize()]
    if whole > dim:
        # A model that cuts its vectors off does so after all modules, and the map is of what is left: a module cuts off now.
        cut = Dense(
            whole,
            dim,
            bias=False,
            activation_function=torch.nn.Identity(),
            init_weight=torch.eye(dim, whole),
        )
        modules = [cut, Normalize(), dense, Normalize()]
        model.truncate_dim = None
    for module in modules:
        model.append(module.to(model.device))
    expected = None if before is None else before.mapped(whitening, whitening)
    save_as_ranked(model, output, expected)
    return [output / f"{len(model) - 2}_Dense" / "model.safetensors"]


def whitening_strength(config: TrainingConfig, mode: str) -> float:
    """What ``training.whitening=null`` stands for: 0.2 with windows; a layer for single vectors does nothing for those of tokens.

    Truncated chunks are few, and what their beginnings share is not what the rest of them shares: it did harm there. An adapter
    must leave passages as they are, and vectors that may be cut off keep their numbers in order (docs/decisions.md).
    """
    if config.whitening is not None:
        return config.whitening
    fits = mode == "windows" and config.part != "adapter" and not config.matryoshka
    return 0.2 if fits else 0.0
