"""What every tracker does, and the two that need no service: the local file and the pair.

A tracker is a by-product of a run: it is told figures, it never decides anything. Figures always go to
``tracking.jsonl`` in the run folder, in any case.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

TRACKING_FILE = "tracking.jsonl"


@dataclass(frozen=True)
class Product:
    """A dataset or a model that a run used or made: from these a service draws which run comes of what.

    Attributes:
        name: The same in all runs; what differs by content are its versions.
        kind: ``dataset`` or ``model``.
        made: Whether the run made it; else it used it.
        files: Where it lies; a folder stands for all that is in it.
        address: Where it lies if it is not on this machine, or not only there.
        facts: What there is to know about it, in JSON's types.
    """

    name: str
    kind: str
    made: bool
    files: Sequence[Path] = ()
    address: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)

    def contents(self) -> list[tuple[str, Path]]:
        """Its files by their names within it, in order."""
        found: list[tuple[str, Path]] = []
        for path in self.files:
            below = sorted(path.rglob("*")) if path.is_dir() else [path]
            base = path if path.is_dir() else path.parent
            found += [(file.relative_to(base).as_posix(), file) for file in below if file.is_file()]
        return found


class Tracker(Protocol):
    """Where a run's figures go. A context manager: leaving it by an exception marks the run as failed."""

    def __enter__(self) -> Tracker: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def log(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Adds a point to the curves of the run.

        Args:
            values: Key (``train/loss``...) to figure.
            step: Optimizer step, the horizontal axis; None where a figure belongs to no step.
        """

    def summary(self, values: Mapping[str, object]) -> None:
        """Sets final figures or words (``eval/tuned/hit_rate@5``, ``timing/ranking``...); a later one counts."""

    def table(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Stores a table, such as the questions and each system's rank. Cells are JSON-able scalars."""

    def file(self, path: Path) -> None:
        """Attaches a finished file of the run folder, such as ``report.html``."""

    def product(self, product: Product) -> None:
        """Notes a dataset or a model that the run used or made."""


class LocalTracker:
    """Writes ``tracking.jsonl``: one JSON object per line, each with its ``kind`` and ``time``.

    Kinds: ``start`` (name, group, settings), ``log`` (step, values), ``summary`` (values), ``table`` (name, columns,
    rows), ``file`` (path below the run folder), ``product`` (name, type, made, files, address, facts), ``finish``
    (status ``ok`` or ``failed``). Each line is flushed, so a killed run keeps all it said; such a run has no ``finish``
    line. Figures that JSON has no word for are written as the strings ``NaN``, ``Infinity`` and ``-Infinity``, as
    Weights & Biases does.

    Args:
        folder: The run folder; there must be one.
        name: The run's name.
        group: The sweep it belongs to.
        settings: The resolved configuration, without secrets.
    """

    def __init__(self, folder: Path, *, name: str, group: str | None, settings: Mapping[str, object]) -> None:
        self._folder = folder
        self._file = (folder / TRACKING_FILE).open("w", encoding="utf-8", newline="\n")
        self._write("start", name=name, group=group, settings=settings)

    def __enter__(self) -> LocalTracker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # The name of the error only: its text may quote what a server or a file said. status.json tells the rest.
        outcome = {"status": "ok"} if kind is None else {"status": "failed", "error": kind.__name__}
        self._write("finish", **outcome)
        self._file.close()

    def log(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Appends a ``log`` line."""
        self._write("log", step=step, values=values)

    def summary(self, values: Mapping[str, object]) -> None:
        """Appends a ``summary`` line; readers merge them in order."""
        self._write("summary", values=values)

    def table(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Appends the whole table as one line."""
        self._write("table", name=name, columns=list(columns), rows=[list(row) for row in rows])

    def file(self, path: Path) -> None:
        """Appends a pointer; the file lies in the run folder already."""
        self._write("file", path=self._below(path))

    def product(self, product: Product) -> None:
        """Appends a ``product`` line."""
        files = [self._below(path) for path in product.files]
        about = {"address": product.address, "facts": product.facts}
        self._write("product", name=product.name, type=product.kind, made=product.made, files=files, **about)

    def _below(self, path: Path) -> str:
        path, folder = path.absolute(), self._folder.absolute()
        return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name

    def _write(self, kind: str, **fields: Any) -> None:
        row = {"kind": kind, "time": round(time.time(), 3), **fields}
        self._file.write(json.dumps(plain(row), ensure_ascii=False, allow_nan=False) + "\n")
        self._file.flush()


class PairTracker:
    """Tells two trackers everything, the first one first: the local file has a figure before any service is asked."""

    def __init__(self, first: Tracker, second: Tracker) -> None:
        self._first, self._second = first, second

    def __enter__(self) -> PairTracker:
        self._first.__enter__()
        self._second.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._second.__exit__(kind, error, traceback)
        finally:
            self._first.__exit__(kind, error, traceback)

    def log(self, values: Mapping[str, float], step: int | None = None) -> None:
        """See `Tracker.log`."""
        self._first.log(values, step)
        self._second.log(values, step)

    def summary(self, values: Mapping[str, object]) -> None:
        """See `Tracker.summary`."""
        self._first.summary(values)
        self._second.summary(values)

    def table(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """See `Tracker.table`."""
        rows = [list(row) for row in rows]  # may be a generator, and is read twice
        self._first.table(name, columns, rows)
        self._second.table(name, columns, rows)

    def file(self, path: Path) -> None:
        """See `Tracker.file`."""
        self._first.file(path)
        self._second.file(path)

    def product(self, product: Product) -> None:
        """See `Tracker.product`."""
        self._first.product(product)
        self._second.product(product)


def plain(value: Any) -> Any:
    """Returns the value in the types of strict JSON.

    NumPy and torch scalars become Python numbers, paths and other objects their string, tuples and sets lists; figures
    that are not finite become ``"NaN"``, ``"Infinity"`` or ``"-Infinity"``.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=str)
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return plain(value.item())
    return str(value)
