"""A JSON file that maps ids to texts, written and read one text at a time: a large corpus is in memory once, not three times."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from embft.files import KEY_LENGTH, read_json, replacing


def write_text_map(path: Path, texts: Mapping[str, str]) -> None:
    """Writes what `embft.files.write_json` writes, byte for byte, in one step."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        before = "{\n"
        for key, text in texts.items():
            file.write(f"{before}  {json.dumps(key, ensure_ascii=False)}: {json.dumps(text, ensure_ascii=False)}")
            before = ",\n"
        file.write("\n}\n" if texts else "{}\n")


def read_text_map(path: Path) -> dict[str, str]:
    """Reads it; a file that is laid out another way is read as any JSON."""
    texts: dict[str, str] = {}
    with path.open(encoding="utf-8", newline="\n") as file:
        if next(file, "") != "{\n":
            return _whole(path)
        for line in file:
            if line == "}\n":
                return texts if not file.read(1) else _whole(path)
            try:
                texts.update(json.loads(f"{{{line.rstrip().removesuffix(',')}}}"))
            except ValueError:
                return _whole(path)
    return _whole(path)


def _whole(path: Path) -> dict[str, str]:
    texts: dict[str, str] = read_json(path)
    return texts


def digest_of_rows(rows: Iterable[Any]) -> str:
    """What `embft.files.digest` gives for a list of these rows."""
    hasher = hashlib.sha256(b"[")
    for place, row in enumerate(rows):
        text = json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        hasher.update(f"{',' if place else ''}{text}".encode("utf-8", "surrogatepass"))
    hasher.update(b"]")
    return hasher.hexdigest()[:KEY_LENGTH]
