"""Dataclasses to JSON and back, checked by their types: what a stage wrote is what the next one gets."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from embft.files import read_json, write_json

T = TypeVar("T")


def save(path: Path, value: Any) -> None:
    """Writes a dataclass as JSON, in one step."""
    write_json(path, asdict(value))


def load(kind: type[T], path: Path) -> T:
    """Reads a dataclass that `save` wrote."""
    return from_json(kind, read_json(path))


def from_json(kind: type[T], value: Any) -> T:
    """Makes a dataclass, or a list or mapping of them, of JSON.

    Raises:
        ValueError: A field is missing or has another type; it names the field.
    """
    typed: T = _adapter(kind).validate_python(value)  # type: ignore[arg-type]
    return typed


@cache
def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
