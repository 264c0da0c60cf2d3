"""One model's vectors in two files, which are only ever added to: rows of numbers, and the key and checksums of each row.

``keys`` holds a record for each row of ``vectors.<length>.f4``. A row is written before its record and a record that is not
whole counts as none, so a kill at any point costs the rows that were under way. Of two rows with one key the later counts: a
row that a disk has damaged is made again and added. Rows are read through a memory map, as they are asked for.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from embft.damaged import locked, make_folder, set_aside
from embft.models.vectors import Vectors

logger = logging.getLogger(__name__)

Keys = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_RECORD = np.dtype([("key", "<u8", 2), ("row", "<u4"), ("record", "<u4")])
_BLOCK = 1 << 14
"""Rows checked at once."""
_MULTIPLIERS: npt.NDArray[np.uint64] = np.random.PCG64(21).random_raw(1 << 12) | np.uint64(1)
_KEYS = "keys"


def keys_of(model: str, prompt: str, texts: Sequence[str]) -> Keys:
    """The key of each text's vector; uint64 [n_texts, 2]."""
    begin = hashlib.sha256(f"{model}\0{prompt}\0".encode("utf-8", "surrogatepass"))
    keys = bytearray()
    for text in texts:
        own = begin.copy()
        own.update(text.encode("utf-8", "surrogatepass"))
        keys += own.digest()[:16]
    return np.frombuffer(bytes(keys), "<u8").reshape(-1, 2)


class VectorFiles:
    """The files of one model, or of whatever else gives vectors of one length.

    Args:
        folder: Of these files alone; made when the first vector is stored.
        model: What gives the vectors; written down beside them, for people.
    """

    def __init__(self, folder: Path, model: str) -> None:
        self.folder = folder
        self._model = model
        self._seen: tuple[object, ...] = ()  # sizes and times of the files that were read
        self._records = np.zeros(0, _RECORD)
        self._order = np.zeros(0, np.int64)
        self._sorted = np.zeros(0, np.uint64)
        self._known = np.zeros(0, np.bool_)
        self.rows: Vectors = np.zeros((0, 0), np.float32)

    @property
    def length(self) -> int | None:
        """Numbers in a vector; None where there is none yet."""
        path = self._vectors()
        return int(path.name.split(".")[1]) if path else None

    def find(self, keys: Keys) -> tuple[Places, int]:
        """The row of each key, -1 where it has no whole one; and how many are damaged, of the keys and of all records.

        Args:
            keys: uint64 [n, 2].
        """
        broken = self._refresh()
        if not len(self._order):
            return np.full(len(keys), -1, np.int64), broken
        at = np.searchsorted(self._sorted, keys[:, 0], side="right") - 1
        rows = self._order[np.maximum(at, 0)]
        stored = self._records["key"]
        same = (at >= 0) & (stored[rows] == keys).all(axis=1)
        for place in np.flatnonzero((at >= 0) & ~same & (stored[rows, 0] == keys[:, 0])).tolist():
            before = int(at[place])  # two keys with one first half
            while before >= 0 and self._sorted[before] == keys[place, 0] and not same[place]:
                rows[place] = self._order[before]
                same[place] = bool((stored[rows[place]] == keys[place]).all())
                before -= 1
        found = np.where(same, rows, -1)
        whole = self._whole(found)
        return np.where(whole, found, -1), broken + int((same & ~whole).sum())

    def add(self, keys: Keys, vectors: Vectors) -> Places | None:
        """Adds vectors and gives their rows; None, and nothing is added, where those that are there have another length.

        Args:
            keys: uint64 [n, 2].
            vectors: float32 [n, length].
        """
        make_folder(self.folder, self.folder.parent.parent)
        with locked(self.folder / ".lock"):
            if self.length not in (None, vectors.shape[1]):
                return None
            place = self._vectors() or self.folder / f"vectors.{vectors.shape[1]}.f4"
            if not place.exists():
                (self.folder / "model.txt").write_text(self._model + "\n", encoding="utf-8")
            records = np.zeros(len(keys), _RECORD)
            data = np.ascontiguousarray(vectors, "<f4")
            records["key"], records["row"] = keys, _checks(keys, data)
            records["record"] = _record_checks(records)
            path = self.folder / _KEYS
            first = _count(path)
            # The rows first: a record never speaks of a row that is not there.
            _write(place, first * data.shape[1] * data.itemsize, data)
            _write(path, first * _RECORD.itemsize, records)
        return np.arange(first, first + len(keys))

    def map(self) -> Vectors:
        """All rows, also those that were just added; float32 [n_rows, length], read-only."""
        self._refresh()
        return self.rows

    def _vectors(self) -> Path | None:
        found = [path for path in self.folder.glob("vectors.*.f4") if path.name.split(".")[1].isdigit()]
        return max(found, key=lambda path: path.lstat().st_size, default=None)

    def _refresh(self) -> int:
        """Reads what was added since, by whatever process; returns how many new records are damaged."""
        keys, vectors = self.folder / _KEYS, self._vectors()
        seen: tuple[object, ...] = (_stamp(keys), _stamp(vectors), vectors)
        if seen == self._seen:
            return 0
        try:
            records, rows = self._read(keys, vectors)
        except OSError as error:
            for path in (keys, vectors):
                if path is not None and not _readable(path) and os.path.lexists(path):
                    logger.warning(
                        "%s cannot be read (%s): it is now %s, and its vectors are made again.",
                        path, error.strerror or error, set_aside(path).name,
                    )  # fmt: skip
            records, rows, seen = np.zeros(0, _RECORD), np.zeros((0, 0), np.float32), ()
        old = len(self._records)
        # Of files that were replaced nothing is known; what was only added to keeps what was checked before.
        kept = old <= len(records) and bool((records[:old] == self._records).all())
        whole = _record_checks(records) == records["record"]
        known = np.zeros(len(records), np.bool_)
        if kept and rows.shape[1] == self.rows.shape[1]:
            known[:old] = self._known
        there = np.flatnonzero(whole[: len(rows)])
        self._order = there[np.argsort(records["key"][there, 0], kind="stable")]
        self._sorted = records["key"][self._order, 0]
        self._records, self._known, self.rows, self._seen = records, known, rows, seen
        return int((~whole[old if kept else 0 :]).sum()) + max(len(records) - len(rows), 0)

    def _read(self, keys: Path, vectors: Path | None) -> tuple[npt.NDArray[np.void], Vectors]:
        if not os.path.lexists(keys) and vectors is None:
            return np.zeros(0, _RECORD), np.zeros((0, 0), np.float32)
        records = np.fromfile(keys, _RECORD, _count(keys)) if os.path.lexists(keys) else np.zeros(0, _RECORD)
        if vectors is None:
            return records, np.zeros((0, 0), np.float32)
        length = int(vectors.name.split(".")[1])
        rows = min(len(records), vectors.stat().st_size // (4 * length))
        if not rows:
            return records, np.zeros((0, length), np.float32)
        return records, np.memmap(vectors, "<f4", "r", shape=(rows, length))

    def _whole(self, rows: Places) -> Flags:
        """Whether rows are what was written; each is looked at once a process. -1 is none."""
        asked = np.unique(rows[rows >= 0])
        asked = asked[~self._known[asked]]
        for start in range(0, len(asked), _BLOCK):
            block = asked[start : start + _BLOCK]
            self._known[block] = _checks(self._records["key"][block], self.rows[block]) == self._records["row"][block]
        return (rows >= 0) & self._known[rows]


def _stamp(path: Path | None) -> tuple[int, ...]:
    with suppress(OSError):
        if path is not None:
            status = path.stat()
            return status.st_ino, status.st_size, status.st_mtime_ns
    return ()


def _readable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.R_OK)


def _count(path: Path) -> int:
    return path.stat().st_size // _RECORD.itemsize if path.exists() else 0


def _write(path: Path, start: int, data: npt.NDArray[np.generic]) -> None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except (IsADirectoryError, PermissionError) as error:
        logger.warning("%s cannot be written (%s): it is now %s.", path, error.strerror, set_aside(path).name)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    with os.fdopen(descriptor, "r+b") as file:
        file.seek(start)
        file.write(data.tobytes())


def _checks(keys: Keys, vectors: Vectors) -> npt.NDArray[np.uint32]:
    """A checksum of each row with its key; uint32 [n]. One changed word always gives another sum before it is folded."""
    length = vectors.shape[1]
    multipliers = np.resize(_MULTIPLIERS, length) ^ (np.arange(length, dtype=np.uint64) & ~np.uint64(1)) << np.uint64(
        20
    )
    words = np.ascontiguousarray(vectors, "<f4").view("<u4")
    sums = np.empty(len(vectors), np.uint64)
    for start in range(0, len(words), _BLOCK):
        sums[start : start + _BLOCK] = words[start : start + _BLOCK].astype(np.uint64) @ multipliers
    return _folded(sums + keys @ _MULTIPLIERS[-2:])


def _record_checks(records: npt.NDArray[np.void]) -> npt.NDArray[np.uint32]:
    key, row = records["key"], records["row"].astype(np.uint64)
    return _folded(key @ _MULTIPLIERS[-4:-2] + row * _MULTIPLIERS[-5])


def _folded(sums: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint32]:
    mixed = (sums ^ (sums >> np.uint64(29))) * _MULTIPLIERS[-6] + _MULTIPLIERS[-7]
    return np.asarray(mixed >> np.uint64(32), np.uint32)
