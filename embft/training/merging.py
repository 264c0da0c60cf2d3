"""Base and tuned weights mixed: what tuning gains without all that it costs elsewhere.

Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022 (WiSE-FT): the line between the two sets of weights
holds models that keep most of the gain and most of what the base model knew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from embft.evaluation.significance import Groups, standard_error

ALPHAS = (0.25, 0.5, 0.75, 1.0)
"""Shares of the tuned weights that are tried."""


def mix_weights(model: Any, base: Any, tuned: Any, alpha: float) -> None:
    """Sets a model's weights to ``alpha`` of the tuned ones and the rest of the base ones.

    Args:
        model: Of the same architecture; changed in place.
        base: Its state dict before the fine-tune.
        tuned: Its state dict after it.
        alpha: 0 (base) to 1 (tuned).
    """
    model.load_state_dict(
        {
            # Positions and the like are whole numbers, the same in both.
            key: base[key] + alpha * (value - base[key]) if value.is_floating_point() else value
            for key, value in tuned.items()
        }
    )


def choose_alpha(scores: Sequence[npt.NDArray[np.float64]], groups: Groups) -> int:
    """The mix closest to the base model that dev cannot tell from the best one.

    The one-standard-error rule (Breiman et al., "Classification and Regression Trees", 1984, section 3.4.3), turned towards
    the base model: of mixes that are as good here, the one that lost least elsewhere.

    Args:
        scores: Of each mix, least tuned first: float64 [n_questions].
        groups: int64 [n_questions], from `embft.evaluation.significance.groups_of`.

    Returns:
        Its position.
    """
    best = max(range(len(scores)), key=lambda place: float(scores[place].mean()))
    for place, mine in enumerate(scores[:best]):
        behind = scores[best] - mine
        if float(behind.mean()) <= standard_error(behind, groups):
            return place
    return best
