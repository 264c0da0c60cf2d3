"""Made questions, to be ranked over a made corpus; as a command, elsewhere: python rank_elsewhere.py FOLDER KEY=VALUE..."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from made_corpus import texts

from embft.config import ScaleConfig
from embft.models.vectors import StoredVectors, unit
from embft.ranking.bench import WEIGHTS
from embft.ranking.shards import OtherMachines, packed, row_arrays
from embft.retrieval.bm25 import BM25Scorer
from embft.retrieval.fusing import Reachable, ReachableOfEach
from embft.scaling.fleet import open_fleet

CHUNKS, QUESTIONS = 30_000, 4_000
"""Of the command: eight blocks of questions."""


def made_pass(chunks: int, questions: int, *, stored: bool = True) -> ReachableOfEach:
    """All mixes of BM25 and vectors, two windows a chunk."""
    random, every = np.random.default_rng(1), texts(chunks)
    asked = [" ".join(every[at].split()[:5]) for at in random.integers(0, chunks, questions)]
    corpus = {f"c{at:06}": text for at, text in enumerate(every)}
    words = BM25Scorer(corpus, asked, window=8, pairs=0.5, language="en").of_words
    vectors = unit(random.normal(size=(2 * chunks + questions, 16)).astype(np.float32))
    passages = StoredVectors(vectors[questions:], np.arange(2 * chunks)) if stored else vectors[questions:]
    from embft.retrieval.scoring import DenseScorer

    return ReachableOfEach(
        DenseScorer(vectors[:questions], passages, np.arange(0, 2 * chunks, 2)), words, WEIGHTS, 10, 0.0
    )


def as_bytes(rows: list[Reachable]) -> bytes:
    """Two results are the same where these are."""
    return packed([row_arrays(row) for row in rows])


def main(folder: str, *settings: str) -> None:
    values = dict(one.split("=", 1) for one in settings)
    scale = ScaleConfig(name="test", cpus=1, fewest_scores=1, shard_questions=1, **values)
    fleet = open_fleet(scale, Path(folder))
    assert fleet is not None
    rows = OtherMachines(fleet, ["a test"]).rows("mixes", made_pass(CHUNKS, QUESTIONS))
    assert rows is not None
    (Path(folder) / "rows").write_bytes(as_bytes(rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
