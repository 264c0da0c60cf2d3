"""JSON as LLMs write it: single quotes, trailing commas, quotes within quotes, comments, cut off anywhere.

One pass from left to right and no recursion: a hundred thousand brackets cost what as many letters do.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

DEEPEST = 64
"""Brackets within brackets; no reply with questions goes deeper."""
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "「": "」", "『": "』"}
_OPEN = {"[": "]", "(": ")", "{": "}"}
_SPACE = re.compile(r"(?:\s|//[^\n]*|#[^\n]*)*")
_PLAIN_SPACE = re.compile(r"\s*")
_BARE = re.compile(r"[^\s,:;，：；\[\](){}\"'“”‘’]+")
_SEPARATORS = ",;，；、"
_COLONS = ":：="
# After a comma a new item begins: a quote, a bracket, a number, a word of JSON, a key without quotes, or nothing at all.
_ITEM = re.compile(r"\s*(?:[\"'“‘「『\[({}\])]|-?\d|(?:true|false|null|None|True|False)\b|[\w-]{1,40}\s*[:：]|//|#|$)")
_ESCAPES = re.compile(r"\\(?:u[0-9a-fA-F]{4}|[\"\\/bfnrt])|\\(.)|([\x00-\x1f])|(\")", re.DOTALL)


@dataclass
class Pairs:
    """An object: its keys and values in order, for models repeat keys."""

    items: list[tuple[str, Value]] = field(default_factory=list)


Value = str | None | list["Value"] | Pairs
"""A string, anything else that is no text (None), a list or an object. Strings that were cut off are None."""


def read_value(text: str, start: int) -> tuple[Value, int]:
    """The value whose opening bracket stands at ``start``, and where it ends.

    What was cut off gives all that is whole. Beyond `DEEPEST` it is None, up to the end of the text.
    """
    return _Reader(text).read(start)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text

    def read(self, start: int) -> tuple[Value, int]:
        text, position = self.text, start
        stack: list[_Level] = []
        while position < len(text):
            letter = text[position]
            if letter in _OPEN:
                if len(stack) >= DEEPEST:
                    return None, len(text)
                stack.append(_Level(_OPEN[letter]))
                position += 1
            elif letter in "])}":
                value = stack.pop().value()
                position += 1
                if not stack:
                    return value, position
                stack[-1].add(value)
            elif letter in _QUOTES:
                string, position = self._string(position, stack[-1].wants_key)
                stack[-1].add(string)
            elif letter in _COLONS:
                stack[-1].colon()
                position += 1
            elif letter in _SEPARATORS:
                stack[-1].comma()
                position += 1
            elif space := _SPACE.match(text, position).group():  # type: ignore[union-attr]
                position += len(space)
            elif bare := _BARE.match(text, position):
                stack[-1].add(bare.group() if stack[-1].wants_key else None)
                position = bare.end()
            else:
                position += 1
        while len(stack) > 1:
            value = stack.pop().value()
            stack[-1].add(value)
        return stack[0].value(), len(text)

    def _string(self, start: int, is_key: bool) -> tuple[str | None, int]:
        """The string that opens at ``start``; None where the text ends within it.

        A quotation mark ends it where something follows that follows strings; others belong to it.
        """
        text, quote = self.text, _QUOTES[self.text[start]]
        stops = re.compile(rf"\\|{re.escape(quote)}")
        position = start + 1
        while (stop := stops.search(text, position)) is not None:
            position = stop.end()
            if stop.group() == "\\":
                position += 1
            elif self._ends(position, is_key):
                return _unescaped(text[start + 1 : stop.start()]), position
        return None, len(text)

    def _ends(self, position: int, is_key: bool) -> bool:
        text = self.text
        space = _PLAIN_SPACE.match(text, position).group()  # type: ignore[union-attr]
        after = position + len(space)
        if after >= len(text) or "\n" in space or text[after] in "])}#" or text.startswith("//", after):
            return True
        if text[after] in _COLONS:
            return is_key
        return text[after] in _SEPARATORS and _ITEM.match(text, after + 1) is not None


class _Level:
    """A list or an object that is still open."""

    def __init__(self, closing: str) -> None:
        self.is_object = closing == "}"
        self.values: list[Value] = []
        self.pairs = Pairs()
        self.key: str | None = None
        self.wants_key = self.is_object

    def add(self, value: Value) -> None:
        if not self.is_object:
            self.values.append(value)
        elif self.wants_key:
            if isinstance(value, str):
                self.key = value
                self.values.append(value)  # a set of strings, until a colon says that it is a key
        elif self.key is not None:
            self.pairs.items.append((self.key, value))
            self.key = None

    def colon(self) -> None:
        if self.is_object and self.key is not None and self.wants_key:
            self.wants_key = False
            if self.values:
                self.values.pop()

    def comma(self) -> None:
        self.wants_key = self.is_object
        self.key = None

    def value(self) -> Value:
        return self.pairs if self.is_object and (self.pairs.items or not self.values) else self.values


def _unescaped(raw: str) -> str | None:
    def plain(match: re.Match[str]) -> str:
        other, control, quote = match[1], match[2], match[3]
        if other is not None:
            return json.dumps(other)[1:-1]
        if control is not None:
            return json.dumps(control)[1:-1]
        return '\\"' if quote else match.group()

    try:
        text: str = json.loads(f'"{_ESCAPES.sub(plain, raw)}"')
        return text
    except json.JSONDecodeError:
        return None  # it ends within an escape
