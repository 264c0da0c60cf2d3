"""status.json of a run folder: what the run is doing, and how it ended. It is written also when the disk is full."""

from __future__ import annotations

import json
import os
import platform
import time
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any

from omegaconf import OmegaConf

from embft.files import write_json
from embft.runs.stopping import Stopped, disk_is_full

_RESERVE = ".status.reserve"
_RESERVED_BYTES = 64 * 1024
"""Enough for a status with a long message; set aside while there is room."""


class Status:
    """Writes status.json: ``running`` from the beginning of the block, ``failed`` where an exception leaves it.

    Args:
        folder: The run folder; it is there.
        command: The command line.
    """

    def __init__(self, folder: Path, command: str) -> None:
        self._file = folder / "status.json"
        self._reserve = folder / _RESERVE
        self._started = time.time()
        self._error: dict[str, str] = {}
        self._content: dict[str, object] = {
            "status": "running",
            "stage": None,
            "command": command,
            "overrides": overrides_of(folder),
            "started": _iso(self._started),
            "pid": os.getpid(),
            "host": platform.node(),
        }

    def __enter__(self) -> Status:
        self._reserve.write_bytes(b"\0" * _RESERVED_BYTES)
        self.write()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                self.fail(error)
        finally:
            self._reserve.unlink(missing_ok=True)

    def write(self, **values: Any) -> None:
        """Sets values and writes all."""
        self._content |= values
        write_json(self._file, self._content)

    def fail(self, error: BaseException) -> None:
        """The run failed; the first error counts."""
        if self._content["status"] == "failed":
            return
        kind = type(error).__name__
        message = str(error)
        if isinstance(error, KeyboardInterrupt):
            kind, message = "interrupted", "stopped by Ctrl-C"
        elif isinstance(error, Stopped):
            kind = "stopped"
        elif disk_is_full(error):
            message = f"the disk is full: {message}"
        self._error = {"type": kind, "message": message}
        self._content |= {"status": "failed", "error": self._error}
        self._finish()

    def end(self, outcome: str) -> None:
        """The run came to its end."""
        self._content |= {"status": outcome, "stage": None}
        self._finish()

    def _finish(self) -> None:
        ended = time.time()
        self._content |= {"finished": _iso(ended), "seconds": round(ended - self._started, 3)}
        try:
            write_json(self._file, self._content)
        except OSError as error:
            if not disk_is_full(error):
                raise
            self._write_over_reserve()

    def _write_over_reserve(self) -> None:
        """The blocks are there already, and a rename needs none."""
        text = json.dumps(self._content, ensure_ascii=False, indent=2) + "\n"
        content = text.encode("utf-8", "replace")
        if len(content) > _RESERVED_BYTES:
            error = {**self._error, "message": self._error.get("message", "")[:1000]}
            content = json.dumps({**self._content, "error": error}, indent=2).encode()[:_RESERVED_BYTES]
        with self._reserve.open("r+b") as file:
            file.write(content)
            file.truncate()
            os.fsync(file.fileno())
        self._reserve.replace(self._file)


def overrides_of(folder: Path) -> list[str]:
    """What was set for a run, from its .hydra folder."""
    file = folder / ".hydra" / "overrides.yaml"
    # Not resolved: an override may refer to another key (`a=${seed}`), which this list alone does not have.
    items = OmegaConf.to_container(OmegaConf.load(file)) if file.is_file() else None
    return [str(item) for item in items or ()]


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")
