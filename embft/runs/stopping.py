"""How a program ends: by a signal, at a full disk, with its output closed. And the exit status that says so."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

GOOD, FAILED, MISTAKEN, INTERRUPTED, CLOSED = 0, 1, 2, 130, 141
"""All went well; a job failed; the command line or the configuration is wrong; Ctrl-C; the reader of the output is gone."""

_SIGNALS = ("SIGTERM", "SIGHUP")
_FULL = {errno.ENOSPC, errno.EDQUOT}
_FULL_WORDS = ("no space left on device", "disk is full", "disk quota exceeded")
_last_words: list[Callable[[BaseException], None]] = []


class Stopped(BaseException):
    """The process was told to end. Not an `Exception`: what continues after a failure does not continue after this.

    Attributes:
        number: Of the signal.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"stopped by {signal.Signals(number).name}")

    @property
    def status(self) -> int:
        """The exit status that shells give to a process that a signal ended."""
        return 128 + self.number


def catch_signals() -> None:
    """Has SIGTERM and SIGHUP raise `Stopped`, where they have no other handler. A second one ends the process at once."""
    if threading.current_thread() is not threading.main_thread():
        return
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    stopped = Stopped(number)
    # Now, and not when the exception arrives: on its way it may meet a tracker that waits for its server.
    for tell in reversed(_last_words):
        tell(stopped)
    raise stopped


@contextmanager
def last_words(tell: Callable[[BaseException], None]) -> Iterator[None]:
    """While the block runs, a signal that ends the process calls ``tell`` first."""
    catch_signals()
    _last_words.append(tell)
    try:
        yield
    finally:
        _last_words.remove(tell)


def disk_is_full(error: BaseException) -> bool:
    """Whether an error, or one that it came of, is a full disk or a quota that is used up, whichever library says so."""
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            return False
        if isinstance(seen, OSError) and seen.errno in _FULL:
            return True
        if any(words in str(seen).lower() for words in _FULL_WORDS):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def quietly(main: Callable[[], int]) -> int:
    """Runs a command. A reader of its output that has seen enough (``| head``) ends it without a word.

    Returns:
        Its exit status; for Ctrl-C and signals the one that shells give.
    """
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would try to write the rest when it exits, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Stopped as stopped:
        return stopped.status
    return status
