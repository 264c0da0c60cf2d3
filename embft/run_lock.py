"""Whether a run is still in progress: it holds the lock on a file in its folder for as long as it lives.

The system drops the lock when the process ends, however it ends, so a killed run is told from a running one on every host that
shares the folder, as far as its file system passes locks on (NFS from version 3 on does).
"""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

NAME = ".running.lock"
_SECONDS = 2.0
"""A listing that looks whether a run is in progress holds the lock for a moment."""


def take_lock(folder: Path) -> FileLock | None:
    """Takes the lock of a run folder that is there; None where another process holds it.

    The process that holds it may take it again. It is dropped by ``release``, once for each time.
    """
    lock = _lock_of(folder)
    try:
        lock.acquire(timeout=_SECONDS)
    except Timeout:
        return None
    return lock


def in_progress(folder: Path) -> bool | None:
    """Whether a process holds the lock of a run folder; None where that cannot be found out."""
    if not (folder / NAME).is_file():
        return False
    lock = _lock_of(folder)
    if lock.is_locked:
        return True
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except (OSError, NotImplementedError):
        return None  # a folder of another user's, or a file system without locks
    lock.release()
    return False


def _lock_of(folder: Path) -> FileLock:
    return FileLock(folder.resolve() / NAME, is_singleton=True)
