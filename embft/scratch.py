"""Arrays that are too large for memory, in a file without a name that ends with whoever needs it."""

from __future__ import annotations

import logging
import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
import numpy.typing as npt

logger = logging.getLogger(__name__)

Array = npt.NDArray[Any]

IN_MEMORY = 128 << 20
"""Bytes that are kept in memory; what comes after them goes into the file."""


class Arrays(Protocol):
    """Some arrays, wherever they are."""

    def open(self, *, to_change: bool = False) -> tuple[Array, ...]:
        """The arrays, each of one dimension; written to where they are ``to_change``."""
        ...


@dataclass(frozen=True)
class _InMemory:
    arrays: tuple[Array, ...]

    def open(self, *, to_change: bool = False) -> tuple[Array, ...]:
        return self.arrays


@dataclass(frozen=True)
class _InFile:
    """Mapped anew at each `open`, and out of memory as soon as nobody has the arrays any more."""

    file: IO[bytes]
    places: tuple[tuple[int, int, np.dtype[Any]], ...]

    def open(self, *, to_change: bool = False) -> tuple[Array, ...]:
        return tuple(self._map(*place, "r+" if to_change else "r") for place in self.places)

    def _map(self, first: int, length: int, dtype: np.dtype[Any], mode: Any) -> Array:
        if not length:
            return np.zeros(0, dtype)  # nothing cannot be mapped
        return np.memmap(self.file, dtype, mode, first, (length,)).view(np.ndarray)


class Scratch:
    """Keeps the first arrays in memory, and the others in a file in ``TMPDIR``, else in /var/tmp, which is on a disk.

    Args:
        in_memory: Bytes of the first ones.
    """

    def __init__(self, in_memory: int | None = None) -> None:
        self._left = IN_MEMORY if in_memory is None else in_memory
        self._refused = False

    @cached_property
    def _file(self) -> IO[bytes]:
        return tempfile.TemporaryFile(dir=_folder(), prefix="embft-")

    def keep(self, *arrays: Array) -> Arrays:
        """Keeps arrays of one dimension. Where no file can be written, all stay in memory, and that is said once."""
        self._left -= sum(array.nbytes for array in arrays)
        if self._left >= 0 or self._refused:
            return _InMemory(arrays)
        try:
            return _InFile(self._file, tuple((self._write(array), len(array), array.dtype) for array in arrays))
        except OSError as error:
            self._refused = True
            where = _folder() or "the folder for temporary files"
            logger.warning("%s cannot be written (%s): what is too large for memory stays there. TMPDIR names another folder.",
                           where, error.strerror or error)  # fmt: skip
            return _InMemory(arrays)

    def _write(self, array: Array) -> int:
        first = self._file.seek(0, os.SEEK_END)
        self._file.write(np.ascontiguousarray(array).view(np.uint8).data)
        self._file.flush()
        return first


def _folder() -> Path | None:
    """Where /tmp is memory, as on many machines, a file there would save nothing."""
    disk = Path("/var/tmp")
    return disk if not os.environ.get("TMPDIR") and os.access(disk, os.W_OK) else None
