"""Rankings on disk: arrays for programs, and the first questions as text for people."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path

import numpy as np

from embft.files import replacing, write_json
from embft.records import Ranking

_SHOWN, _FIRST = 5, 10
"""Questions of a sample, and chunks of each."""
ENDING = ".npz"


def write_ranking(path: Path, ranking: Ranking) -> None:
    """Writes a ranking: ``places`` and ``scores`` of all chunks, question after question, and what ``ends`` each.

    ``names`` holds the ids of questions and chunks as JSON in bytes. Beside it ``<name>.sample.json`` shows the first questions.

    Args:
        path: Ends in `ENDING`.
        ranking: Its scores are kept as float32 where that is what they are.
    """
    numbers: dict[str, int] = {}
    places = [numbers.setdefault(chunk_id, len(numbers)) for ids in ranking.chunk_ids.values() for chunk_id in ids]
    scores = np.array(list(chain.from_iterable(ranking.scores.values())), np.float64)
    single = scores.astype(np.float32)
    names = json.dumps([list(ranking.chunk_ids), list(numbers)]).encode()
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            names=np.frombuffer(names, np.uint8),
            ends=np.cumsum([len(ids) for ids in ranking.chunk_ids.values()], dtype=np.int64),
            places=np.array(places, np.int32),
            scores=single if np.array_equal(single, scores) else scores,
        )
    sample = {
        question_id: dict(zip(ids[:_FIRST], ranking.scores[question_id][:_FIRST], strict=True))
        for question_id, ids in list(ranking.chunk_ids.items())[:_SHOWN]
    }
    write_json(path.with_suffix(".sample.json"), sample)


def read_ranking(path: Path, system: str, score_name: str) -> Ranking:
    """What `write_ranking` wrote. Ids that stand in many rankings of it are one object each."""
    with np.load(path, allow_pickle=False) as arrays:
        question_ids, chunk_ids = json.loads(arrays["names"].tobytes())
        places, scores, ends = arrays["places"], arrays["scores"], arrays["ends"].tolist()
    ids: dict[str, tuple[str, ...]] = {}
    by_question: dict[str, tuple[float, ...]] = {}
    start = 0
    for question_id, end in zip(question_ids, ends, strict=True):
        ids[question_id] = tuple(map(chunk_ids.__getitem__, places[start:end].tolist()))
        by_question[question_id] = tuple(scores[start:end].tolist())
        start = end
    return Ranking(system, score_name, ids, by_question)
