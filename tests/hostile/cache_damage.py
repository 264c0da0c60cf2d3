"""Ways to damage a file or folder of a cache."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

Damage = Callable[[Path], object]


@dataclass(frozen=True)
class Case:
    """A way to damage something that a kind of cache keeps; at most ``lost`` of its rows may have to be made again."""

    kind: str
    name: str
    damage: Damage
    lost: int | None = None


def each(cases: list[Case]) -> Any:
    """Calls a test with each case."""
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


def become_folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def become_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("not a folder")


def become_dead_link(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    path.symlink_to(path.with_name("nowhere"))


def cut(share: float) -> Damage:
    return lambda path: os.truncate(path, int(path.stat().st_size * share))


def put(data: bytes) -> Damage:
    return lambda path: path.write_bytes(data)


def overwrite(place: float, data: bytes) -> Damage:
    """Puts bytes into a file, at a share of its length."""

    def change(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(int(path.stat().st_size * place) // 4096 * 4096)
            file.write(data)

    return change


def flip_in_text(old: bytes, new: bytes) -> Damage:
    def change(path: Path) -> None:
        data = path.read_bytes()
        assert old in data
        path.write_bytes(data.replace(old, new, 1))

    return change


def within(name: str, damage: Damage) -> Damage:
    return lambda folder: damage(folder / name)


def sql(*statements: str) -> Damage:
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    return change


def beside(ending: str, damage: Damage) -> Damage:
    return lambda path: damage(path.with_name(path.name + ending))
