"""Attention for trainings in bf16 on a processor: several times as fast as PyTorch's fused kernel for short texts.

The fused kernel never holds the scores of all pairs of tokens, and works them out again in the backward pass. For a few hundred
tokens they fit into a processor's cache, so keeping them is the better bargain. transformers' own eager attention keeps them too,
but has its softmax in fp32 under autocast. `benchmarks/results/attention.md` has the times.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "embft_scores_kept"
_LONGEST = 320
"""Tokens; for longer texts the fused kernel is as fast and takes less memory."""
_KNOWN = frozenset({"position_ids", "output_attentions", "use_cache", "cache_position", "output_hidden_states"})
"""What models hand on besides and changes nothing here."""


def keep_scores(model: Any) -> None:
    """Has a sentence-transformers model that trains on a processor use `attend`, if it would use PyTorch's fused attention."""
    transformer: Any = getattr(model[0], "auto_model", None)
    if getattr(getattr(transformer, "config", None), "_attn_implementation", None) != "sdpa":
        return
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    transformer.set_attn_implementation(NAME)


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attention of every token to every token as transformers calls it; what this is not made for goes to the fused kernel.

    Args:
        module: The layer.
        query, key, value: [B, heads, L, dim of a head].
        attention_mask: Boolean, True where a token counts, or added to the scores; [B, 1, L or 1, L].
        dropout, scaling, is_causal, kwargs: As in transformers.

    Returns:
        [B, L, heads, dim of a head], and no weights.
    """
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    if (
        query.dtype != torch.bfloat16
        or not torch.is_grad_enabled()
        or causal
        or dropout
        or query.shape != key.shape
        or key.shape[2] > _LONGEST
        or any(value is not None for name, value in kwargs.items() if name not in _KNOWN)
    ):
        fused: tuple[Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout, scaling, is_causal, **kwargs
        )
        return fused
    with torch.autocast(query.device.type, enabled=False):  # it would have the softmax in fp32
        scores = (query * (scaling or query.shape[-1] ** -0.5)) @ key.transpose(2, 3)  # (B, heads, L, L)
        if attention_mask is not None:
            scores = scores.add_(_added(attention_mask, scores.dtype))
        return (torch.softmax(scores, -1) @ value).transpose(1, 2).contiguous(), None


def _added(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """A mask as what is added to scores: unlike filling them, that costs nothing in the backward pass."""
    if mask.dtype != torch.bool:
        return mask.to(dtype)
    return torch.zeros_like(mask, dtype=dtype).masked_fill_(~mask, torch.finfo(dtype).min)
