"""A tiny random cross-encoder, in the layouts that are found on the hub."""

from __future__ import annotations

from pathlib import Path

WORDS = ("loop", "break", "class", "value", "name", "early", "stop", "the", "a", "is")


def save_tiny_cross_encoder(folder: Path, *, labels: int = 1, layout: str = "transformers") -> Path:
    """Writes the model; returns its folder. ``layout``: ``transformers`` (ms-marco, bge) or ``modules`` (5.4 and later)."""
    import torch
    from sentence_transformers import CrossEncoder
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    sizes = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16, "num_hidden_layers": 2}
    config = BertConfig(vocab_size=len(vocabulary), max_position_embeddings=64, num_labels=labels, **sizes)
    BertForSequenceClassification(config).save_pretrained(folder)
    if layout == "modules":
        CrossEncoder(str(folder), device="cpu").save_pretrained(str(folder / "saved"))
        return folder / "saved"
    return folder
