"""A sqlite file that takes no run down with it: damaged, it is set aside, and what can be read moves to a new one."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar

from embft.damaged import locked, make_folder, remove, set_aside
from embft.errors import CacheError
from embft.sqlite_rows import BESIDE, Table, rescue, text_or_bytes

T = TypeVar("T")
logger = logging.getLogger(__name__)

WAIT_SECONDS = 60.0
"""How long another process may hold the file before it counts as stopped: no transaction takes a second."""
_LOOK_SECONDS = 5.0
_TRIES = 3

_inherited: list[sqlite3.Connection] = []
"""Connections of the process that this one was forked from: to close them here would break its locks."""


class SqliteFile:
    """A sqlite file that several processes may use at once.

    Args:
        path: The file; made where it is not there.
        tables: What it holds; the first one's rows are counted in messages.
        holds: What these rows are, such as ``replies``.
    """

    def __init__(self, path: Path, tables: Sequence[Table], holds: str) -> None:
        self.path = path
        self._tables = tables
        self._holds = holds
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._rescued = path.with_name(f".{path.name}.rescued")

    def use(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Returns what ``work`` returns; it is called again if the file was damaged and has been replaced.

        Raises:
            CacheError: The file cannot be used, nor replaced.
        """
        for attempt in range(1, _TRIES + 1):
            try:
                return work(self._opened())
            except sqlite3.Error as error:
                if "disk is full" in str(error):
                    raise
                self.close()
                if attempt == _TRIES:
                    raise CacheError(
                        f"{self.path} cannot be used ({error}). Move it away, or choose another folder for the cache "
                        "(cache_dir=DIR)."
                    ) from error
                self._mend()
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Lets go of the file; the next use opens it again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            if self._process == os.getpid():
                with suppress(sqlite3.Error):
                    connection.close()
            else:
                _inherited.append(connection)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None or self._process != os.getpid():
            self.close()
            make_folder(self.path.parent, self.path.parent.parent)
            if not self.path.exists() and self._rescued.is_file():
                with suppress(OSError):  # a kill came between the two renames of `_replace`
                    self._rescued.rename(self.path)
            self._connection = _connect(self.path, self._tables, WAIT_SECONDS)
            self._process = os.getpid()
        return self._connection

    def _mend(self) -> None:
        """Replaces the file, if it is damaged and not only was: another process may have been quicker."""
        with locked(self.path.with_name(f".{self.path.name}.lock")):
            fault = _fault(self.path, self._tables)
            if fault is not None:
                self._replace(fault)

    def _replace(self, fault: str) -> None:
        """Copies what can be read into a new file, and sets the old one aside. A kill at any point costs no row."""
        unfinished = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        remove(unfinished)
        try:
            with closing(_connect(unfinished, self._tables, WAIT_SECONDS)) as new:
                for source in (self.path, self._rescued):
                    rescue(source, new, self._tables)
                (count,) = new.execute(f"SELECT count(*) FROM {self._tables[0].name}").fetchone()
            remove(self._rescued)
            unfinished.rename(self._rescued)
        except sqlite3.Error as error:
            raise CacheError(f"{self.path} is damaged ({fault}), and a new one cannot be written: {error}.") from error
        except OSError as error:
            raise CacheError(
                f"{self.path} cannot be used ({fault}), and its folder cannot be written ({error.strerror}): give yourself "
                "the right to, or choose another folder for the cache (cache_dir=DIR)."
            ) from error
        finally:
            for path in (unfinished, *(unfinished.with_name(unfinished.name + end) for end in BESIDE)):
                with suppress(OSError):
                    path.unlink(missing_ok=True)
        aside = set_aside(self.path)
        for end in BESIDE:
            beside = self.path.with_name(self.path.name + end)
            if os.path.lexists(beside):
                beside.rename(aside.with_name(aside.name + end))
        self._rescued.rename(self.path)
        logger.warning(
            "%s cannot be used (%s): it is now %s. %s of its %s could be read and are in the new one.",
            self.path, fault, aside.name, f"{count:,}" if count else "None", self._holds,
        )  # fmt: skip


def _connect(path: Path, tables: Sequence[Table], timeout: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    try:
        connection.text_factory = text_or_bytes
        connection.execute("PRAGMA journal_mode=WAL")
        # Written on to the system at once, to the disk in its own time: a killed process loses nothing, a power cut may cost
        # the last few rows, and never the file. Waiting for the disk took 13 ms a row.
        connection.execute("PRAGMA synchronous=NORMAL")
        for table in tables:
            connection.execute(table.definition)
            _check_columns(connection, table)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_columns(connection: sqlite3.Connection, table: Table) -> None:
    """Adds the columns that an older version's table lacks.

    Raises:
        sqlite3.DatabaseError: The table is another one.
    """
    rows = connection.execute(f"PRAGMA table_info({table.name})").fetchall()
    names, keys = [str(row[1]) for row in rows], [row[1] for row in rows if row[5]]
    for missing in list(table.columns)[len(names) :]:
        if "NOT NULL" not in table.columns[missing]:
            connection.execute(f"ALTER TABLE {table.name} ADD COLUMN {missing} {table.columns[missing]}")
            names.append(missing)
    if names != list(table.columns) or keys != names[:1]:
        raise sqlite3.DatabaseError(f"table {table.name} has other columns: {', '.join(names)}")


def _fault(path: Path, tables: Sequence[Table]) -> str | None:
    """What is wrong with a file, or None."""
    try:
        with closing(_connect(path, tables, _LOOK_SECONDS)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("CREATE TABLE can_be_written (x)")  # a file that is read-only lets a transaction begin
            connection.execute("ROLLBACK")
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return None if verdict == "ok" else " ".join(str(verdict).replace("***", "").split())
