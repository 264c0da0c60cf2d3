"""GradCache: a step of any size in the memory of a small one.

Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup", RepL4NLP 2021: embed without keeping
activations, take the loss's gradient with respect to the vectors, then embed again piece by piece and carry it on. One more
forward pass buys negatives by the thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from embft.training.token_loss import joined

Embed = Callable[[dict[str, Tensor]], Tensor]


def cached_loss(
    embed: Embed,
    features: Sequence[Mapping[str, Tensor]],
    loss_of: Callable[..., Tensor],
    size: int,
    after: Callable[[], None] = lambda: None,
) -> Tensor:
    """The loss over all texts, with at most ``size`` of them in memory at once.

    Args:
        embed: From features to vectors [n, dim].
        features: Inputs, each of tensors whose first dimension is the text.
        loss_of: From one tensor of vectors for each of ``features`` to a scalar.
        size: Texts embedded at once.
        after: Called when the weights have their gradients.

    Returns:
        A scalar whose ``backward`` fills the gradients of the model's weights.
    """
    pieces = [piece for feature in features for piece in pieces_of(feature, size)]
    counts = [len(pieces_of(feature, size)) for feature in features]
    if not torch.is_grad_enabled():
        return loss_of(*_joined([embed(dict(piece)) for piece in pieces], counts))
    states, vectors = [], []
    with torch.no_grad():
        for piece in pieces:
            states.append(_random_state())
            vectors.append(embed(dict(piece)).detach().requires_grad_())
    loss = loss_of(*_joined(vectors, counts))
    gradients = torch.autograd.grad(loss, vectors, allow_unused=True)
    # A leaf joins the graph, so that backward() comes here although no weight is in it yet.
    hook = torch.zeros((), device=loss.device, requires_grad=True)
    result: Tensor = _Carry.apply(hook, loss.detach(), embed, pieces, gradients, states, after)  # type: ignore[no-untyped-call]
    return result


class _Carry(torch.autograd.Function):
    """Hands the vectors' gradients on to the weights, a piece at a time."""

    @staticmethod
    def forward(ctx: Any, hook: Tensor, loss: Tensor, *rest: Any) -> Tensor:
        """Passes the loss through."""
        ctx.rest = rest
        return loss.clone()

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[None, ...]:
        """Embeds each piece again, as it was embedded before, and continues from its vectors' gradient."""
        embed, pieces, gradients, states, after = ctx.rest
        for piece, gradient, state in zip(pieces, gradients, states, strict=True):
            if gradient is not None:
                with torch.random.fork_rng(), torch.enable_grad():
                    _set_random_state(state)
                    embed(dict(piece)).backward(gradient * outputs[0])
        after()
        return (None,) * 7


def pieces_of(features: Mapping[str, Tensor], size: int) -> list[dict[str, Tensor]]:
    """Cuts features along the texts, each piece only as wide as its longest text."""
    counted = [features["offsets"]] if "offsets" in features else list(features.values())
    texts = max((len(value) for value in counted if isinstance(value, Tensor) and value.ndim), default=0)
    return [pick(features, slice(start, start + size)) for start in range(0, texts, size)]


def pick(features: Mapping[str, Tensor], rows: slice | Tensor) -> dict[str, Tensor]:
    """Some texts' features, only as wide as the longest of them.

    Args:
        features: Tensors whose first dimension is the text; a static model's tokens stand one after another instead, with
            ``offsets`` that say where each text begins: of these, ``rows`` is a slice.
        rows: Which texts.
    """
    if "offsets" in features:
        return _pick_bags(features, rows)
    mask = features.get("attention_mask")
    if mask is not None and "query_expansion_positions" in features:
        mask = (
            mask.bool() | features["query_expansion_positions"].bool()
        )  # they count, though they may not be attended to
    width = None if mask is None else int(mask[rows].any(0).nonzero().max()) + 1

    def cut(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        return value[rows, :width] if mask is not None and value.shape == mask.shape else value[rows]

    return {key: cut(value) for key, value in features.items()}


def _pick_bags(features: Mapping[str, Tensor], rows: slice | Tensor) -> dict[str, Tensor]:
    assert isinstance(rows, slice)
    ids, offsets = features["input_ids"], features["offsets"]
    starts = offsets[rows]
    end = int(offsets[rows.stop]) if rows.stop is not None and rows.stop < len(offsets) else len(ids)
    return {**features, "input_ids": ids[int(starts[0]) : end], "offsets": starts - starts[0]}


def _joined(vectors: Sequence[Tensor], counts: Sequence[int]) -> list[Tensor]:
    rest = iter(vectors)
    return [joined([next(rest) for _ in range(count)]) for count in counts]


def _random_state() -> tuple[Tensor, list[Tensor]]:
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return torch.get_rng_state(), devices


def _set_random_state(state: tuple[Tensor, list[Tensor]]) -> None:
    torch.set_rng_state(state[0])
    if state[1]:
        torch.cuda.set_rng_state_all(state[1])
