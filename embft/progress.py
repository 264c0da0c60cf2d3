"""What is under way, how far it is, and when it will end: one line in a terminal that is kept up to date, or one every half
minute in the log.

Work says what it does, and nothing more:

    with progress("embedding", len(texts), "texts") as work:
        for block in blocks:
            ...
            work.advance(len(block))

Whether anything is shown is decided by `shown`, which a run opens: its thread looks at what is under way. So work that nobody
watches (in tests, in other programs) costs nothing and says nothing, and a step that takes minutes is reported all the same.
"""

from __future__ import annotations

import logging
import shutil
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import TypeVar

Item = TypeVar("Item")
logger = logging.getLogger(__name__)

EVERY = 30.0
"""Seconds between two lines of the log."""
_PATIENCE = 3.0
"""Seconds until there is anything to say."""
_REDRAWN = 0.5
"""Seconds between two looks of the terminal's line."""
IS_PROGRESS = "is_progress"
"""What a record of the log has where it is such a line."""


@dataclass(eq=False)
class Work:
    """Something that takes its time.

    Attributes:
        what: In a word or two: ``embedding``.
        total: Units in all; 0 where that is not known.
        unit: In the plural: ``texts``.
        done: Units so far.
        first: Units that were done when it began: a training that continues.
        note: What else is worth knowing: ``loss 0.013``.
        started: On the clock of `time.monotonic`.
    """

    what: str
    total: int = 0
    unit: str = ""
    done: int = 0
    first: int = 0
    note: str = ""
    started: float = field(default_factory=time.monotonic)

    def advance(self, count: int = 1) -> None:
        """So many units more are done."""
        self.done += count

    def reach(self, count: int) -> None:
        """So many units are done in all; never fewer than were."""
        self.done = max(self.done, count)

    def begin_at(self, count: int) -> None:
        """So many were done before; the rate is that of the others."""
        self.done = self.first = count

    def line(self, now: float) -> str:
        """How far it is, its rate, and when it will end."""
        seconds = max(now - self.started, 1e-9)
        new = self.done - self.first
        if not self.total:
            so_far = f"{self.done:,} {self.unit}, " if self.done else ""
            return f"{self.what}: {so_far}{duration(seconds)} so far{self._noted}"
        done = min(self.done, self.total)  # the last block may be a short one
        parts = [f"{self.what}: {done:,} of {self.total:,} {self.unit} ({done / self.total:.0%})"]
        if new > 0:
            left = (self.total - done) * seconds / new
            parts += [_rate(new / seconds), f"{duration(left)} left, until {_clock(left)}"]
        else:
            parts.append(f"{duration(seconds)} so far")
        return ", ".join(parts) + self._noted

    @property
    def _noted(self) -> str:
        return f"; {self.note}" if self.note else ""


_under_way: list[Work] = []
"""Innermost last; what one thread does: the run's own."""
_label = ""
_screen = Lock()
_drawn = False


@contextmanager
def progress(what: str, total: int = 0, unit: str = "") -> Iterator[Work]:
    """Tells of work while the block lasts. Within work of the same name it adds to that, whose total is the whole."""
    for outer in _under_way:
        if outer.what == what:
            yield outer
            return
    with under_way(work := Work(what, total, unit)):
        yield work


@contextmanager
def under_way(work: Work) -> Iterator[None]:
    """The same for work that has its object already; its time begins here."""
    work.started = time.monotonic()
    _under_way.append(work)
    try:
        yield
    finally:
        _under_way.remove(work)


def each(items: Collection[Item], what: str, unit: str) -> Iterator[Item]:
    """The items, one by one; tells how many of them are done."""
    with progress(what, len(items), unit) as work:
        for item in items:
            yield item
            work.advance()


def name_job(label: str) -> None:
    """What stands before the lines of this process: a sweep's job."""
    global _label
    _label = label


@contextmanager
def shown(every: float = EVERY) -> Iterator[Callable[[str], None]]:
    """Shows what is under way while the block lasts.

    Args:
        every: Seconds between two lines of the log.

    Yields:
        A function that is told each stage's name as it begins; empty: nothing is to be shown until the next.
    """
    watcher = _Watcher(every)
    watcher.start()
    try:
        yield watcher.enter
    finally:
        watcher.stop()


class _Watcher(Thread):
    """Looks at what is under way, twice a second where somebody watches."""

    def __init__(self, every: float) -> None:
        super().__init__(name="progress", daemon=True)
        self._every = every
        self._stage = Work("")
        self._said = time.monotonic()
        self._over = Event()

    def enter(self, stage: str) -> None:
        """A stage begins."""
        clear_line()
        self._stage = Work(stage)

    def stop(self) -> None:
        self._over.set()
        self.join()
        clear_line()

    def run(self) -> None:
        rhythm = min(_REDRAWN if _on_terminal() else 1.0, self._every / 2)
        while not self._over.wait(rhythm):
            now = time.monotonic()
            line = self._line(now)
            if not line:
                continue
            if _on_terminal():
                _draw(line)
            if now - self._said >= self._every:
                self._said = now
                logger.info("%s", line, extra={IS_PROGRESS: True})

    def _line(self, now: float) -> str:
        stage = self._stage
        if not stage.what:
            return ""
        # The innermost work that is old enough to be worth a word, else the one around it.
        work = next((one for one in reversed([stage, *_under_way]) if now - one.started >= _PATIENCE), None)
        if work is None:
            return ""
        front = "" if work is stage or work.what == stage.what else f"{stage.what}, "
        return f"{_label}{front}{work.line(now)}"


class Console(logging.Filter):
    """For the handler of the terminal: it has the line that is kept up to date, which no other may be joined to."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keeps progress out of a terminal's log; before any other line, takes the line away."""
        if getattr(record, IS_PROGRESS, False):
            return not (_on_terminal() and sys.stdout.isatty())
        clear_line()
        return True


def clear_line() -> None:
    """Takes the terminal's line away; the next look draws it anew."""
    global _drawn
    with _screen:
        if _drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            _drawn = False


def _draw(line: str) -> None:
    global _drawn
    with _screen:
        sys.stderr.write(f"\r{line[: shutil.get_terminal_size().columns - 1]}\x1b[K")
        sys.stderr.flush()
        _drawn = True


def _on_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def duration(seconds: float) -> str:
    """``42 s``, ``3 min 17 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60:,} h {minutes % 60} min"


def _rate(per_second: float) -> str:
    if per_second >= 10:
        return f"{per_second:,.0f} per second"
    return f"{per_second:.1f} per second" if per_second >= 1 else f"{1 / per_second:.1f} s each"


def _clock(seconds: float) -> str:
    """The time of day in so many seconds; with the date where that is another day."""
    now = time.time()
    then = time.localtime(now + seconds)
    return time.strftime("%H:%M" if then[:3] == time.localtime(now)[:3] else "%Y-%m-%d %H:%M", then)
