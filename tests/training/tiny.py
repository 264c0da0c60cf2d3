"""The training stage on a random BERT and made-up words: as in a run, but a step takes milliseconds."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from embft.config import RetrievalConfig
from embft.config.training import TrainingConfig
from embft.records import RetrievalDataset, Splits
from embft.retrieval.vector_cache import VectorCache
from embft.stages import StageCache, StageResult

WORDS = [f"w{number}" for number in range(80)]
SETTINGS: dict[str, Any] = {
    "epochs": 2, "batch_size": 4, "learning_rate": 3e-3, "precision": "fp32", "device": "cpu", "frozen_share": 0.0,
}  # fmt: skip


def make_model(folder: Path, layers: int = 3) -> None:
    """A BERT of random weights, in a sentence-transformers folder."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(7)
    bert = folder.with_name(f"{folder.name}-bert")
    bert.mkdir(parents=True)
    (bert / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]) + "\n")
    BertTokenizerFast(str(bert / "vocab.txt")).save_pretrained(bert)
    sizes = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32, "num_hidden_layers": layers}
    BertModel(BertConfig(vocab_size=len(WORDS) + 5, **sizes)).save_pretrained(bert)
    model = SentenceTransformer(modules=[Transformer(str(bert)), Pooling(16)], device="cpu")
    model.save_pretrained(str(folder), create_model_card=False)


def make_splits(train: int = 40, dev: int = 12, test: int = 12) -> Splits:
    """So many chunks of twelve words in each split; of each chunk, two questions of four of its words."""
    dice = random.Random(5)
    parts = {}
    for name, count in (("train", train), ("dev", dev), ("test", test)):
        corpus = {f"{name}-{at}": " ".join(dice.choices(WORDS, k=12)) for at in range(count)}
        asked = [(key, text) for key, text in corpus.items() for _ in range(2)]
        queries = {f"{name}-q{at}": " ".join(dice.sample(text.split(), 4)) for at, (_, text) in enumerate(asked)}
        relevant = {query: (key,) for query, (key, _) in zip(queries, asked, strict=True)}
        parts[name] = RetrievalDataset(queries, corpus, relevant)
    every = dict.fromkeys(("dev", "test"), Splits.EVERYTHING)
    return Splits(**parts, distractors={}, searches=every, origins={})


def make_dataset(splits: Splits | None = None, key: str = "tiny") -> Any:
    """The result of the stage ``dataset``."""
    from embft.steps.dataset import Dataset

    return StageResult(Dataset(splits or make_splits(), {}), key, Path("nowhere"), 0.0, 0.0, True)


def make_base(root: Path) -> Any:
    """The embedder of the model of ``root/base``, which is made where it is not there."""
    from embft.models.encoder import Encoder
    from embft.retrieval.embedder import Embedder

    if not (root / "base").exists():
        make_model(root / "base")
    encoder = Encoder(root / "base", "base", query_prompt="", document_prompt="", device="cpu")
    retrieval = RetrievalConfig(name="truncate", mode="truncate")
    return Embedder(encoder, retrieval, VectorCache(root / "cache" / "vectors.sqlite"))


def train(root: Path, *, seed: int = 1, splits: Splits | None = None, log: Any = None, **settings: Any) -> Any:
    """Tunes the model of ``root`` with its cache; returns the stage's result."""
    from embft.steps.training import tune_model

    config = TrainingConfig(name="tiny", **{**SETTINGS, **settings})
    found = log or (lambda values, step: None)
    return tune_model(StageCache(root / "cache"), config, make_dataset(splits), make_base(root), seed, found)
