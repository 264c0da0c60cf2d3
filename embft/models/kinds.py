"""The kinds of embedding models: transformers, static tables, and encoders of many vectors; and what differs between them.

- A transformer with a pooling gives one vector per text, and has one per token before the pooling.
- A static model (`StaticEmbedding`, model2vec) looks its tokens up in a table and takes their mean.
- A `MultiVectorEncoder` (ColBERT) gives one vector per token, projected and masked, and none of the text.
"""

from __future__ import annotations

import math
from typing import Any
from weakref import WeakKeyDictionary

TRANSFORMER, STATIC, MULTI_VECTOR = "transformer", "static", "multi_vector"

_tokenizers: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""Of static modules: wrapping a large vocabulary takes a second."""


def is_static(model: Any) -> bool:
    """Whether a loaded model is a table of vectors."""
    return type(model[0]).__name__ == "StaticEmbedding"


def is_multi_vector(model: Any) -> bool:
    """Whether a loaded model gives one vector per token and none of the text."""
    return type(model).__name__ == "MultiVectorEncoder"


def tokenizer_of(model: Any) -> Any:
    """A model's tokenizer, as transformers have it; a static model has that of the library `tokenizers` alone."""
    if not is_static(model):
        return model.tokenizer
    module = model[0]
    if module not in _tokenizers:
        from transformers import PreTrainedTokenizerFast

        _tokenizers[module] = PreTrainedTokenizerFast(tokenizer_object=module.tokenizer)
    return _tokenizers[module]


def limit_of(model: Any) -> int | None:
    """Tokens that a model reads of a passage, its marks and prompt included; None where it reads all."""
    if is_static(model):
        truncation = model[0].tokenizer.truncation
        return int(truncation["max_length"]) if truncation else None
    limits = [model.max_seq_length, getattr(model[0], "document_length", None) if is_multi_vector(model) else None]
    return min((limit for limit in limits if limit and limit < math.inf), default=None)


def set_limit(model: Any, limit: int) -> None:
    """Has a model read so many tokens of a text, questions and passages alike."""
    if is_static(model):
        model[0].tokenizer.enable_truncation(limit)
        _tokenizers.pop(model[0], None)
        return
    model.max_seq_length = limit
    if is_multi_vector(model):
        for side in ("query_length", "document_length"):
            if getattr(model[0], side, None):
                setattr(model[0], side, limit)


def marks_in(model: Any) -> int:
    """Tokens that a model adds to each text."""
    return 0 if is_static(model) else int(model.tokenizer.num_special_tokens_to_add())
