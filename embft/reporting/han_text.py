"""Chinese on a terminal: lines that break between characters, as Rich breaks English between words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.text import Text

from embft.wording import spoken

_PIECES = re.compile(r"\s+|[\u2e80-\u9fff\uf900-\uffef]|[^\s\u2e80-\u9fff\uf900-\uffef]+")
_NEVER_FIRST = frozenset("，。；：、？！）》”’％")
_NEVER_LAST = frozenset("（《“‘")
"""What no line begins or ends with (W3C, "Requirements for Chinese Text Layout", section 3.1)."""


def paragraph(text: str, style: str = "") -> RenderableType:
    """Text that is broken into lines by the rules of the language that is spoken."""
    return Text(text, style=style) if spoken() == "en" else _HanText(text, style)


class _HanText:
    def __init__(self, text: str, style: str) -> None:
        self._text, self._style = text, style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        lines = (line for part in self._text.split("\n") for line in broken(part, options.max_width))
        yield Text("\n".join(lines), style=self._style)


def broken(text: str, width: int) -> list[str]:
    """A paragraph's lines, each at most ``width`` cells wide; a Latin word or a number that is wider stands alone."""
    lines, line = [], ""
    for piece in _bound(_PIECES.findall(text)):
        if line.strip() and cell_len(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()]


def _bound(pieces: list[str]) -> Iterator[str]:
    """The pieces between which a line may break: marks stay with the character that they belong to."""
    held = ""
    for piece, after in zip(pieces, [*pieces[1:], ""], strict=True):
        held += piece
        if piece not in _NEVER_LAST and after[:1] not in _NEVER_FIRST:
            yield held
            held = ""
    if held:
        yield held
