"""Scorers as files of numbers: what other machines need to score chunks for questions, without a text or a model.

Arrays are mapped when they are read, so that machines with many processes hold them once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from embft import typed_json
from embft.models.vectors import StoredVectors
from embft.retrieval.best_windows import PositionFirst
from embft.retrieval.excluding import ExcludingScorer
from embft.retrieval.postings import Shard
from embft.retrieval.scoring import DenseScorer, Scorer
from embft.retrieval.word_scorer import WordIndex, WordScorer
from embft.scratch import Array

_ROWS = 1 << 14
_HEAD = "scorer.json"
_PARTS = ("by_chunk", "by_window", "by_pair")
_DENSE, _WORDS, _EXCLUDING = "dense", "words", "excluding"


@dataclass(frozen=True)
class _Head:
    """What kind of scorer lies in a folder.

    Attributes:
        stored: Of vectors: whether they were read from a file as they were asked for, which decides the blocks of the product.
        share_of_pairs: Of words.
        parts: Of words: which of the lists there are.
    """

    kind: str
    stored: bool = False
    share_of_pairs: float = 0.0
    parts: Sequence[str] = field(default_factory=tuple)


def can_be_shared(scorer: Scorer) -> bool:
    """Whether `share_scorer` knows this kind of scorer."""
    if isinstance(scorer, ExcludingScorer):
        return can_be_shared(scorer.scorer)
    return isinstance(scorer, DenseScorer | WordScorer)


def share_scorer(scorer: Scorer, folder: Path) -> None:
    """Writes a scorer into a new folder, a stretch at a time: memory stays flat."""
    folder.mkdir(parents=True)
    if isinstance(scorer, ExcludingScorer):
        share_scorer(scorer.scorer, folder / "scorer")
        rows = sorted(scorer.columns)
        _save(folder, "rows", np.array(rows, np.int64))
        _save_lists(folder, "columns", [scorer.columns[row] for row in rows])
        head = _Head(_EXCLUDING)
    elif isinstance(scorer, DenseScorer):
        _save(folder, "questions", scorer.questions)
        _save(folder, "starts", scorer.starts)
        passages = scorer.passages
        parts = (passages[start : start + _ROWS] for start in range(0, len(passages), _ROWS))
        _save_parts(folder, "passages", passages.shape, np.float32, parts)
        head = _Head(_DENSE, stored=isinstance(passages, StoredVectors))
    else:
        assert isinstance(scorer, WordScorer)
        index = scorer.index
        _save_lists(folder, "layouts", [layout.counts for layout in index.layouts])
        _save_lists(folder, "terms", scorer.terms)
        _save_lists(folder, "pairs", scorer.pairs)
        there = [name for name in _PARTS if getattr(index, name) is not None]
        for name in there:
            _save_shards(folder / name, getattr(index, name))
        head = _Head(_WORDS, share_of_pairs=index.share_of_pairs, parts=there)
    typed_json.save(folder / _HEAD, head)


def open_scorer(folder: Path) -> Scorer:
    """The scorer in a folder: its scores are the same, to the last bit on equal hardware."""
    head = typed_json.load(_Head, folder / _HEAD)
    if head.kind == _EXCLUDING:
        columns = dict(zip(_load(folder, "rows").tolist(), _load_lists(folder, "columns"), strict=True))
        return ExcludingScorer(open_scorer(folder / "scorer"), columns)
    if head.kind == _DENSE:
        passages = _load(folder, "passages")
        vectors = StoredVectors(passages, np.arange(len(passages))) if head.stored else np.array(passages)
        return DenseScorer(np.array(_load(folder, "questions")), vectors, np.array(_load(folder, "starts")))
    layouts = [PositionFirst(counts) for counts in _load_lists(folder, "layouts")]
    sizes = [len(layout.counts) for layout in layouts]
    windows = [layout.n_windows for layout in layouts]
    by_chunk, by_window, by_pair = (
        _load_shards(folder / name, windows if name == "by_window" else sizes) if name in head.parts else None
        for name in _PARTS
    )
    assert by_chunk is not None
    index = WordIndex(layouts, by_chunk, by_window, by_pair, head.share_of_pairs)
    terms, pairs = ([one.tolist() for one in _load_lists(folder, name)] for name in ("terms", "pairs"))
    return WordScorer(index, terms, pairs)


@dataclass(frozen=True)
class _Stretch:
    """The lists of one shard, see `embft.scratch.Arrays`."""

    starts: Array
    texts: Array
    scores: Array

    def open(self, *, to_change: bool = False) -> tuple[Array, ...]:
        return self.starts, self.texts, self.scores


def _save_shards(folder: Path, shards: Sequence[Shard]) -> None:
    folder.mkdir()
    _save(folder, "starts", np.stack([shard.lists().starts for shard in shards]))
    total = sum(int(shard.lists().starts[-1]) for shard in shards)
    _save_parts(folder, "texts", (total,), np.int32, (shard.lists().texts for shard in shards))
    _save_parts(folder, "scores", (total,), np.float32, (shard.lists().scores for shard in shards))


def _load_shards(folder: Path, sizes: Sequence[int]) -> list[Shard]:
    starts, texts, scores = (_load(folder, name) for name in ("starts", "texts", "scores"))
    ends = [0, *np.cumsum(starts[:, -1]).tolist()]
    return [
        Shard(size, _Stretch(own, texts[first:end], scores[first:end]))
        for size, own, (first, end) in zip(sizes, starts, pairwise(ends), strict=True)
    ]


def _save_lists(folder: Path, name: str, lists: Sequence[Sequence[int] | npt.NDArray[np.int64]]) -> None:
    _save(folder, f"{name}.lengths", np.array([len(one) for one in lists], np.int64))
    _save(folder, name, np.concatenate([np.zeros(0, np.int64), *(np.asarray(one, np.int64) for one in lists)]))


def _load_lists(folder: Path, name: str) -> list[npt.NDArray[np.int64]]:
    every = np.array(_load(folder, name))
    lengths = np.array(_load(folder, f"{name}.lengths"))
    return np.split(every, np.cumsum(lengths)[:-1]) if len(lengths) else []


def _save(folder: Path, name: str, array: Array) -> None:
    np.save(folder / f"{name}.npy", array, allow_pickle=False)


def _save_parts(folder: Path, name: str, shape: tuple[int, ...], dtype: Any, parts: Iterable[Array]) -> None:
    """Without mapping what is written: not every network disk passes that on."""
    with (folder / f"{name}.npy").open("wb") as file:
        head = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, head)
        for part in parts:
            file.write(np.ascontiguousarray(part, dtype).data)


def _load(folder: Path, name: str) -> Array:
    path = folder / f"{name}.npy"
    try:
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError:  # nothing cannot be mapped
        array = np.load(path, allow_pickle=False)
    return array
