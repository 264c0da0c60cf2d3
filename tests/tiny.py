"""The training stage on a random BERT and made-up words: as in a run, but a step takes milliseconds."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from plain_config import plain_config
from tiny_bert import save_tiny_bert

from embft.config import ModelConfig, RetrievalConfig, TrainingConfig
from embft.records import RetrievalDataset, Splits
from embft.retrieval.vector_cache import VectorCache
from embft.stages import StageResult

WORDS = [f"w{number}" for number in range(80)]
SETTINGS: dict[str, Any] = {
    "epochs": 2, "batch_size": 4, "learning_rate": 3e-3, "precision": "fp32", "device": "cpu", "frozen_share": 0.0,
}  # fmt: skip


def make_model(folder: Path, layers: int = 3) -> None:
    """A BERT of random weights that knows the words, in a sentence-transformers folder."""
    plain = folder.with_name(f"{folder.name}-bert")
    save_tiny_bert(plain, tuple(WORDS), layers, positions=512, width=16, seed=7).rename(folder)


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
    from embft.results import Dataset, DatasetReport

    report = DatasetReport({}, {}, {}, {})
    return StageResult(Dataset(splits or make_splits(), report), key, Path("nowhere"), 0.0, 0.0, True)


def make_base(root: Path) -> Any:
    """The embedder of the model of ``root/base``, which is made where it is not there."""
    from embft.models.encoder import Encoder
    from embft.retrieval.embedder import Embedder

    if not (root / "base").exists():
        make_model(root / "base")
    encoder = Encoder(root / "base", "base", query_prompt="", document_prompt="")
    retrieval = RetrievalConfig(name="truncate", mode="truncate")
    return Embedder(encoder, retrieval, VectorCache(root / "cache" / "vectors"))


def make_lab(root: Path, base: Any = None, seed: int = 1, **settings: Any) -> Any:
    """A workspace of ``root`` with a recipe: the tiny one with changes."""
    from embft.steps.workspace import Lab

    base = base or make_base(root)
    training = TrainingConfig(name="tiny", **{**SETTINGS, **settings})
    config = plain_config(model=ModelConfig(name="tiny"), training=training, retrieval=base.retrieval, seed=seed)
    return Lab(config, root / "cache", base)


def train(root: Path, *, seed: int = 1, splits: Splits | None = None, log: Any = None, **settings: Any) -> Any:
    """Trains the model of ``root`` with its cache; returns the stage's result."""
    from embft.steps.training import train_model

    lab = make_lab(root, seed=seed, **settings)
    return train_model(lab, make_dataset(splits), log or (lambda values, step: None))


def tune(root: Path, base: Any = None, splits: Splits | None = None, **settings: Any) -> Any:
    """The whole of it, whitening included; returns the stages' result."""
    from embft.steps.tuning import tune_model

    return tune_model(make_lab(root, base, **settings), make_dataset(splits), lambda values, step: None)
