"""What an HTML parser has to be told or spared before it reads a page."""

from __future__ import annotations

import html
import re

# What follows the name begins with another character, so that a tag without an end is given up at once.
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]*)((?:[^<>a-zA-Z0-9:-][^<>]*)?)>")
_VOID = {
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"
}  # fmt: skip
_CLOSED_BY_OTHERS = {
    "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "optgroup", "colgroup", "rt", "rp",
    "html", "head", "body"
}  # fmt: skip
_INLINE = {
    "a", "abbr", "b", "big", "cite", "code", "em", "font", "i", "kbd", "label", "mark", "nobr", "q", "s", "samp",
    "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var"
}  # fmt: skip
_DEEPEST = 400  # browsers stop at 512 (Blink); the time that the parser takes grows with the square of the depth


def without_depth(source: str) -> str:
    """Takes out the tags that nest deeper than 400, as browsers do; blocks leave a line break in their place.

    The parser takes minutes for a hundred thousand nested blocks.
    """
    if _depth(source) <= _DEEPEST:
        return source
    opened: list[str] = []

    def shallow(tag: re.Match[str]) -> str:
        closing, name = tag[1], tag[2].lower()
        if name in _VOID or tag[3].endswith("/"):
            return tag[0]
        if name in _INLINE:  # the parser opens them anew in each block that they reach into
            return ""
        if name in _CLOSED_BY_OTHERS:
            return tag[0] if len(opened) <= _DEEPEST else "<br>"
        if not closing:
            opened.append(name)
            return tag[0] if len(opened) <= _DEEPEST else "<br>"
        if opened:
            opened.pop()
        return tag[0] if len(opened) < _DEEPEST else "<br>"

    return _TAG.sub(shallow, source)


def _depth(source: str) -> int:
    depth = deepest = 0
    for tag in _TAG.finditer(source):
        if tag[2].lower() in _VOID or tag[2].lower() in _CLOSED_BY_OTHERS or tag[3].endswith("/"):
            continue
        depth = max(0, depth - 1) if tag[1] else depth + 1
        deepest = max(deepest, depth)
    return deepest


def xml_as_html(source: str) -> str:
    """Writes XHTML so that an HTML parser reads it: ``<script/>`` would swallow the rest, CDATA would be lost."""
    source = re.sub(r"\A\s*<\?xml[^>]*>", "", source)
    pieces = source.split("<![CDATA[")
    for index, piece in enumerate(pieces[1:], start=1):
        data, end, rest = piece.partition("]]>")
        pieces[index] = html.escape(data) + rest if end else piece
    return _TAG.sub(_expanded, "".join(pieces))


def _expanded(tag: re.Match[str]) -> str:
    name, attributes = tag[2], tag[3]
    if tag[1] or not attributes.endswith("/") or name.lower() in _VOID:
        return tag[0]
    return f"<{name}{attributes[:-1]}></{name}>"
