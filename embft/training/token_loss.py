"""Late interaction as it is trained: a text's token vectors in one tensor, and the MaxSim of a step's questions and passages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def packed(output: Mapping[str, Any]) -> Tensor:
    """Token vectors with a last number that says whether a token counts; float32 [n, T, dim + 1].

    Args:
        output: Of a `MultiVectorEncoder`: ``token_embeddings`` [n, T, dim] and ``attention_mask`` [n, T], in which padding and
            what the model leaves out of its scores is 0.
    """
    vectors = output["token_embeddings"].float()
    return torch.cat([vectors, output["attention_mask"].to(vectors.dtype)[..., None]], dim=-1)


def joined(parts: Sequence[Tensor]) -> Tensor:
    """One tensor of several: vectors [n, dim], or packed ones, padded to the longest with tokens that do not count."""
    if parts[0].ndim == 2:
        return torch.cat(list(parts))
    longest = max(part.shape[1] for part in parts)
    return torch.cat([functional.pad(part, (0, 0, 0, longest - part.shape[1])) for part in parts])


def max_sims(questions: Tensor, passages: Tensor, width: int) -> Tensor:
    """The mean, over a question's tokens, of the best cosine among a passage's tokens; float32 [Q, P].

    See `embft.retrieval.max_sim`, which searches by the same score.

    Args:
        questions: Packed, [Q, T, dim + 1].
        passages: Packed, [P, T, dim + 1].
        width: Numbers of a vector that are looked at, from its beginning.
    """
    units = functional.normalize(passages[..., :width], dim=-1)  # (P, T, W)
    left_out = passages[..., -1:] == 0  # (P, T, 1)
    rows = []
    for question in questions:  # one by one: the cosines of all tokens at once would be large
        tokens = functional.normalize(question[question[:, -1] > 0, :width], dim=-1)
        cosines = (units @ tokens.T).masked_fill(left_out, -1.0)  # (P, T, tokens of the question)
        rows.append(cosines.max(dim=1).values.mean(dim=1))
    return torch.stack(rows)
