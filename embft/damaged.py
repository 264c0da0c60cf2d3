"""What in the cache is damaged, or lies where something else belongs: out of the way, and nothing lost without a word."""

from __future__ import annotations

import logging
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from embft.errors import CacheError

logger = logging.getLogger(__name__)

_PATIENCE = 10.0
"""Seconds after which somebody who waits for another process is told so."""


def make_folder(folder: Path, root: Path) -> None:
    """Makes a folder and those above it. A file in the place of one of them is set aside if it lies below ``root``.

    Raises:
        CacheError: The folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        inside = [place for place in (*reversed(folder.parents), folder) if root in place.parents]
        in_the_way = next((place for place in inside if _is_there(place) and not place.is_dir()), None)
        if in_the_way is None:
            raise CacheError(f"{folder} cannot be made, because a file lies in its place: {_ELSEWHERE}") from error
        aside = set_aside(in_the_way)
        logger.warning("%s is no folder, as it should be: it is now %s, and made anew.", in_the_way, aside)
        make_folder(folder, root)
    except OSError as error:
        raise _unusable(folder, error) from error


def set_aside(path: Path) -> Path:
    """Renames a file or folder, such as to ``replies.sqlite.damaged``; returns its new place.

    Raises:
        CacheError: It cannot be renamed.
    """
    number, aside = 1, path.with_name(f"{path.name}.damaged")
    while _is_there(aside):
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{number}")
    try:
        path.rename(aside)
    except OSError as error:
        raise _unusable(path, error) from error
    return aside


def remove(path: Path) -> None:
    """Removes whatever lies at a path; what cannot be removed is set aside.

    Raises:
        CacheError: Neither can be done.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        if _is_there(path):  # a folder in it may be protected from its owner
            for folder, _, _ in os.walk(path):
                with suppress(OSError):
                    Path(folder).chmod(stat.S_IRWXU)
            shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    if _is_there(path):
        logger.warning("%s is damaged and cannot be removed: it is now %s.", path, set_aside(path))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds a lock on a file. Whoever waits for long is told what for; what is no usable lock file is set aside."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=_PATIENCE)
    except Timeout:
        logger.info("Waiting for another process, which holds %s.", path)
        lock.acquire()
    except OSError as error:
        if not _is_there(path):
            raise _unusable(path, error) from error
        logger.warning("%s is no usable lock file: it is now %s.", path, set_aside(path))
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)


_ELSEWHERE = "choose another folder for the cache (cache_dir=DIR)."


def _unusable(path: Path, error: OSError) -> OSError | CacheError:
    """An error in words; a full disk keeps its own, which is reported as such."""
    if isinstance(error, PermissionError) or "read-only" in str(error).lower():
        return CacheError(f"{path} cannot be written: {error.strerror}. Give yourself the right to, or {_ELSEWHERE}")
    return error
