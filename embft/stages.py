"""The content-addressed cache of stages.

A stage's key is the hash of its code, the libraries that the code uses, its settings and the keys of its inputs. Same key, same
result, so a result is never made twice: not in this run, nor the next, nor in any job of a sweep. What a stage makes is a
folder of plain files:

    <cache_dir>/stages/<stage>/<key>/...           the result, complete or absent
    <cache_dir>/stages/<stage>/<key>/stage.json    settings, inputs, code, libraries, seconds, and the digest of every file
    <cache_dir>/scratch/<stage>/<key>/             what an unfinished build left; the next build continues from it

Files are checked against stage.json whenever a result is used. What a full disk, a copy that broke off or an editor damaged is
built again, with a warning.
"""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from filelock import FileLock

from embft.files import digest, file_digest, write_json
from embft.source_code import SourceCode

T = TypeVar("T")
Build = Callable[[Path, Path], None]
"""Gets an empty folder to write into, and a scratch folder that outlives a kill."""

_RECORD = "stage.json"
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
        cached = _is_sound(folder)
        if not cached:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(folder.parent / f".{key}.lock"):
                cached = _is_sound(folder)  # another job may have finished it while we waited
                if not cached:
                    self._build(folder, description, build)
        if cached and (left := self._scratch(name, key)).exists():
            shutil.rmtree(left, ignore_errors=True)  # of a build killed between its end and this
        built_seconds = json.loads((folder / _RECORD).read_text(encoding="utf-8"))["seconds"]
        value = load(folder)
        return StageResult(value, key, folder, time.perf_counter() - started, built_seconds, cached)

    def _build(self, folder: Path, description: Mapping[str, object], build: Build) -> None:
        key = folder.name
        scratch = self._scratch(folder.parent.name, key)
        scratch.mkdir(parents=True, exist_ok=True)
        # Whoever holds the lock is alone with this key: what lies here was damaged, or left by a kill.
        for left in (*folder.parent.glob(f".{key}-*"), folder):
            shutil.rmtree(left, ignore_errors=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{key}-", dir=folder.parent))
        try:
            started = time.perf_counter()
            build(unfinished, scratch)
            seconds = round(time.perf_counter() - started, 3)
            write_json(unfinished / _RECORD, {**description, "seconds": seconds, "files": _contents(unfinished)})
            unfinished.chmod(0o755)
            unfinished.rename(folder)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        shutil.rmtree(scratch, ignore_errors=True)

    def _scratch(self, name: str, key: str) -> Path:
        return self.root / "scratch" / name / key


def _contents(folder: Path) -> dict[str, list[int | str]]:
    """Size and digest of every file in a folder but its record, by the path below it."""
    return {
        path.relative_to(folder).as_posix(): [path.stat().st_size, file_digest(path)]
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).as_posix() != _RECORD
    }


def _is_sound(folder: Path) -> bool:
    """Whether a result is there and is what was written; a damaged one is named."""
    record = folder / _RECORD
    if not folder.is_dir():
        return False
    try:
        written = json.loads(record.read_text(encoding="utf-8"))
        float(written["seconds"])
        damaged = [name for name, expected in written["files"].items() if not _is_as_written(folder / name, expected)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        damaged = [_RECORD]
    if damaged:
        logger.warning(
            "The cached result %s is damaged (%s does not hold what was written): it is made again.",
            folder, ", ".join(damaged[:3]),
        )  # fmt: skip
    return not damaged


def _is_as_written(path: Path, expected: Sequence[int | str]) -> bool:
    size, content = expected
    return path.is_file() and path.stat().st_size == size and file_digest(path) == content
