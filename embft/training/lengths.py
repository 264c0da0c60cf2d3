"""Texts of like length together: what a processor would spend on padding."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from embft.training.gradcache import pick
from embft.training.token_loss import joined

_LIKE = 0.85
"""Share of a group's longest text that its texts have."""
_WORTH = 1024
"""Tokens that a group has at least: smaller matrix products run slower than padding costs."""


def embed_by_length(embed: Callable[[dict[str, Tensor]], Tensor], features: dict[str, Tensor]) -> Tensor:
    """Embeds a batch in groups of like length, each as wide as its longest text; vectors [n, dim] in the batch's order.

    Args:
        embed: From features to vectors [n, dim].
        features: Of n texts, padded at their ends to one length. Others are embedded as they are.
    """
    ids, mask = features.get("input_ids"), features.get("attention_mask")
    if ids is None or mask is None or mask.shape != ids.shape or not bool((mask[:, 0] == 1).all()):
        return embed(features)
    groups = groups_of_length(mask.sum(1))
    if len(groups) == 1:
        return embed(features)
    vectors = joined([embed(pick(features, rows)) for rows in groups])
    return vectors[torch.cat(groups).argsort()]


def groups_of_length(lengths: Tensor) -> list[Tensor]:
    """Positions of texts, longest first, cut where the next is much shorter and both sides are worth a group.

    Args:
        lengths: int64 [n], tokens.
    """
    order = lengths.argsort(descending=True, stable=True)
    sizes = lengths[order].tolist()
    rest = sum(sizes)
    groups, first, tokens = [], 0, 0
    for place, size in enumerate(sizes):
        if size < _LIKE * sizes[first] and tokens >= _WORTH and rest >= _WORTH:
            groups.append(order[first:place])
            first, tokens = place, 0
        tokens += size
        rest -= size
    return [*groups, order[first:]]
