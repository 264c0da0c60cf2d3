"""Text from outside that Markdown shows as it is."""

from __future__ import annotations

import re


def plain(text: object) -> str:
    """Text that Markdown shows as it is, on one line and inside a table's cell: no markup, no HTML, no column."""
    line = " ".join(str(text).split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*|\[\]])", r"\\\1", line)


def fenced(text: str, language: str = "") -> str:
    """A code block whose fence is longer than any in the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
