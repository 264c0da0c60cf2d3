"""Writing a text file whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Writes UTF-8 in one step: a reader sees the file as it was or as it is to be, never half of it.

    A lone surrogate, which text out of a PDF can hold and UTF-8 cannot, becomes ``?``.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8", errors="replace", newline="\n")
    temporary.replace(path)
