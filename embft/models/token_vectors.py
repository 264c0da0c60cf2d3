"""The vectors that a model has of each token of a text, before they are pooled to the text's one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from embft.errors import ModelError
from embft.models.encoder import Encoder, computing_in, embedding_progress, own_forward
from embft.models.kinds import is_multi_vector
from embft.models.vectors import TokenVectors, unit

if TYPE_CHECKING:
    from torch import Tensor


def token_vectors(encoder: Encoder, model: Any, texts: Sequence[str], *, queries: bool) -> TokenVectors:
    """Embeds texts token by token; special tokens and those of the prompt are left out, and lengths are 1.

    A text that has no other token keeps the special ones. A `MultiVectorEncoder` knows by itself which tokens count: its
    prompts and marks are part of what it was trained on.

    Args:
        encoder: Whose prompts and precision are taken.
        model: A `SentenceTransformer`: the encoder's, or one that is being trained from it.
        texts: Without the prompt; one at least.
        queries: Whether they are questions.

    Raises:
        ModelError: The model has no such vectors.
    """
    import torch

    if is_multi_vector(model):
        return _own_tokens(encoder, model, texts, queries=queries)
    prompt, task = (encoder.query_prompt, "query") if queries else (encoder.document_prompt, "document")
    with (
        own_forward(model),
        computing_in(encoder.precision, model.device.type),
        embedding_progress(model, len(texts)),
    ):
        # Everything that the model makes of each text, padded to the length of its batch.
        texts_features: list[dict[str, Tensor]] = model.encode(
            list(texts),
            prompt=prompt,
            task=task,
            batch_size=encoder.batch_size,
            show_progress_bar=False,
            output_value=None,
        )
    special = torch.tensor(sorted(marks_of(model.tokenizer)), device=model.device)
    starts = text_starts(model, prompt, texts)
    by_text, lengths = [], []
    for features, start in zip(texts_features, starts, strict=True):
        vectors, mask, ids = (features.get(name) for name in ("token_embeddings", "attention_mask", "input_ids"))
        if vectors is None or mask is None or ids is None or not len(vectors) == len(mask) == len(ids):
            raise ModelError(
                f"{encoder.name} has no vectors of tokens, which retrieval.mode=late needs: take a transformer, or "
                "retrieval=windows."
            )
        real = mask.bool().nonzero()[:, 0]  # padding may stand before a text as well as after it
        own = real[start:]
        own = own[~torch.isin(ids[own], special)]
        kept = vectors[own] if len(own) else vectors[real]
        by_text.append(torch.nn.functional.normalize(kept.float(), dim=-1).cpu().numpy())
        lengths.append(len(kept))
    return TokenVectors(np.concatenate(by_text), np.cumsum([0, *lengths[:-1]]))


def _own_tokens(encoder: Encoder, model: Any, texts: Sequence[str], *, queries: bool) -> TokenVectors:
    """Of a model that was made for it: projected, and masked as it says."""
    prompt, task = (encoder.query_prompt, "query") if queries else (encoder.document_prompt, "document")
    with (
        own_forward(model),
        computing_in(encoder.precision, model.device.type),
        embedding_progress(model, len(texts)),
    ):
        rows = model.encode(
            list(texts),
            prompt=prompt,
            task=task,
            batch_size=encoder.batch_size,
            show_progress_bar=False,
            convert_to_numpy=True,
        )
    width = model.get_embedding_dimension()
    # A text of nothing but what the model leaves out still has a place in the index.
    rows = [unit(np.asarray(row, np.float32)) if len(row) else np.zeros((1, width), np.float32) for row in rows]
    return TokenVectors(np.concatenate(rows), np.cumsum([0, *(len(row) for row in rows[:-1])]))


def text_starts(model: Any, prompt: str, texts: Sequence[str]) -> list[int]:
    """How many tokens stand before each text's own first one: marks of a beginning, and the prompt's.

    A prompt by itself may have another number of tokens than before a text: SentencePiece takes a space at its end for the
    beginning of the next word.

    Args:
        model: A `SentenceTransformer`.
        prompt: Before each text.
        texts: Without the prompt.
    """
    if not prompt:
        return [0] * len(texts)
    spans = model.tokenizer(
        [prompt + text for text in texts],
        truncation=True,
        max_length=model.max_seq_length,
        return_offsets_mapping=True,
        verbose=False,
    )["offset_mapping"]
    return [next((place for place, (_, end) in enumerate(row) if end > len(prompt)), len(row)) for row in spans]


def marks_of(tokenizer: Any) -> set[int]:
    """The tokens that mark a text's beginning and end, and padding; a token that stands for an unknown word is none."""
    names = ("cls_token_id", "sep_token_id", "bos_token_id", "eos_token_id", "pad_token_id")
    return {mark for name in names if (mark := getattr(tokenizer, name, None)) is not None}
