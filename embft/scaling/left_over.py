"""Work in a shared folder that nobody is at any more: of runs that were killed and never started again."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from embft.damaged import remove
from embft.heartbeat import Heartbeat

_NAME = re.compile(r"(write-|training-|ranking-)?[0-9a-f]{16}")
_ORDERS = ("work.json", "order.json")
"""What is to be done: shards (`embft.scaling.work`), or a training (`embft.training.order`)."""
_SILENCE = 3600.0
"""Seconds without a sign of life after which surely nobody is at a folder, whatever ``scale.silence_seconds`` is."""


def shards_of(named: str | None, cache_dir: Path) -> Path:
    """The folder of all such work: ``scale.folder``, or a folder of the cache."""
    return Path(named).expanduser().absolute() if named else cache_dir / "shards"


def lock_of(folder: Path) -> Path:
    """The lock of whoever has a folder's work done."""
    return folder.with_name(f"{folder.name}.lock")


@dataclass(frozen=True)
class LeftOver:
    """A folder of work, or of a training, that has begun.

    Attributes:
        folder: Where it lies.
        size: Bytes.
        changed: The last sign of life of whoever was at it, in seconds since 1970.
    """

    folder: Path
    size: int
    changed: float

    def delete(self) -> bool:
        """Deletes it, unless somebody is at it; returns whether it is gone."""
        lock = Heartbeat(lock_of(self.folder), _SILENCE)
        if not lock.take():
            return False
        try:
            remove(self.folder)
        finally:
            lock.release()
        return True


def _is_work(folder: Path) -> bool:
    """Whether a folder is such work, by its name and by what it holds: whoever names another place loses nothing there."""
    return bool(_NAME.fullmatch(folder.name)) and any((folder / name).is_file() for name in _ORDERS)


def left_over(shards: Path, days: float = 0) -> Iterator[LeftOver]:
    """Work that nobody has been at for some days; with 0, all that is there.

    Args:
        shards: The folder that all machines see.
    """
    for folder in sorted(shards.iterdir()) if shards.is_dir() else ():
        if folder.is_symlink() or not _is_work(folder):
            continue
        size, changed = 0, folder.lstat().st_mtime
        for path in (lock_of(folder), *folder.rglob("*")):
            with suppress(OSError):  # a machine that is at it has just deleted it
                status = path.lstat()
                changed = max(changed, status.st_mtime)
                size += status.st_size if path.is_file() and not path.is_symlink() else 0
        if changed <= time.time() - days * 86_400:
            yield LeftOver(folder, size, changed)
