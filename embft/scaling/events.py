"""What a job on another machine says, line by line in a file that the run reads along: figures, warnings, how far it is."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock

from embft import typed_json
from embft.progress import IS_PROGRESS, Work

EVENTS = "events.jsonl"
Figures = Callable[[Mapping[str, float], int | None], None]
"""Gets figures and the step that they are of."""


@dataclass(frozen=True)
class _Figures:
    figures: Mapping[str, float]
    step: int | None


@dataclass(frozen=True)
class _Said:
    level: int
    logger: str
    text: str
    is_progress: bool


class Teller(logging.Handler):
    """In the job: writes what is logged, and figures.

    Args:
        folder: Of the job.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(logging.INFO)
        self._path = folder / EVENTS
        self._one = Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        shows = bool(getattr(record, IS_PROGRESS, False))
        self._write(asdict(_Said(record.levelno, record.name, record.getMessage(), shows)))

    def figures(self, values: Mapping[str, float], step: int | None) -> None:
        """See `Figures`."""
        self._write(asdict(_Figures(dict(values), step)))

    def _write(self, row: Mapping[str, object]) -> None:
        line = json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        # Opened each time: others see what was written once it is closed.
        with self._one, self._path.open("ab") as file:
            file.write(line)


class Listener:
    """In the run: passes on what the job has written since it last looked.

    A job that continues from a checkpoint comes by some steps again; their figures are passed on once.

    Args:
        folder: Of the job.
        figures: Gets the figures.
        work: Is told how far the job is.
    """

    def __init__(self, folder: Path, figures: Figures, work: Work) -> None:
        self._path = folder / EVENTS
        self._figures = figures
        self._work = work
        self._read = 0
        self._last: dict[str, int] = {}

    def look(self) -> None:
        """Reads what is new."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                new = file.read()
        except FileNotFoundError:
            return
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            row = _row_of(line)
            if isinstance(row, _Figures):
                self._pass_on(row.figures, row.step)
            elif row is not None and row.is_progress:
                self._work.note = row.text
            elif row is not None and row.level >= logging.WARNING:
                logging.getLogger(row.logger).log(row.level, "%s", row.text)

    def _pass_on(self, values: Mapping[str, float], step: int | None) -> None:
        new = {name: value for name, value in values.items() if step is None or step > self._last.get(name, -1)}
        if new:
            self._figures(new, step)
        if step is not None:
            self._last.update(dict.fromkeys(new, step))


def _row_of(line: bytes) -> _Figures | _Said | None:
    """What `Teller` wrote; None for anything else: a job that was killed left half a line, and the next one wrote on."""
    try:
        row = json.loads(line)
        if isinstance(row, dict) and "figures" in row:
            return typed_json.from_json(_Figures, row)
        return typed_json.from_json(_Said, row)
    except ValueError:
        return None
