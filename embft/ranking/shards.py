"""Questions ranked on other machines: each gets the scorers as files, and stretches of the questions."""

from __future__ import annotations

import io
import logging
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar
from zipfile import BadZipFile

import numpy as np

from embft import typed_json
from embft.errors import ScaleError
from embft.files import digest
from embft.progress import progress
from embft.retrieval.fusing import Reachable, ReachableOfEach
from embft.retrieval.passes import Pass
from embft.retrieval.scoring import BestOfEach, Scorer
from embft.retrieval.shared_scorers import can_be_shared, open_scorer, share_scorer
from embft.scaling.fleet import Fleet
from embft.scaling.kinds import Cut
from embft.scaling.work import Places
from embft.scratch import Array

logger = logging.getLogger(__name__)

Row = TypeVar("Row")

SCORERS = "scorers"
_OF_BEST, _OF_REACHABLE = 2, 7


@dataclass(frozen=True)
class PassSettings:
    """A pass, without its scorers, which are in the folder ``scorers``.

    Attributes:
        weights: Of `embft.retrieval.fusing.ReachableOfEach`; None: it is a `embft.retrieval.scoring.BestOfEach`.
        sizes: Of each file of the scorers its path and its bytes: a node must see them whole.
    """

    depth: int
    floor: float | None
    weights: tuple[float, ...] | None
    sizes: tuple[tuple[str, int], ...]


class Rank:
    """See `embft.scaling.kinds.Kind`: a shard gets stretches of questions, and gives what is kept of their scores."""

    name: ClassVar[str] = "rank"
    libraries: ClassVar[Sequence[str]] = ("numpy",)
    differs: ClassVar[str] = "the last bits of its scores may differ"
    kept_to_the_end: ClassVar[bool] = True

    def do(self, folder: Path, settings: Mapping[str, object], items: Sequence[object]) -> bytes:
        """See `embft.scaling.kinds.Kind`."""
        work = _pass_in(folder, typed_json.from_json(PassSettings, settings))
        stretches = typed_json.from_json(list[tuple[int, int]], items)
        return packed([row_arrays(row) for start, end in stretches for row in work.rows(start, end)])


@dataclass(frozen=True)
class Stretches(Generic[Row]):
    """The blocks of questions of a pass, see `embft.scaling.kinds.Job`.

    Attributes:
        work: The pass, which is a `BestOfEach` or a `ReachableOfEach` of scorers that can be shared.
        found: What came of blocks, by their place.
    """

    work: Pass[Row]
    found: dict[int, list[Row]] = field(default_factory=dict)

    @property
    def kind(self) -> Rank:
        """See `embft.scaling.kinds.Job`."""
        return Rank()

    @property
    def blocks(self) -> int:
        """How many."""
        return -(-self.work.n_questions // self.work.block)

    def missing(self) -> Places:
        """See `embft.scaling.kinds.Job`."""
        return np.array([place for place in range(self.blocks) if place not in self.found], np.int64)

    def items(self, places: Places) -> Sequence[object]:
        """See `embft.scaling.kinds.Job`: first question and the one after the last."""
        return [list(self._ends(place)) for place in places.tolist()]

    def share(self, folder: Path) -> PassSettings:
        """See `embft.scaling.kinds.Job`."""
        place = folder / SCORERS
        shutil.rmtree(place, ignore_errors=True)
        for name, scorer in _scorers_of(self.work).items():
            share_scorer(scorer, place / name)
        weights = tuple(self.work.weights) if isinstance(self.work, ReachableOfEach) else None
        assert isinstance(self.work, BestOfEach | ReachableOfEach)
        return PassSettings(self.work.depth, self.work.floor, weights, _sizes(place))

    def read(self, content: bytes, places: Places) -> list[list[Row]] | None:
        """See `embft.scaling.kinds.Job`: the rows of each block."""
        ends = [self._ends(place) for place in places.tolist()]
        width = _OF_REACHABLE if isinstance(self.work, ReachableOfEach) else _OF_BEST
        rows = unpacked(content, sum(end - start for start, end in ends), width)
        if rows is None or not all(_is_sound(row, self.work.n_chunks) for row in rows):
            return None
        made = iter([_row(row) for row in rows])
        return [[next(made) for _ in range(end - start)] for start, end in ends]

    def _ends(self, place: int) -> tuple[int, int]:
        start = place * self.work.block
        return start, min(start + self.work.block, self.work.n_questions)


@dataclass(frozen=True)
class OtherMachines:
    """See `embft.retrieval.passes.Elsewhere`.

    Attributes:
        fleet: The machines.
        run: What the ranking is made from: names its work, so that a run that was killed finds it again.
    """

    fleet: Fleet
    run: Sequence[object]

    def rows(self, name: str, work: Pass[Row]) -> list[Row] | None:
        """What they make of all questions; None where it is nothing for them, or too little."""
        scorers, cut = _scorers_of(work), self.fleet.scores
        if not scorers or not all(map(can_be_shared, scorers.values())):
            return None
        name = f"ranking-{digest([*self.run, name])}"
        if work.n_questions * work.n_chunks < cut.fewest and not self.fleet.has_begun(name):
            return None
        job: Stretches[Row] = Stretches(work)
        logger.info("%s questions are ranked by other machines.", f"{work.n_questions:,}")
        with progress("scoring", job.blocks, "blocks of questions") as shown:
            for places, rows in self.fleet.results(name, job, Cut(max(1, cut.size // work.block), cut.fewest)):
                job.found.update(zip(places.tolist(), rows, strict=True))
                shown.advance(len(places))
        return [row for place in range(job.blocks) for row in job.found[place]]


def packed(rows: Sequence[Sequence[Array]]) -> bytes:
    """Rows of arrays as bytes: of each column the lengths, and all of it."""
    columns: dict[str, Array] = {}
    for at, column in enumerate(zip(*rows, strict=True)):
        columns[f"lengths{at}"] = np.array([len(array) for array in column], np.int64)
        columns[f"values{at}"] = np.concatenate(column)
    file = io.BytesIO()
    np.savez(file, **columns)  # type: ignore[arg-type]
    return file.getvalue()


def unpacked(content: bytes, count: int, width: int) -> list[tuple[Array, ...]] | None:
    """Rows of arrays from bytes; None where these are no such rows.

    Args:
        count: Of rows.
        width: Arrays in each.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            columns = [(file[f"lengths{at}"], file[f"values{at}"]) for at in range(width)]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None
    for lengths, values in columns:
        whole = lengths.dtype == np.int64 and lengths.shape == (count,) and (lengths >= 0).all()
        if not whole or values.ndim != 1 or len(values) != lengths.sum():
            return None
    return list(zip(*(np.split(values, np.cumsum(lengths)[:-1]) for lengths, values in columns), strict=True))


def _scorers_of(work: object) -> dict[str, Scorer]:
    """By name; empty for a pass that is not known here."""
    if isinstance(work, BestOfEach):
        return {"only": work.scorer}
    return {"dense": work.dense, "words": work.words} if isinstance(work, ReachableOfEach) else {}


def row_arrays(row: Any) -> tuple[Array, ...]:
    """A row of either pass, as arrays: places and scores by turns come last."""
    if isinstance(row, Reachable):
        return (row.places, row.dense, row.words, *row.by_dense, *row.by_words)
    return tuple(row)


def _row(arrays: tuple[Array, ...]) -> Any:
    if len(arrays) == _OF_BEST:
        return arrays
    return Reachable(arrays[0], arrays[1], arrays[2], (arrays[3], arrays[4]), (arrays[5], arrays[6]))


def _is_sound(arrays: tuple[Array, ...], n_chunks: int) -> bool:
    """Whether each array of scores goes with places of chunks that there are: a faulty node's would spoil the figures."""
    places, scores = arrays[0], arrays[1:] if len(arrays) == _OF_BEST else arrays[1:3]
    if len(arrays) == _OF_REACHABLE and not all(_is_sound(arrays[at : at + 2], n_chunks) for at in (3, 5)):
        return False
    there = places.dtype.kind == "i" and ((places >= 0) & (places < n_chunks)).all()
    return bool(there) and all(
        one.dtype == np.float32 and len(one) == len(places) and np.isfinite(one).all() for one in scores
    )


def _sizes(folder: Path) -> tuple[tuple[str, int], ...]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return tuple((str(path.relative_to(folder)), path.stat().st_size) for path in files)


@lru_cache(maxsize=1)
def _pass_in(folder: Path, settings: PassSettings) -> BestOfEach | ReachableOfEach:
    """The pass, opened once by each process that does shards."""
    place, depth, floor = folder / SCORERS, settings.depth, settings.floor
    if _sizes(place) != settings.sizes:
        raise ScaleError(f"The index in {place} is not whole as seen from {platform.node()}: is that disk full?")
    if settings.weights is None:
        return BestOfEach(open_scorer(place / "only"), depth, floor)
    return ReachableOfEach(
        open_scorer(place / "dense"), open_scorer(place / "words"), settings.weights, depth, floor or 0.0
    )
