"""HTML as plain text: what a reader of the page reads, without scripts, navigation and page furniture."""

from __future__ import annotations

import re
from typing import Any

from embft.text.tokens import CJK

_DROPPED = {
    "script", "style", "nav", "noscript", "template", "svg", "math", "head", "iframe", "object", "form", "button",
    "select", "input", "textarea", "canvas", "audio", "video", "dialog"
}  # fmt: skip
_FURNITURE = {"header", "footer", "aside"}
_CONTENT = {"article", "main", "section"}
_ROLES = {"navigation", "banner", "contentinfo", "search"}
_BLOCKS = {
    "p", "div", "section", "article", "main", "ul", "ol", "dl", "dt", "dd", "table", "pre", "blockquote", "figure",
    "figcaption", "address", "header", "footer", "aside", "hr", "details", "summary", "fieldset", "body"
}  # fmt: skip
_LINES = {"li", "tr", "br", "caption", "option"}
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_CELLS = {"td", "th"}
_BREAK_IN_CJK = re.compile(rf"(?<=[{CJK}，。、；：])\s*\n\s*(?=[{CJK}])")


def html_text(source: str) -> str:
    """Returns the text of a page or a fragment.

    The title comes first unless the page's first heading says the same. Headings stand after two blank lines, list
    items and table rows are lines (cells separated by ``|``), ``pre`` keeps its lines, indented by four spaces.
    """
    from selectolax.lexbor import LexborHTMLParser

    parser = LexborHTMLParser(source)
    if parser.body is None:
        return ""
    title_node = parser.css_first("head > title")
    title = " ".join((title_node.text() or "").split()) if title_node else ""
    walker = _Walker()
    walker.walk(parser.body)
    text = walker.result()
    heading = parser.css_first("h1")
    said = heading is not None and title and _words(heading.text()) and _words(heading.text()) in _words(title)
    return f"{title}\n\n{text}".strip("\n") if title and not said else text


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


class _Walker:
    """Goes over a tree without recursion, since pages nest as deep as they like."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._content_depth = 0
        self._pre_depth = 0

    def walk(self, root: Any) -> None:
        stack: list[tuple[Any, bool]] = [(root, True)]
        while stack:
            node, entering = stack.pop()
            if not entering:
                self._leave(node.tag)
            elif node.is_text_node:
                self._text(node.text_content or "")
            elif node.is_element_node and not self._is_dropped(node):
                self._enter(node.tag)
                stack.append((node, False))
                children = list(node.iter(include_text=True))
                stack.extend((child, True) for child in reversed(children))

    def result(self) -> str:
        text = "".join(self._out)
        text = re.sub(r"[ \t]*\n", "\n", text)
        text = re.sub(r"\n[ ](?=\S)", "\n", text)  # the space between two blocks in the source
        text = re.sub(r"^(- .*)\n{2,}(?=- )", r"\1\n", text, flags=re.MULTILINE)
        return re.sub(r"\n{4,}", "\n\n\n", text).strip("\n ")

    def _is_dropped(self, node: Any) -> bool:
        attributes = node.attributes
        if node.tag in _DROPPED or "hidden" in attributes or attributes.get("aria-hidden") == "true":
            return True
        if attributes.get("role") in _ROLES or "headerlink" in (attributes.get("class") or "").split():
            return True
        # The header of an article holds its heading; that of the page holds the menu.
        return node.tag in _FURNITURE and not self._content_depth

    def _enter(self, tag: str) -> None:
        self._content_depth += tag in _CONTENT
        if tag in _HEADINGS:
            self._break(3)
        elif tag in _BLOCKS:
            self._break(2)
        elif tag in _LINES:
            self._break(1)
        if tag == "li":
            self._out.append("- ")
        elif tag in _CELLS and self._out and not self._out[-1].endswith("\n"):
            self._out.append(" | ")
        elif tag == "pre":
            self._pre_depth += 1

    def _leave(self, tag: str) -> None:
        self._content_depth -= tag in _CONTENT
        self._pre_depth -= tag == "pre"
        if tag in _HEADINGS or tag in _BLOCKS:
            self._break(2)
        elif tag in _LINES and tag != "br":
            self._break(1)

    def _text(self, text: str) -> None:
        if self._pre_depth:
            self._out.append(re.sub(r"^(?=[^\n])", "    ", text, flags=re.MULTILINE) if self._at_line_start() else
                             text.replace("\n", "\n    "))  # fmt: skip
            return
        text = re.sub(r"\s+", " ", _BREAK_IN_CJK.sub("", text))
        if self._at_line_start() or (self._out and self._out[-1].endswith(" ")):
            text = text.lstrip(" ")
        if text:
            self._out.append(text)

    def _at_line_start(self) -> bool:
        return not self._out or self._out[-1].endswith("\n")

    def _break(self, lines: int) -> None:
        """Ends the line so that at least ``lines`` line breaks stand here; several breaks do not add up."""
        tail = ""
        for piece in reversed(self._out):
            tail = piece + tail
            if tail.strip("\n"):
                break
        present = len(tail) - len(tail.rstrip("\n"))
        in_item = tail.endswith("- ") and lines > 1  # <li><p>: the text belongs behind the bullet
        if self._out and not in_item and present < lines:
            self._out.append("\n" * (lines - present))
