"""Markdown as plain text: headings, lists, tables and code kept, marks and front matter left out."""

from __future__ import annotations

import re
from functools import reduce
from typing import TYPE_CHECKING

from embft.corpus.html import html_text
from embft.corpus.lines import glue

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

_SOFT_BREAK = "\x1f"  # a line end that means nothing; control characters are cleaned away before
_FRONT_MATTER = re.compile(r"\A\s*(---|\+\+\+)[ \t]*\n.*?\n(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FRONT_MATTER_KEY = re.compile(r"^\s*[\w-]+\s*[:=]", re.MULTILINE)


def markdown_text(source: str) -> str:
    """Returns the text of a CommonMark document (with pipe tables).

    Headings stand after two blank lines, code is indented by four spaces, a table row is one line, links and images
    keep their text.
    """
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

    front = _FRONT_MATTER.match(source)
    # A thematic break at the top is legal Markdown too; front matter has keys.
    if front and (_FRONT_MATTER_KEY.search(front[0]) or not front[0].strip("-+. \n")):
        source = source[front.end() :]
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return _blocks(SyntaxTreeNode(parser.parse(source)).children).strip("\n")


def _blocks(nodes: list[SyntaxTreeNode]) -> str:
    text = ""
    for node in nodes:
        block = _block(node)
        if block.strip():
            text += ("\n\n\n" if node.type == "heading" else "\n\n") + block
    return text.lstrip("\n")


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
        items.append(re.sub(r"[ ]+$", "", mark + content, flags=re.MULTILINE))
    return "\n".join(items)


def _text(node: SyntaxTreeNode) -> str:
    """Text of a paragraph, heading or cell, its wrapped lines joined."""
    lines = (_inline(node.children[0]) if node.children else "").split(_SOFT_BREAK)
    return reduce(lambda text, line: glue(text, line, None) if line else text, lines)


def _inline(node: SyntaxTreeNode) -> str:
    if node.type in ("text", "code_inline"):
        return node.content
    if node.type == "softbreak":
        return _SOFT_BREAK
    if node.type == "hardbreak":
        return "\n"
    if node.type == "html_inline":
        return "\n" if node.content.lower().startswith("<br") else ""
    if node.type == "image":
        return node.content
    return "".join(_inline(child) for child in node.children)
