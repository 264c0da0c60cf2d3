"""Approximate indexes against exact search: recall, time of a question, bytes, time to build.

    python benchmarks/bench_index.py FOLDER --vectors 100000

Vectors are made: clouds around 2,000 centres in 384 numbers, of length 1, one for each chunk; a question is a vector with noise.
What a cloud's spread is to real text differs, so the recall of a run's own index stands in its report. Results:
benchmarks/results/scale.md.
"""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

import numpy as np

from embft.config import FaissConfig, RetrievalConfig
from embft.models.vectors import unit
from embft.records import Passages
from embft.retrieval.approximate import IndexedScorer, indexed
from embft.retrieval.scoring import dense_scorers

WIDTH, CENTRES, QUESTIONS = 384, 2_000, 200
KINDS: tuple[dict[str, object], ...] = (
    {"kind": "hnsw"},
    {"kind": "hnsw", "effort": 64},
    {"kind": "ivf_pq"},
    {"kind": "ivf_pq", "rescore": 1},
    {"kind": "int8"},
    {"kind": "binary"},
    {"kind": "binary", "rescore": 20},
)


def main() -> None:
    """Builds each index in the folder, and prints a row of the table for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--vectors", type=int, default=100_000)
    parser.add_argument("--kinds", nargs="+", default=["hnsw", "ivf_pq", "int8", "binary"])
    arguments = parser.parse_args()
    count = arguments.vectors
    dice = np.random.default_rng(5)
    centres = dice.normal(size=(CENTRES, WIDTH)).astype(np.float32)
    vectors = centres[dice.integers(0, CENTRES, count)]
    vectors += 0.8 * dice.standard_normal((count, WIDTH), np.float32)
    vectors = unit(vectors)
    asked = vectors[dice.integers(0, count, QUESTIONS)] + 0.03 * dice.standard_normal((QUESTIONS, WIDTH), np.float32)
    passages = Passages(tuple(f"c{at:07}" for at in range(count)), ["?"] * count, np.arange(count))
    exact = dense_scorers(unit(asked), vectors, passages)
    print("| vectors | index | recall@10 | recall@100 | ms a question | exactly | MB | CPU seconds to build |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for settings in KINDS:
        if settings["kind"] not in arguments.kinds:
            continue
        retrieval = RetrievalConfig(name="truncate", index="faiss", faiss=FaissConfig(**settings))  # type: ignore[arg-type]
        cpu = time.process_time()
        scorer = indexed(exact, retrieval, arguments.folder / "indexes")["cosine"]
        built = time.process_time() - cpu
        assert isinstance(scorer, IndexedScorer)
        facts = scorer.facts()
        named = ", ".join(f"{name} {value}" if name != "kind" else str(value) for name, value in settings.items())
        print(
            f"| {count:,} | {named} | {facts.recall['10']:.3f} | {facts.recall['100']:.3f} | {facts.query_ms:.2f} | "
            f"{facts.exact_ms:.2f} | {facts.bytes / 1e6:,.1f} | {built:.1f} |",
            flush=True,
        )
    shutil.rmtree(arguments.folder / "indexes")


if __name__ == "__main__":
    main()
