"""HTML as plain text: what a reader of the page reads, without scripts, navigation and page furniture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from embft.corpus.html_source import without_depth, xml_as_html
from embft.corpus.mathml import math_text
from embft.corpus.outlines import Heading, Outlined
from embft.text.tokens import CJK, count

_NEVER = {"script", "style", "head", "object", "iframe", "canvas", "audio", "video", "input", "select", "datalist"}
_DROPPED = {"nav", "noscript", "template"}
_FURNITURE = {"header", "footer", "aside"}
_CONTENT = {"article", "main", "section"}
_ROLES = {"navigation", "banner", "contentinfo", "search"}
_BLOCKS = {
    "p", "div", "section", "article", "main", "ul", "ol", "dl", "dt", "dd", "table", "pre", "blockquote", "figure",
    "figcaption", "address", "header", "footer", "aside", "hr", "details", "summary", "fieldset", "body", "form",
    "textarea", "nav", "dialog", "noscript", "noframes", "legend", "center", "dir", "menu", "listing", "xmp", "plaintext"
}  # fmt: skip
_LINES = {"li", "tr", "br", "caption", "option"}
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_CELLS = {"td", "th"}
_OPENERS = ("aria-expanded", "aria-controls", "data-bs-toggle", "data-bs-target", "data-toggle", "data-target")
_SHOWN_BY_CLICK = {"tabpanel", "region"}
_ACTION = 4  # tokens: "Copy", "Send the form", 复制代码; a longer button says something
_STUB = 200  # letters; a page with fewer has its text where others have their menu, or none
_BREAK_IN_CJK = re.compile(rf"(?<=[{CJK}，。、；：])[^\S\n]*\n\s*(?=[{CJK}])")
_PARTS_OF_TABLE = re.compile(r"\s*<(?:tr|td|th|thead|tbody|tfoot|caption)[\s>]", re.IGNORECASE)


def html_text(source: str, *, xml: bool = False) -> str:
    """The text alone of `read_html`."""
    return read_html(source, xml=xml).text


def read_html(source: str, *, xml: bool = False) -> Outlined:
    """Returns the text of a page or a fragment, its title and its headings.

    The title comes first unless the page's first heading says the same. Headings stand after two blank lines, list
    items and table rows are lines (cells separated by ``|``), ``pre`` keeps its lines, indented by four spaces, and
    formulas are a line of text. Left out: scripts, styles, menus, the page's header, footer and sidebar, what is
    hidden for good, and buttons that only do something. A page that would have next to no text so is read with its
    header, footer, sidebar and hidden parts, and one that has none even so with its menu.

    Args:
        source: The page.
        xml: It is XHTML, which closes elements in ways that HTML does not know.
    """
    from selectolax.lexbor import LexborHTMLParser

    if xml or source.lstrip()[:5] == "<?xml":
        source = xml_as_html(source)
    if "shadowrootmode" in source:  # templates that browsers show
        source = re.sub(r"<(/?)template\b", r"<\1div", source)
    if _PARTS_OF_TABLE.match(source):  # of a table that Markdown has cut at its blank lines
        source = f"<table>{source}"
    parser = LexborHTMLParser(without_depth(source))
    root = parser.body or parser.root
    if root is None:
        return Outlined("")
    title_node = parser.css_first("head > title")
    title = " ".join((title_node.text() or "").split()) if title_node else ""
    text = _most_fitting_text(root, _opened_by_click(parser))
    heading = parser.css_first("h1")
    repeats_title = heading is not None and title and _words(heading.text()) and _words(heading.text()) in _words(title)
    text = f"{title}\n\n{text}".strip("\n") if title and not repeats_title else text
    return Outlined(text, title, tuple(_headings(parser)))


def _headings(parser: Any) -> Iterator[Heading]:
    """The headings of what is read; those of menus and page furniture are about the site."""
    for node in parser.css(",".join(sorted(_HEADINGS))):
        above = node.parent
        while above is not None and above.tag not in (_DROPPED | _FURNITURE | _CONTENT):
            above = above.parent
        text = " ".join((node.text() or "").split()).strip("¶#§ ")
        if text and (above is None or above.tag in _CONTENT):
            yield Heading(int(node.tag[1]), text)


def _most_fitting_text(root: Any, opened: set[str]) -> str:
    text = ""
    letters = 0
    for leniency in (0, 1, 2):
        walker = _Walker(opened, leniency)
        walker.walk(root)
        more = walker.result()
        more_letters = sum(map(str.isalnum, more))
        if leniency == 0 or (more_letters > 10 * letters if leniency == 1 else not letters):
            text, letters = more, more_letters
        if letters >= _STUB:
            break
    return text


def _opened_by_click(parser: Any) -> set[str]:
    """The ids of elements that a button or a link of the page shows."""
    opened: set[str] = set()
    for attribute in ("aria-controls", "data-bs-target", "data-target", "href"):
        for node in parser.css(f"[{attribute}]"):
            value = node.attributes.get(attribute) or ""
            if attribute == "aria-controls":
                opened.update(value.split())
            elif value.startswith("#"):
                opened.add(value[1:])
    return opened


def _follows_opener(node: Any) -> bool:
    """Tells whether the element before is, or holds, a button: a click on it shows this element."""
    before = node.prev
    while before is not None and before.tag.startswith("-"):  # white space and comments
        before = before.prev
    if before is None:
        return False
    if before.tag in (*_HEADINGS, "dt"):
        return before.css_first("button, [role=button]") is not None
    if before.tag == "div" and before.attributes.get("role") != "button":
        inner = before.css_first("button, [role=button]")
        if inner is None or len(inner.text() or "") < len(before.text() or "") // 2:
            return False
        before = inner
    is_button = before.tag in ("button", "summary") or before.attributes.get("role") in ("button", "tab")
    text = (before.text() or "").strip()
    return is_button and (text.endswith(("?", "？")) or count(text) > _ACTION)


def _labels(drawing: Any) -> list[Any]:
    """What a drawing (``svg``) says, not its title or its description; what stands in a label is the label's own."""
    labels, stack = [], list(drawing.iter())
    while stack:
        node = stack.pop()
        if node.tag.lower() in ("text", "foreignobject"):
            labels.append(node)
        else:
            stack.extend(node.iter())
    return labels[::-1]


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


class _Walker:
    """Goes over a tree without recursion, since pages nest deep.

    Args:
        opened: Ids of elements that a click shows.
        leniency: 0 leaves out furniture and what is hidden, 1 menus only, 2 nothing but scripts and their like.
    """

    def __init__(self, opened: set[str], leniency: int) -> None:
        self._opened = opened
        self._leniency = leniency
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
                if node.tag == "math":
                    self._formula(node)
                    continue
                self._enter(node.tag)
                stack.append((node, False))
                children = _labels(node) if node.tag == "svg" else list(node.iter(include_text=True))
                stack.extend((child, True) for child in reversed(children))

    def result(self) -> str:
        text = "\n".join(line.rstrip(" \t") for line in "".join(self._out).split("\n"))
        text = re.sub(r"\n[ ](?=\S)", "\n", text)  # the space between two blocks in the source
        text = re.sub(r"^(- .*)\n{2,}(?=- )", r"\1\n", text, flags=re.MULTILINE)
        return re.sub(r"\n{4,}", "\n\n\n", text).strip("\n ")

    def _is_dropped(self, node: Any) -> bool:
        tag = node.tag
        if tag in _NEVER:
            return True
        attributes = node.attributes
        if "headerlink" in (attributes.get("class") or "").split():
            return True
        if self._leniency == 2:
            return False
        if tag in _DROPPED or attributes.get("role") in _ROLES:
            return not (self._leniency and tag == "noscript")
        if self._leniency:
            return False
        if tag == "button":
            return not self._says_something(node, attributes)
        if tag == "dialog":
            return "open" not in attributes
        if self._is_hidden(attributes) and not (tag in _BLOCKS and _follows_opener(node)):
            return True
        # The header of an article holds its heading; that of the page holds the menu.
        return tag in _FURNITURE and not self._content_depth

    def _is_hidden(self, attributes: dict[str, str | None]) -> bool:
        hidden = "hidden" in attributes and attributes["hidden"] != "until-found"
        if not hidden and attributes.get("aria-hidden") != "true":
            return False
        return attributes.get("id") not in self._opened and attributes.get("role") not in _SHOWN_BY_CLICK

    def _says_something(self, button: Any, attributes: dict[str, str | None]) -> bool:
        """Tells whether a button is a heading of something that it opens, or a sentence, not just a thing to do."""
        if any(name in attributes for name in _OPENERS) or attributes.get("role") == "tab":
            return True
        if button.parent is not None and button.parent.tag in (*_HEADINGS, "dt", "summary", "legend"):
            return True
        text = (button.text() or "").strip()
        return text.endswith(("?", "？")) or count(text) > _ACTION

    def _formula(self, node: Any) -> None:
        is_block = node.attributes.get("display") == "block"
        if is_block:
            self._break(2)
        self._text(math_text(node))
        if is_block:
            self._break(2)

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
