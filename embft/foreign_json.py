"""JSON of others, in files and in servers' answers: whatever is wrong with it is a ValueError in words."""

from __future__ import annotations

import json
from typing import Any


def parse_json(content: str | bytes, *, strict: bool = False) -> Any:
    """Reads JSON, however it is broken.

    Args:
        content: The JSON; bytes are UTF-8, -16 or -32.
        strict: As files of data are read: a key that stands twice with different values is refused, since one of the two would
            be lost, and NaN is null, as tables write it.

    Raises:
        ValueError: It is no JSON, is nested too deeply, holds too long a number, or repeats a key; says which.
    """
    try:
        if strict:
            return json.loads(content, object_pairs_hook=_unique, parse_constant=lambda name: None)
        return json.loads(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) < len(pairs):
        first: dict[str, object] = {}
        for key, value in pairs:
            if first.setdefault(key, value) != value:
                raise ValueError(f"the key {key!r} stands twice with different values")
    return content
