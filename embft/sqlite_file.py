"""A sqlite file that takes no run down with it: damaged, it is set aside, and what can be read moves to a new one."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import stat
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from embft.damaged import locked, make_folder, remove, set_aside
from embft.errors import CacheError

T = TypeVar("T")
logger = logging.getLogger(__name__)

WAIT_SECONDS = 60.0
"""How long another process may hold the file before it counts as stopped: no transaction takes a second."""
_LOOK_SECONDS = 5.0
_TRIES = 3
_BESIDE = ("-wal", "-shm", "-journal")
_PREFIX_BYTES = 3
_MOST_ROWS = 1 << 32
_MOST_FAILURES = 4000
"""Unreadable ranges of keys after which no more are tried."""
_MAGIC = b"SQLite format 3\0"
_HEADER = _MAGIC + bytes([0x10, 0x00, 1, 1, 0, 64, 32, 32])
"""The first bytes of a file with pages of 4,096 bytes, as embft's are."""

_inherited: list[sqlite3.Connection] = []
"""Connections of the process that this one was forked from: to close them here would break its locks."""


@dataclass(frozen=True)
class Table:
    """A table, and which of its rows are worth saving.

    Attributes:
        name: Its name.
        columns: Name to type and constraints; the primary key comes first.
        is_whole: Whether a row, with its values in that order, is what was written.
        keys: ``rowid``, or of a table without: ``bytes`` for keys that are bytes, ``text``.
    """

    name: str
    columns: Mapping[str, str]
    is_whole: Callable[[Sequence[Any]], bool]
    keys: str

    @property
    def definition(self) -> str:
        """The statement that makes it."""
        columns = ", ".join(f"{name} {kind}" for name, kind in self.columns.items())
        return f"CREATE TABLE IF NOT EXISTS {self.name} ({columns})" + (
            "" if self.keys == "rowid" else " WITHOUT ROWID"
        )


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
                    _rescue(source, new, self._tables)
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
            for path in (unfinished, *(unfinished.with_name(unfinished.name + end) for end in _BESIDE)):
                with suppress(OSError):
                    path.unlink(missing_ok=True)
        aside = set_aside(self.path)
        for end in _BESIDE:
            beside = self.path.with_name(self.path.name + end)
            if os.path.lexists(beside):
                beside.rename(aside.with_name(aside.name + end))
        self._rescued.rename(self.path)
        logger.warning(
            "%s cannot be used (%s): it is now %s. %s of its %s could be read and are in the new one.",
            self.path, fault, aside.name, f"{count:,}" if count else "None", self._holds,
        )  # fmt: skip


def checksum(*parts: str | bytes) -> int:
    """CRC-32 of a row's values: what tells a row that was written from one that a disk made of it."""
    total = 0
    for part in parts:
        total = zlib.crc32(
            b"\0", zlib.crc32(part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part, total)
        )
    return total


def _connect(path: Path, tables: Sequence[Table], timeout: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    try:
        connection.text_factory = _text
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


def _text(value: bytes) -> str | bytes:
    """Text as it is; bytes that are no UTF-8 stay bytes, which no reader takes for a text."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


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
            connection.execute("ROLLBACK")
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return None if verdict == "ok" else " ".join(str(verdict).replace("***", "").split())


def _rescue(source: Path, new: sqlite3.Connection, tables: Sequence[Table]) -> None:
    """Copies the whole rows of a damaged file, opened as it is, else a copy of it, else a copy without what lies beside."""
    if not source.is_file():
        return
    with suppress(OSError):
        source.chmod(source.stat().st_mode | stat.S_IRUSR)
    if _copy_rows(source, new, tables):
        return
    copy = source.with_name(f".{source.name}.{os.getpid()}.copy")
    try:
        for with_log in (True, False):
            _copy_file(source, copy, with_log)
            if _copy_rows(copy, new, tables):
                return
    except OSError:
        return  # it cannot be read at all
    finally:
        for path in (copy, *(copy.with_name(copy.name + end) for end in _BESIDE)):
            remove(path)


def _copy_file(source: Path, copy: Path, with_log: bool) -> None:
    """Copies a file, with a first line as it should be."""
    for end in ("", *_BESIDE):
        remove(copy.with_name(copy.name + end))
    shutil.copyfile(source, copy)
    log = source.with_name(f"{source.name}-wal")
    if with_log and log.is_file():
        shutil.copyfile(log, copy.with_name(f"{copy.name}-wal"))
    with copy.open("r+b") as file:
        begin = file.read(len(_HEADER))
        if not begin.startswith(_MAGIC) or begin[-3:] != _HEADER[-3:]:
            file.seek(0)
            file.write(_HEADER)


def _copy_rows(source: Path, new: sqlite3.Connection, tables: Sequence[Table]) -> int:
    """Copies what can be read; returns how many rows."""
    before = new.total_changes
    try:
        with closing(sqlite3.connect(source, timeout=0.0, isolation_level=None)) as old:
            old.text_factory = _text
            for table in tables:
                marks = ",".join("?" * len(table.columns))
                new.execute("BEGIN")
                new.executemany(
                    f"INSERT OR IGNORE INTO {table.name} VALUES ({marks})", filter(table.is_whole, _rows(old, table))
                )
                new.execute("COMMIT")
    except sqlite3.Error:
        if new.in_transaction:
            new.execute("COMMIT")
    return new.total_changes - before


def _rows(old: sqlite3.Connection, table: Table) -> Iterator[tuple[Any, ...]]:
    """The rows that can be read: a range of keys with a damaged page is cut in two, until only the page itself is left out."""
    try:
        there = {str(row[1]) for row in old.execute(f"PRAGMA table_info({table.name})")}
        if not {name for name, kind in table.columns.items() if "NOT NULL" in kind or "KEY" in kind} <= there:
            return
    except sqlite3.Error:
        return
    chosen = ", ".join(name if name in there else "NULL" for name in table.columns)
    select = f"SELECT {chosen} FROM {table.name}"
    if table.keys == "text":
        with suppress(sqlite3.Error):
            yield from old.execute(select)
        return
    key = "rowid" if table.keys == "rowid" else next(iter(table.columns))
    ranges = deque([(0, _MOST_ROWS if table.keys == "rowid" else 1 << 8 * _PREFIX_BYTES)])
    failures = 0
    while ranges and failures < _MOST_FAILURES:
        low, high = ranges.popleft()
        condition, bounds = f"{key} >= ?", [_bound(low, table.keys)]
        if table.keys == "rowid" or high < 1 << 8 * _PREFIX_BYTES:
            condition, bounds = f"{condition} AND {key} < ?", [*bounds, _bound(high, table.keys)]
        try:
            yield from old.execute(f"{select} WHERE {condition}", bounds)
        except sqlite3.Error:
            failures += 1
            if high - low > 1:
                middle = (low + high) // 2
                ranges += [(low, middle), (middle, high)]


def _bound(number: int, keys: str) -> int | bytes:
    return number if keys == "rowid" else number.to_bytes(_PREFIX_BYTES, "big")
