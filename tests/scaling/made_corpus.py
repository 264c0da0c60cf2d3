"""A corpus of some thousand short made-up texts with questions, and a tiny model: enough shards to lose some on the way."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np

from embft.retrieval.vector_files import VectorFiles

WORDS = tuple(f"w{number}" for number in range(400))


def texts(count: int, seed: int = 3) -> list[str]:
    """Made-up texts, all different."""
    dice = random.Random(seed)
    return [" ".join([f"w{at % 400}", *dice.choices(WORDS, k=dice.randint(6, 30))]) for at in range(count)]


def write_corpus(folder: Path, chunks: int, questions: int = 40) -> list[str]:
    """Writes a BEIR folder; returns the overrides that search it without training."""
    (folder / "qrels").mkdir(parents=True)
    dice, every = random.Random(5), texts(chunks)
    rows = [{"_id": f"c{at:05}", "title": "", "text": text} for at, text in enumerate(every)]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    asked = dice.sample(range(chunks), questions)
    queries = [{"_id": f"q{at}", "text": " ".join(dice.sample(every[at].split(), 5))} for at in asked]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries), encoding="utf-8")
    judged = "".join(f"q{at}\tc{at:05}\t1\n" for at in asked)
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged, encoding="utf-8")
    return [
        "dataset=beir", f"dataset.path={folder}", "training=none", "evaluation=base_only", "tracking=local",
        "evaluation.resamples=200", "retrieval=truncate",
    ]  # fmt: skip


def save_model(folder: Path, layers: int = 2) -> Path:
    """The model's folder."""
    from tiny_bert import save_tiny_bert

    return save_tiny_bert(folder, WORDS, layers, positions=64, width=32, seed=7)


def same_search(root: Path, one: tuple[str, str], other: tuple[str, str]) -> None:
    """Asserts that two runs, each with a cache of its own, have the same vectors to the last bit, and the same figures."""
    metrics, vectors = [], []
    for run, cache in (one, other):
        metrics.append(json.loads((root / run / "metrics.json").read_text(encoding="utf-8")))
        vectors.append(_vectors(root / cache))
    assert metrics[0]["systems"] == metrics[1]["systems"]
    assert metrics[0]["comparisons"] == metrics[1]["comparisons"]
    assert vectors[0].keys() == vectors[1].keys()
    assert all(np.array_equal(vectors[0][key], vectors[1][key]) for key in vectors[0])


def _vectors(cache: Path) -> dict[bytes, np.ndarray]:
    """Vectors by their key."""
    found = {}
    for folder in (cache / "vectors").iterdir():
        files = VectorFiles(folder, "")
        rows = files.map()
        keys = np.frombuffer((folder / "keys").read_bytes(), np.uint8).reshape(len(rows), -1)[:, :16]
        found |= {key.tobytes(): row for key, row in zip(keys, rows, strict=True)}
    return found
