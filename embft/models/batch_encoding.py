"""A batch of texts of mixed lengths, as a server gets it: cut into tokens once, and padded among texts of like length alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from embft.models.encoder import Encoder, computing_in, own_forward
from embft.models.kinds import is_static, limit_of, tokenizer_of
from embft.models.vectors import Vectors

if TYPE_CHECKING:
    from torch import Tensor

_PASS = {"cpu": 24}
"""What one more pass through the model costs, in tokens of a text, by device: kernels are started anew."""
_PASS_ELSEWHERE = 4096


@dataclass(frozen=True)
class EncodedBatch:
    """Texts' vectors, in their order.

    Attributes:
        vectors: float32 [n_texts, dim], as the model gives them.
        tokens: How many each text has, with prompt and marks.
        cut: Whether the model saw its beginning only.
    """

    vectors: Vectors
    tokens: list[int]
    cut: list[bool]


def encode_batch(encoder: Encoder, texts: Sequence[str], *, queries: bool) -> EncodedBatch:
    """Embeds texts as `Encoder.encode_questions` and `encode_passages` do.

    Args:
        encoder: The model and its prompts.
        texts: One at least; without the prompt. All are in memory at once.
        queries: Whether they are questions.
    """
    import torch

    model, prompt = encoder.model, encoder.query_prompt if queries else encoder.document_prompt
    task = "query" if queries else "document"
    with torch.inference_mode(), own_forward(model), computing_in(encoder.precision, model.device.type):
        features = model.preprocess(list(texts), prompt=prompt, task=task)
        mask = _mask(features, len(texts))
        if mask is None:
            return EncodedBatch(
                encoder.encode_with(model, texts, queries=queries), *_counted(model, [prompt + text for text in texts])
            )
        tokens = [int(count) for count in mask.sum(dim=1)]
        vectors: Vectors | None = None
        for rows in by_length(tokens, _PASS.get(model.device.type, _PASS_ELSEWHERE)):
            part = {name: value.to(model.device) for name, value in _rows(features, mask, rows).items()}
            found = model({**features, **part}, task=task)["sentence_embedding"][:, : model.truncate_dim]
            found = found.float().cpu().numpy()
            if vectors is None:
                vectors = np.empty((len(texts), found.shape[1]), np.float32)
            vectors[rows] = found
    assert vectors is not None
    cut = [False] * len(texts)
    full = [place for place, count in enumerate(tokens) if count == limit_of(model)]
    if full:  # cut off, or just as long
        whole, was_cut = _counted(model, [prompt + texts[place] for place in full])
        for place, count, shortened in zip(full, whole, was_cut, strict=True):
            tokens[place], cut[place] = count, shortened
    return EncodedBatch(vectors, tokens, cut)


def by_length(lengths: Sequence[int], one_pass: int) -> list[list[int]]:
    """Parts of a batch that are worth a pass of their own: their sum of (pass + texts * longest text) is the least.

    Args:
        lengths: Tokens of each text.
        one_pass: What a pass costs, in tokens.

    Returns:
        Positions of texts, the shortest first.
    """
    order = sorted(range(len(lengths)), key=lambda place: lengths[place])
    alike = [list(places) for _, places in groupby(order, key=lambda place: lengths[place])]
    # cheapest[n]: the least cost of the first n lengths, and where its last part begins.
    cheapest: list[tuple[float, int]] = [(0.0, 0)]
    for end, last in enumerate(alike, start=1):
        longest, texts, best = lengths[last[0]], 0, (float("inf"), 0)
        for start in range(end - 1, -1, -1):
            texts += len(alike[start])
            best = min(best, (cheapest[start][0] + one_pass + texts * longest, start))
        cheapest.append(best)
    parts, end = [], len(alike)
    while end:
        start = cheapest[end][1]
        parts.append([place for places in alike[start:end] for place in places])
        end = start
    return parts[::-1]


def _mask(features: Mapping[str, Any], count: int) -> Tensor | None:
    """Which tokens are real, bool [n_texts, longest]; None where the features are no such table."""
    mask, ids = features.get("attention_mask"), features.get("input_ids")
    if mask is None or ids is None or mask.ndim != 2 or mask.shape != ids.shape or len(mask) != count:
        return None
    found: Tensor = mask.bool()
    return found


def _rows(features: Mapping[str, Any], mask: Tensor, rows: list[int]) -> dict[str, Tensor]:
    """The features of some texts, without the columns in which none of them has a token: padding may stand on either side."""
    columns = mask[rows].any(dim=0)
    return {
        name: value[rows][:, columns] for name, value in features.items() if getattr(value, "shape", None) == mask.shape
    }


def _counted(model: Any, texts: list[str]) -> tuple[list[int], list[bool]]:
    """Tokens of whole texts, and whether the model cuts them off."""
    limit, marked = limit_of(model), not is_static(model)
    ids = tokenizer_of(model)(texts, add_special_tokens=marked, truncation=False, verbose=False)["input_ids"]
    counts = [len(row) for row in ids]
    return counts, [limit is not None and count > limit for count in counts]
