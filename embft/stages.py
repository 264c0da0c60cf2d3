"""The content-addressed cache of stages.

A stage's key is the hash of its code, its own settings and the keys of its inputs: same key, same result, so it is never
made twice: not in this run, nor the next, nor in any job of a sweep. What a stage makes is a folder of plain files:

    <cache_dir>/stages/<stage>/<key>/...           the result, complete or absent
    <cache_dir>/stages/<stage>/<key>/stage.json    settings, input keys, seconds: why this key is this key
    <cache_dir>/scratch/<stage>/<key>/             what an unfinished build left, for it to go on from
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from filelock import FileLock

from embft.files import digest, write_json

T = TypeVar("T")

_KEY_LENGTH = 16


@dataclass(frozen=True)
class StageResult(Generic[T]):
    """What a stage gave.

    Attributes:
        value: The loaded result.
        key: Hash of code, settings and inputs.
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
        settings: Mapping[str, Any],
        inputs: Sequence[str],
        code: Sequence[str],
        build: Callable[[Path, Path], None],
        load: Callable[[Path], T],
    ) -> StageResult[T]:
        """Returns the stage's result, building it where it is not there yet.

        Two processes that need the same key wait for each other; the second finds the first one's result.

        Args:
            name: The stage's name.
            settings: JSON-able; everything the result depends on besides code and inputs.
            inputs: Keys or digests of the inputs, in order.
            code: Names of the packages whose source decides the result.
            build: Gets an empty folder to write into and a scratch folder that outlives a kill.
            load: Reads the folder. Must not write.
        """
        started = time.perf_counter()
        description = {"stage": name, "settings": settings, "inputs": list(inputs), "code": code_digest(tuple(code))}
        key = digest(description)
        folder = self.root / "stages" / name / key
        cached = (folder / "stage.json").is_file()
        if not cached:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(folder.parent / f".{key}.lock"):
                cached = (folder / "stage.json").is_file()  # another job may have finished it while we waited
                if not cached:
                    self._build(name, key, folder, description, build)
        if cached and (left := self._scratch(name, key)).exists():
            shutil.rmtree(left, ignore_errors=True)  # of a build killed between its end and this
        built_seconds = json.loads((folder / "stage.json").read_text(encoding="utf-8"))["seconds"]
        value = load(folder)
        return StageResult(value, key, folder, time.perf_counter() - started, built_seconds, cached)

    def _build(
        self, name: str, key: str, folder: Path, description: Mapping[str, Any], build: Callable[[Path, Path], None]
    ) -> None:
        scratch = self._scratch(name, key)
        scratch.mkdir(parents=True, exist_ok=True)
        # Whoever holds the lock is alone with this key: what lies here was left by a kill.
        for left in folder.parent.glob(f".{key}-*"):
            shutil.rmtree(left, ignore_errors=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{key}-", dir=folder.parent))
        try:
            started = time.perf_counter()
            build(unfinished, scratch)
            record = {**description, "seconds": round(time.perf_counter() - started, 3)}
            write_json(unfinished / "stage.json", record)
            unfinished.chmod(0o755)
            unfinished.rename(folder)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        shutil.rmtree(scratch, ignore_errors=True)

    def _scratch(self, name: str, key: str) -> Path:
        return self.root / "scratch" / name / key


@cache
def code_digest(packages: tuple[str, ...]) -> str:
    """Hash of the source of embft packages or modules, found without importing them."""
    hasher = hashlib.sha256()
    for name in packages:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(name)
        origin = Path(spec.origin)
        files = sorted(origin.parent.rglob("*.py")) if spec.submodule_search_locations else [origin]
        for file in files:
            hasher.update(f"{name}:{file.name}\0".encode())
            hasher.update(file.read_bytes())
    return hasher.hexdigest()[:_KEY_LENGTH]
