"""Files that are whole or as they were: every write of embft goes through here. And the digests that name contents."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

KEY_LENGTH = 16
_NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}
"""What file systems say that cannot sync folders."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a path to write to. When the block ends, that file takes the place of ``path`` in one step.

    A reader sees the old file or the new one, never half of one. The new file is on the disk before the old one goes, so a
    power cut leaves one of the two. A link stays: the file that it names is replaced. A pipe or a device (``/dev/stdout``) is
    written to as it is, since nothing can take its place.
    """
    if path.absolute().parts[:2] == ("/", "dev") or (path.exists() and not path.is_file() and not path.is_dir()):
        yield path
        return
    path = path.resolve() if path.is_symlink() else path
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Has the system put a file on the disk; of a folder, which names it holds."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        if path.is_dir():  # Windows opens no folders
            return
        raise
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not path.is_dir() or error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def sync_below(folder: Path) -> None:
    """Has the system put a folder on the disk, with all that is in it."""
    for path in folder.rglob("*"):
        if path.is_file() or path.is_dir():
            sync(path)
    sync(folder)


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 in one step.

    A lone surrogate, which text out of a PDF can hold and UTF-8 cannot, becomes ``?``.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Writes readable JSON (UTF-8, no escapes) in one step."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8", newline="\n")


def read_json(path: Path) -> Any:
    """Reads a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_jsonl(path: Path, rows: Iterable[Any]) -> None:
    """Writes one JSON object per line, in one step; rows are mappings or dataclasses."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            fields = asdict(row) if is_dataclass(row) and not isinstance(row, type) else row
            file.write(json.dumps(fields, ensure_ascii=False) + "\n")


def iter_jsonl(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yields the objects of a JSON Lines file; blank lines are skipped."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def digest(value: Any) -> str:
    """Hash of any JSON-able value; the order of a mapping's keys does not matter."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:KEY_LENGTH]


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in full length."""
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest()


def folder_digest(folder: Path) -> str:
    """SHA-256 of every file in a folder, with its path; of a single file, where it is one."""
    if folder.is_file():
        return file_digest(folder)
    hasher = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        hasher.update(f"{file.relative_to(folder).as_posix()}\0{file_digest(file)}\0".encode())
    return hasher.hexdigest()
