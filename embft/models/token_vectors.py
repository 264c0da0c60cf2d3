"""The vectors that a model has of each token of a text, before they are pooled to the text's one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from embft.errors import ModelError
from embft.models.encoder import Encoder, computing_in, own_forward
from embft.records import TokenVectors


def token_vectors(encoder: Encoder, model: Any, texts: Sequence[str], *, queries: bool) -> TokenVectors:
    """Embeds texts token by token; special tokens and those of the prompt are left out, and lengths are 1.

    A text that has no other token keeps the special ones.

    Args:
        encoder: Whose prompts and precision are taken.
        model: A `SentenceTransformer`: the encoder's, or one that is being trained from it.
        texts: Without the prompt; one at least.
        queries: Whether they are questions.

    Raises:
        ModelError: The model has no such vectors.
    """
    import torch

    prompt, task = (encoder.query_prompt, "query") if queries else (encoder.document_prompt, "document")
    with own_forward(model), computing_in(encoder.precision, model.device.type):
        # Everything that the model makes of each text, padded to the length of its batch.
        texts_features: list[dict[str, Any]] = model.encode(
            list(texts),
            prompt=prompt,
            task=task,
            batch_size=encoder.batch_size,
            show_progress_bar=False,
            output_value=None,
        )
    special = torch.tensor(sorted(marks_of(model.tokenizer)), device=model.device)
    ahead = len(model.tokenizer(prompt, add_special_tokens=False)["input_ids"]) if prompt else 0
    found, lengths = [], []
    for features in texts_features:
        vectors, mask, ids = (features.get(name) for name in ("token_embeddings", "attention_mask", "input_ids"))
        if vectors is None or mask is None or ids is None or not len(vectors) == len(mask) == len(ids):
            raise ModelError(
                f"{encoder.name} has no vectors of tokens, which retrieval.mode=late needs: take a transformer, or "
                "retrieval=windows."
            )
        real = mask.bool()
        own = (real & ~torch.isin(ids, special)).nonzero()[:, 0][ahead:]
        kept = vectors[own] if len(own) else vectors[real]
        found.append(torch.nn.functional.normalize(kept.float(), dim=-1).cpu().numpy())
        lengths.append(len(kept))
    return TokenVectors(np.concatenate(found), np.cumsum([0, *lengths[:-1]]))


def marks_of(tokenizer: Any) -> set[int]:
    """The tokens that mark a text's beginning and end, and padding; a token that stands for an unknown word is none."""
    names = ("cls_token_id", "sep_token_id", "bos_token_id", "eos_token_id", "pad_token_id")
    return {mark for name in names if (mark := getattr(tokenizer, name, None)) is not None}
