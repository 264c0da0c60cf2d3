"""Markdown as plain text: headings, lists, tables and code kept, marks and front matter left out."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

from embft.corpus.html import html_text
from embft.corpus.lines import WrappedText
from embft.corpus.mdx import plain_markdown
from embft.corpus.outlines import Heading, Outlined

if TYPE_CHECKING:
    from markdown_it.token import Token
    from markdown_it.tree import SyntaxTreeNode

_SOFT_BREAK = "\x1f"  # a line end that means nothing; control characters are cleaned away before
_FRONT_MATTER = re.compile(r"\A\s*(---|\+\+\+)[ \t]*\n.*?\n(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FRONT_MATTER_KEY = re.compile(r"^[ \t]*[\w-]+[ \t]*[:=]", re.MULTILINE)
_TITLE = re.compile(r"^title[ \t]*[:=][ \t]*(?:[>|][+-]?[ \t]*\n[ \t]+)?(\S.*)$", re.MULTILINE)
_FOOTNOTE = re.compile(r"^( {0,3})\[\^", re.MULTILINE)
_ALERT = re.compile(r"\A\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*", re.IGNORECASE)
_DEEPEST = 100  # levels; a list takes two of them
_WIDEST_TABLE = 200  # columns; the parser fills up each row of a wider one, until its time is up
_RAW_TAG = re.compile(r"<(/?)(script|style)\b", re.IGNORECASE)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """The collector would look through a growing tree again and again, which takes a quarter of the time and finds nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def markdown_text(source: str, *, mdx: bool = False) -> str | None:
    """The text alone of `read_markdown`."""
    read = read_markdown(source, mdx=mdx)
    return read.text if read else None


@_without_garbage_collection()
def read_markdown(source: str, *, mdx: bool = False) -> Outlined | None:
    """Returns the text of a CommonMark document (with pipe tables), None where it nests deeper than 50 lists.

    Headings stand after two blank lines, code is indented by four spaces, a table row is one line, links and images
    keep their text. The title of the front matter comes first unless the first heading says the same.

    Args:
        source: Of the document.
        mdx: It is MDX; see `plain_markdown`.
    """
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

    title = ""
    front = _FRONT_MATTER.match(source)
    # A thematic break at the top is legal Markdown too; front matter has keys.
    if front and (_FRONT_MATTER_KEY.search(front[0]) or not front[0].strip("-+. \n")):
        source = source[front.end() :]
        named = _TITLE.search(front[0])
        title = named[1].strip().strip("\"'") if named else ""
    source = _FOOTNOTE.sub(r"\1\\[^", plain_markdown(source, mdx=mdx))  # its text would be taken for an address
    parser = MarkdownIt("commonmark", {"maxNesting": _DEEPEST}).enable(["strikethrough"])
    if not any(line.count("|") > _WIDEST_TABLE and set(line) <= set("|:- \t") for line in source.split("\n")):
        parser.enable(["table"])
    tokens = parser.parse(source)
    if any(token.level >= _DEEPEST - 1 for token in tokens):  # what is deeper is not in the tokens
        return None
    if any(part.level >= _DEEPEST for token in tokens for part in token.children or ()):
        return None  # emphasis within emphasis; the tree is built by recursion
    tree = SyntaxTreeNode(tokens)
    text = _blocks(tree.children).strip("\n")
    headings = tuple(Heading(int(node.tag[1]), _text(node)) for node in tree.walk() if node.type == "heading")
    text = text if not title or _says(_first_heading(tokens), title) else f"{title}\n\n{text}"
    return Outlined(text, title, headings)


def _first_heading(tokens: list[Token]) -> str:
    return next((after.content for token, after in pairwise(tokens) if token.type == "heading_open"), "")


def _says(heading: str, title: str) -> bool:
    words, wanted = (" ".join(re.findall(r"\w+", text.lower())) for text in (heading, title))
    return bool(words) and (wanted in words or words in wanted)


def _blocks(nodes: list[SyntaxTreeNode]) -> str:
    parts: list[str] = []
    for node in nodes:
        block = _block(node)
        if block.strip():
            parts += ["\n\n\n" if node.type == "heading" else "\n\n", block]
    return "".join(parts).lstrip("\n")


def _block(node: SyntaxTreeNode) -> str:
    if node.type in ("heading", "paragraph"):
        return _text(node)
    if node.type in ("fence", "code_block"):
        return "\n".join(f"    {line}".rstrip() for line in node.content.rstrip("\n").split("\n"))
    if node.type in ("bullet_list", "ordered_list"):
        return _list(node)
    if node.type == "table":
        rows = [row for part in node.children for row in part.children]
        return "\n".join(" | ".join(map(_text, row.children)) for row in rows)
    if node.type == "html_block":
        return html_text(node.content)
    return _blocks(node.children)


def _list(node: SyntaxTreeNode) -> str:
    start = node.attrs.get("start", 1)
    first = int(start) if node.type == "ordered_list" else 0
    items = []
    for index, item in enumerate(node.children):
        mark = f"{first + index}. " if node.type == "ordered_list" else "- "
        content = _blocks(item.children)
        # A nested list goes below its item without a blank line, as a person would type it.
        content = re.sub(r"\n{2,}(?=(?:- |\d+\. ))", "\n", content).replace("\n", "\n" + " " * len(mark))
        items.append("\n".join(line.rstrip(" ") for line in (mark + content).split("\n")))
    return "\n".join(items)


def _text(node: SyntaxTreeNode) -> str:
    """Text of a paragraph, heading or cell, its wrapped lines joined."""
    lines = _inline(node.children[0]).split(_SOFT_BREAK) if node.children else [""]
    text = WrappedText(lines[0], None)
    for line in lines[1:]:
        if line:
            text.append(line)
    return _ALERT.sub(lambda alert: f"{alert[1].capitalize()}: ", str(text))


def _inline(node: SyntaxTreeNode) -> str:
    """Text of a paragraph's parts; what stands between the tags of a script is none."""
    parts: list[str] = []
    raw = False
    stack = [node]
    while stack:
        part = stack.pop()
        if part.type == "html_inline":
            if tag := _RAW_TAG.match(part.content):
                raw = not tag[1]
            parts.append("\n" if part.content.lower().startswith("<br") else "")
        elif raw:
            continue
        elif part.type in ("text", "code_inline", "image"):
            parts.append(part.content)
        elif part.type == "softbreak":
            parts.append(_SOFT_BREAK)
        elif part.type == "hardbreak":
            parts.append("\n")
        else:
            stack.extend(reversed(part.children))
    return "".join(parts)
