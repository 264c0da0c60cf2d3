"""What documentation sites add to Markdown: imports, JSX, admonitions. Becomes plain Markdown with its text kept."""

from __future__ import annotations

import re

from embft.corpus.site_markup import without_site_markup

_FENCE = re.compile(r"^ {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_IMPORT = re.compile(r"import (?:[\w$*{}, ]+? from )?[\"'][^\"'\n]+[\"'] ?;?")
_IMPORT_START = re.compile(r"import (?:[\w$*]+ ?, ?)?\{")
_EXPORT = re.compile(r"^export\s+(?:default|const|let|var|function|async|class|\{|\*)")
_ADMONITION = re.compile(r"^(\s*(?:>\s*)*):{3,}\s*(?:\{?([\w-]+)\}?)?\s*(?:\{[^}\n]*\})?\s*(.*)$")
_COMPONENT = re.compile(r"<(?:/?(?:[A-Z][\w.]*|[a-z][\w-]*(?=\s[^<>]*=\{))|/?(?=>))")
_TICKS = re.compile("`+")
_LONGEST_TAG = 5_000  # characters; where no end of a tag comes so soon, it is no tag
_MOST_FAULTS = 50  # tags without an end; a text with more is not JSX, or made to take forever
_LONG, _MOST_OPEN = 5_000, 500  # characters of a paragraph, brackets that it opens and never closes
_PLAIN_KINDS = {"note", "tip", "info", "caution", "danger", "warning", "important", "details", "success", "seealso"}


def plain_markdown(source: str, *, mdx: bool) -> str:
    """Takes out imports and exports, the tags of components and the marks of admonitions, outside of code.

    Args:
        source: Without front matter.
        mdx: The file is MDX. A Markdown file counts as MDX where it has an import line of JavaScript.
    """
    lines = source.split("\n")
    parts = _prose_and_code(lines)
    mdx = mdx or any(_is(_IMPORT, line) for is_code, block in parts if not is_code for line in block)
    plain_lines: list[str] = []
    for is_code, block in parts:
        if is_code:
            plain_lines += block
            continue
        if mdx:
            block = _without_tags(_without_comments("\n".join(_without_modules(block)))).split("\n")
        plain_lines += _without_open_brackets([_without_admonition(line) for line in without_site_markup(block)])
    return "\n".join(plain_lines)


def _without_open_brackets(lines: list[str]) -> list[str]:
    """Escapes the brackets of paragraphs with hundreds that are never closed (a log with colours, say).

    For each of them the parser looks through the whole paragraph for its end.
    """
    paragraphs = re.split(r"(\n[ \t]*\n)", "\n".join(lines))
    for index, text in enumerate(paragraphs):
        if len(text) > _LONG and text.count("[") - text.count("]") > _MOST_OPEN:
            paragraphs[index] = text.replace("[", "\\[")
    return "".join(paragraphs).split("\n")


def _prose_and_code(lines: list[str]) -> list[tuple[bool, list[str]]]:
    """Cuts a text into stretches of prose and fenced blocks of code."""
    parts: list[tuple[bool, list[str]]] = [(False, [])]
    fence = ""
    for line in lines:
        if fence:
            parts[-1][1].append(line)
            stripped = line.strip()
            if stripped and set(stripped) == {fence[0]} and len(stripped) >= len(fence):
                fence = ""
                parts.append((False, []))
        elif opening := _FENCE.match(line):
            fence = opening[1]
            parts.append((True, [line]))
        else:
            parts[-1][1].append(line)
    return parts


def _without_modules(lines: list[str]) -> list[str]:
    """Takes out import and export statements; one that begins with a brace extends to the next blank line."""
    kept: list[str] = []
    inside = False
    for line in lines:
        if inside:
            inside = bool(line.strip())
            continue
        if _is(_IMPORT, line):
            continue
        if _EXPORT.match(line) or _is(_IMPORT_START, line):
            inside = True
            continue
        kept.append(line)
    return kept


def _is(statement: re.Pattern[str], line: str) -> bool:
    """Whether a line is a statement, however its words are spaced; a run of spaces would take its pattern forever."""
    return line.startswith("import") and statement.fullmatch(" ".join(line.split())) is not None


def _without_comments(text: str) -> str:
    kept: list[str] = []
    position = 0
    while (start := text.find("{/*", position)) >= 0 and (end := text.find("*/}", start)) >= 0:
        kept.append(text[position:start])
        position = end + 3
    return "".join([*kept, text[position:]])


def _without_tags(text: str) -> str:
    """Takes out the tags of components, whose attributes may hold braces and arrows; a tag alone leaves a blank line."""
    spans = _code_spans(text)
    kept: list[str] = []
    position = faults = 0
    while faults < _MOST_FAULTS and (tag := _COMPONENT.search(text, position)):
        while spans and spans[-1][1] <= tag.start():
            spans.pop()
        in_code = bool(spans) and spans[-1][0] <= tag.start()
        end = None if in_code else _tag_end(text, tag.end())
        if end is None:
            faults += not in_code
            kept.append(text[position : tag.end()])
            position = tag.end()
            continue
        kept.append(text[position : tag.start()])
        kept.append("\n" if _is_alone(text, tag.start(), end) else "")
        position = end
    return "".join([*kept, text[position:]])


def _is_alone(text: str, start: int, end: int) -> bool:
    """Whether nothing else stands in the line of a stretch."""
    while start and text[start - 1] in " \t":
        start -= 1
    while end < len(text) and text[end] in " \t":
        end += 1
    return (not start or text[start - 1] == "\n") and (end == len(text) or text[end] == "\n")


def _code_spans(text: str) -> list[tuple[int, int]]:
    """Where code stands within lines, the last first."""
    spans = []
    start = 0
    for line in text.split("\n"):
        ticks = list(_TICKS.finditer(line)) if "`" in line else []
        closing: dict[int, int] = {}  # of the marks that follow, the nearest of each length
        ends: dict[int, int] = {}
        for at in range(len(ticks) - 1, -1, -1):
            length = len(ticks[at][0])
            if length in closing:
                ends[at] = closing[length]
            closing[length] = at
        at = 0
        while at < len(ticks):
            if at in ends:
                spans.append((start + ticks[at].start(), start + ticks[ends[at]].end()))
            at = ends.get(at, at) + 1
        start += len(line) + 1
    return spans[::-1]


def _tag_end(text: str, position: int) -> int | None:
    """Where a tag ends: at the first ``>`` outside of quotes and braces."""
    depth = 0
    quote = ""
    for index in range(position, min(len(text), position + _LONGEST_TAG)):
        character = text[index]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'`" and (depth or text[index - 1] in "= "):
            quote = character
        elif character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
        elif character == ">" and depth <= 0:
            return index + 1
        elif character == "<" and depth <= 0:
            return None
    return None


def _without_admonition(line: str) -> str:
    """``:::tip Title`` leaves its title, or the word where it has none; ``:::`` at the end leaves a blank line."""
    match = _ADMONITION.match(line) if ":::" in line else None
    if match is None:
        return line
    kind, words = match[2] or "", _title(match[3].strip())
    if not words and kind.lower() in _PLAIN_KINDS:
        words = kind.capitalize()
    elif kind and kind.lower() not in _PLAIN_KINDS and words:
        words = f"{kind} {words}" if not match[3].startswith("[") else words
    # A line of its own, or Markdown would take it for the start of the paragraph that follows.
    return f"{match[1]}{words}\n{match[1].rstrip()}" if words else match[1].rstrip()


def _title(text: str) -> str:
    """``[Title]{#id}`` and ``Title {.class}`` less the marks."""
    if text.endswith("}") and (brace := text.find("{", text.rfind("}", 0, -1) + 1)) >= 0:
        text = text[:brace].rstrip()
    return (text[1:-1] if text.startswith("[") and text.endswith("]") else text).strip()
