"""Marks of site generators in Markdown: admonitions of MkDocs, blocks of PyMdown, shortcodes of Hugo, GitBook and Jekyll."""

from __future__ import annotations

import re

# !!! warning "Title", ??? note, ???+ tip inline end "Title"
_ADMONITION = re.compile(
    r"^( {0,12})(?:!!!|\?\?\?\+?) ([A-Za-z][\w-]{0,30})(?: [\w-]{1,30}){0,3}(?: \"(.{0,200})\")?\s*$"
)
_BLOCK = re.compile(r"^\s{0,3}/{3,}(?: ([A-Za-z][\w-]{0,30})(?:\s?\|\s?(.{0,200}))?)?\s*$")
_INDENT = 4
_SHORTCODE = re.compile(
    r"\{\{[<%][^\n]{0,300}?[%>]\}\}"
    r"|\{%-?\s{0,5}(?:end)?(?:hint|tabs?|note|admonition|callout|tip|warning|info|capture|raw|include|embed|file|content-ref|"
    r"stepper|step|code|column|columns|highlight|comment|if|else|elsif|for|assign|details)\b[^\n]{0,300}?%\}"
)
_ADMONITIONS = frozenset(
    "note abstract summary tldr info todo tip hint important success check done question help faq warning caution attention "
    "failure fail missing danger error bug example quote cite seealso".split()
)


def without_site_markup(lines: list[str]) -> list[str]:
    """Lines of prose less the marks; the title of an admonition, or its kind, stands on a line of its own."""
    return _without_admonitions([_without_shortcodes(line) for line in lines])


def _without_shortcodes(line: str) -> str:
    return line if "`" in line or "{" not in line else _SHORTCODE.sub("", line)


def _without_admonitions(lines: list[str]) -> list[str]:
    plain: list[str] = []
    inside: int | None = None  # the indent of the admonition that a line is within
    for line in lines:
        if inside is not None and line.strip():
            if len(line) - len(line.lstrip(" ")) >= inside + _INDENT:
                line = line[_INDENT:]
            else:
                inside = None
        if match := _ADMONITION.match(line):
            inside = len(match[1]) if inside is None else inside
            plain += [match[1] + (match[3] if match[3] is not None else match[2].capitalize()), ""]
        elif "///" in line and (match := _BLOCK.match(line)) and (not match[1] or match[1].lower() in _ADMONITIONS):
            plain += [(match[2] or match[1] or "").strip().capitalize() if not match[2] else match[2].strip(), ""]
        else:
            plain.append(line)
    return plain
