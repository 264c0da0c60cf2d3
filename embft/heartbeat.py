"""Locks for folders that several machines share, whose file systems may not pass locks of the operating system on.

A lock is a file that only one process can have made. While it works it touches the file every few seconds; a file that nobody
has touched for long is what a dead process left, and whoever finds it takes it away. Time is the file server's own: the clocks
of the machines are never compared.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

logger = logging.getLogger(__name__)

DEAD_AFTER = 60.0
"""Seconds without a sign of life after which a lock belongs to nobody."""
_BEATS = 6
"""Signs of life in that time."""
_LOOKS = 1.0
"""Seconds between two looks at a lock that another process holds."""
_PATIENCE = 10.0
"""Seconds after which somebody who waits is told so."""


@dataclass(eq=False)
class Heartbeat:
    """A lock on a file.

    Attributes:
        path: The file; its folder must be there.
        dead_after: Seconds without a sign of life after which the lock belongs to nobody.
    """

    path: Path
    dead_after: float = DEAD_AFTER
    _name: str = field(default_factory=lambda: f"{socket.gethostname()} {os.getpid()} {secrets.token_hex(8)}")
    _end: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def take(self) -> bool:
        """Takes the lock, if nobody holds it or its holder is dead."""
        if self._made():
            return True
        return self._is_stale(self.path) and self._took_over()

    def _took_over(self) -> bool:
        """Takes the lock away from a dead holder. One does so at a time, or the second would take it from the first."""
        guard = self.path.with_name(f"{self.path.name}.guard")
        try:
            os.close(os.open(guard, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            if self._is_stale(guard):  # whoever took over died over it
                guard.unlink(missing_ok=True)
            return False
        try:
            if not self._is_stale(self.path):
                return False
            self.path.unlink(missing_ok=True)
            return self._made()
        finally:
            guard.unlink(missing_ok=True)

    def release(self) -> None:
        """Lets go of it; the file goes only if it is still this lock's own."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._is_own():
            self.path.unlink(missing_ok=True)

    def holder(self) -> str:
        """Machine and process that hold it, as far as that can be read."""
        try:
            return " ".join(self.path.read_text(encoding="utf-8").split()[:2])
        except OSError:
            return "another process"

    def _made(self) -> bool:
        try:
            descriptor = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            return False
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(self._name)
        self._end.clear()
        self._thread = Thread(target=self._beat, name="heartbeat", daemon=True)
        self._thread.start()
        return True

    def _beat(self) -> None:
        while not self._end.wait(self.dead_after / _BEATS):
            # A process that was stopped for long may have lost it.
            if not self._is_own():
                return
            with suppress(OSError):
                os.utime(self.path)

    def _is_own(self) -> bool:
        try:
            return self.path.read_text(encoding="utf-8") == self._name
        except OSError:
            return False

    def _is_stale(self, path: Path) -> bool:
        """Whether a file has had no sign of life for too long, by the clock of the file system."""
        probe = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}")
        probe.touch()
        try:
            return probe.stat().st_mtime - path.stat().st_mtime > self.dead_after
        except FileNotFoundError:
            return False  # it was released just now
        finally:
            probe.unlink(missing_ok=True)


@contextmanager
def alone(path: Path, dead_after: float = DEAD_AFTER) -> Iterator[None]:
    """Holds such a lock, after waiting for whoever holds it."""
    lock, started, told = Heartbeat(path, dead_after), time.monotonic(), False
    while not lock.take():
        if not told and time.monotonic() - started > _PATIENCE:
            logger.info("Waiting for %s, which holds %s.", lock.holder(), path)
            told = True
        time.sleep(_LOOKS)
    try:
        yield
    finally:
        lock.release()
