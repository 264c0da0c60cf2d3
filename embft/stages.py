"""The content-addressed cache of stages.

A stage's key is the hash of its code, the libraries that the code uses, its settings and the keys of its inputs. Same key, same
result, so a result is never made twice: not in this run, nor the next, nor in any job of a sweep. What a stage makes is a
folder of plain files:

    <cache_dir>/stages/<stage>/<key>/...           the result, complete or absent
    <cache_dir>/stages/<stage>/<key>/stage.json    settings, inputs, code, libraries, seconds, and the digest of every file
    <cache_dir>/scratch/<stage>/<key>/             what an unfinished build left; the next build continues from it

Files are checked against stage.json whenever a result is used. What a full disk, a copy that broke off or an editor damaged is
built again, with a warning; so is what is whole and cannot be read.
"""

from __future__ import annotations

import logging
import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from embft.damaged import locked, make_folder, remove
from embft.errors import EmbftError
from embft.files import digest, file_digest, read_json, sync, sync_below, write_json
from embft.source_code import SourceCode

T = TypeVar("T")
Build = Callable[[Path, Path], None]
"""Gets an empty folder to write into, and a scratch folder that outlives a kill."""

RECORD = "stage.json"
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StageResult(Generic[T]):
    """What a stage gave.

    Attributes:
        value: The loaded result.
        key: Hash of code, libraries, settings and inputs.
        folder: Where the result's files lie. Read only.
        seconds: Wall time spent on it in this run.
        built_seconds: Wall time of the build, whenever that was.
        cached: True where the result was there already.
    """

    value: T
    key: str
    folder: Path
    seconds: float
    built_seconds: float
    cached: bool


class StageCache:
    """Runs stages and keeps their results below ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(
        self,
        name: str,
        *,
        settings: Mapping[str, object],
        inputs: Sequence[str],
        code: SourceCode,
        build: Build,
        load: Callable[[Path], T],
    ) -> StageResult[T]:
        """Returns the stage's result, building it where it is not there yet.

        Two processes that need the same key wait for each other; the second finds the first one's result.

        Args:
            name: The stage's name.
            settings: JSON-able; everything the result depends on besides code and inputs.
            inputs: Keys or digests of the inputs, in order.
            code: What the build's module imports, see `embft.source_code.code_of`.
            build: Makes the result.
            load: Reads the folder. Must not write.
        """
        started = time.perf_counter()
        description = {
            "stage": name,
            "settings": settings,
            "inputs": list(inputs),
            "code": code.digest,
            "libraries": dict(code.libraries),
        }
        key = digest(description)
        folder = self.root / "stages" / name / key
        cached = not faults_of(folder)
        if not cached:
            with self._lock_of(folder):
                cached = self._is_usable(folder)  # another job may have finished it while we waited
                if not cached:
                    self._build(folder, description, build)
        self._put_extra_files_aside(folder)
        if cached and (left := self._scratch(name, key)).exists():
            shutil.rmtree(left, ignore_errors=True)  # of a build killed between its end and this
        try:
            value = load(folder)
        except (EmbftError, MemoryError):
            raise
        except Exception as error:
            if not cached:
                raise  # it was made just now: a fault of embft
            value = self._load_anew(folder, description, build, load, error)
            cached = False
        built_seconds = read_json(folder / RECORD)["seconds"]
        return StageResult(value, key, folder, time.perf_counter() - started, built_seconds, cached)

    def _load_anew(
        self,
        folder: Path,
        description: Mapping[str, object],
        build: Build,
        load: Callable[[Path], T],
        error: Exception,
    ) -> T:
        """Builds what is as it was written and cannot be read all the same: an older version wrote it in another form."""
        with self._lock_of(folder):
            try:
                return load(folder)  # another job may have built it anew by now
            except Exception:
                logger.warning("The cached result %s cannot be read (%s): it is made again.", folder, _one_line(error))
                self._build(folder, description, build)
        return load(folder)

    @contextmanager
    def _lock_of(self, folder: Path) -> Iterator[None]:
        make_folder(folder.parent, self.root)
        with locked(folder.parent / f".{folder.name}.lock"):
            yield

    def _is_usable(self, folder: Path) -> bool:
        """Whether a result is there and is what was written; a damaged one is named."""
        faults = faults_of(folder)
        if faults and os.path.lexists(folder):
            logger.warning(
                "The cached result %s is damaged (%s does not hold what was written): it is made again.",
                folder, ", ".join(faults[:3]),
            )  # fmt: skip
        return not faults

    def _put_extra_files_aside(self, folder: Path) -> None:
        """A file that is no part of a result could change what is read, such as a model: it moves elsewhere."""
        extra = sorted(set(_files(folder)) - {*read_json(folder / RECORD)["files"], RECORD})
        if not extra:
            return
        aside = self.root / "foreign_files" / folder.parent.name / folder.name
        for name in extra:
            target = aside / name
            make_folder(target.parent, self.root)
            with suppress(FileNotFoundError):  # another job was quicker
                (folder / name).replace(target)
        logger.warning(
            "The cached result %s holds files that are none of it (%s): they are in %s now.",
            folder, ", ".join(extra[:3]), aside,
        )  # fmt: skip

    def _build(self, folder: Path, description: Mapping[str, object], build: Build) -> None:
        key = folder.name
        scratch = self._scratch(folder.parent.name, key)
        make_folder(scratch, self.root)
        # Whoever holds the lock is alone with this key: what lies here was damaged, or left by a kill.
        for left in (*folder.parent.glob(f".{key}-*"), folder):
            remove(left)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{key}-", dir=folder.parent))
        try:
            started = time.perf_counter()
            build(unfinished, scratch)
            seconds = round(time.perf_counter() - started, 3)
            write_json(unfinished / RECORD, {**description, "seconds": seconds, "files": _contents(unfinished)})
            unfinished.chmod(0o755)
            sync_below(unfinished)  # the name must not reach the disk before what it names
            unfinished.rename(folder)
            sync(folder.parent)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        shutil.rmtree(scratch, ignore_errors=True)

    def _scratch(self, name: str, key: str) -> Path:
        return self.root / "scratch" / name / key


def _files(folder: Path) -> list[str]:
    """The files of a folder by their paths below it, sorted, but for hidden ones: systems leave theirs anywhere."""
    paths = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return [path.as_posix() for path in paths if not any(part[0] == "." for part in path.parts)]


def _contents(folder: Path) -> dict[str, list[int | str]]:
    """Size and digest of every file in a folder but its record, by the path below it."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path != folder / RECORD]
    return {path.relative_to(folder).as_posix(): [path.stat().st_size, file_digest(path)] for path in paths}


def faults_of(folder: Path) -> list[str]:
    """Names of the files of a result that are not there, or not what was written."""
    try:
        record = read_json(folder / RECORD)
        files, seconds = record.pop("files"), record.pop("seconds")
        if isinstance(seconds, bool) or not 0 <= seconds < math.inf or digest(record) != folder.name:
            return [RECORD]
        return [name for name, expected in files.items() if not _is_as_written(folder / name, expected)]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return [RECORD]


def _is_as_written(path: Path, expected: Sequence[int | str]) -> bool:
    size, content = expected
    try:
        return path.is_file() and path.stat().st_size == size and file_digest(path) == content
    except OSError:
        return False


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
