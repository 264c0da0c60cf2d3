"""A tiny random BERT in sentence-transformers' layout, for tests of everything but quality."""

from __future__ import annotations

import string
from pathlib import Path

LETTERS = (
    *string.ascii_lowercase, *string.digits, *(f"##{letter}" for letter in string.ascii_lowercase + string.digits),
    *map(chr, range(0x4E00, 0x9FA6)),
)  # fmt: skip
"""A vocabulary of English and Chinese letters, so that no two texts are the same to the model."""


def save_tiny_bert(
    folder: Path,
    words: tuple[str, ...] = ("a", "b", "c", "d"),
    layers: int = 3,
    positions: int = 64,
    width: int = 8,
    seed: int = 0,
) -> Path:
    """Writes the model; returns its folder, ``folder/model``."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    sizes = {
        "hidden_size": width,
        "num_attention_heads": 2,
        "intermediate_size": 2 * width,
        "num_hidden_layers": layers,
    }
    BertModel(BertConfig(vocab_size=len(vocabulary), max_position_embeddings=positions, **sizes)).save_pretrained(
        folder
    )
    model = SentenceTransformer(modules=[Transformer(str(folder)), Pooling(width)], device="cpu")
    model.save_pretrained(str(folder / "model"), create_model_card=False)
    return folder / "model"
