"""Entities that an XML page declares for itself (``<!DOCTYPE html [<!ENTITY co "The Company">]>``), put in their places."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping

from embft.errors import CorpusError

_DOCTYPE = re.compile(r"(?:\s|<\?xml[^>]*>|<!--(?:[^-]|-(?!->))*-->)*<!DOCTYPE\s[^\[>]{0,1000}\[", re.IGNORECASE)
_DECLARATION = re.compile(r"""\s+|%[\w.:-]+;|<\?[^>]*>|<!--(?:[^-]|-(?!->))*-->|<!\w(?:[^"'<>]|"[^"]*"|'[^']*')*>""")
_END = re.compile(r"\]\s*>")
_ENTITY = re.compile(r"""<!ENTITY\s+([\w.:-]+)\s+(?:(?:SYSTEM|PUBLIC)\s.*|"([^"]*)"|'([^']*)')\s*>""", re.DOTALL)
_CHARACTER = re.compile(r"&#(?:\d{1,7}|x[0-9a-fA-F]{1,6});")
_REFERENCE = re.compile(r"&([A-Za-z_:][\w.:-]{0,200});")
_PREDEFINED = {"lt", "gt", "amp", "quot", "apos"}
_DEEPEST = 50
_CDATA, _CDATA_END = "<![CDATA[", "]]>"
_MOST_TIMES, _ALWAYS = 10, 1_000_000
"""What may come of a page: so many times its characters, and so many in any case."""


def unfolded(source: str) -> tuple[str, tuple[str, ...]]:
    """A page without its declarations, its own entities replaced by what they stand for; and what was left, behind its name.

    Only text that the page itself holds is put in; entities of other files stay as they are, and are named.

    Raises:
        CorpusError: They unfold to far more than the page, as those of a "billion laughs" do.
    """
    begins = _DOCTYPE.match(source)
    if begins is None:
        return source, ()
    at = begins.end()
    declared: dict[str, str | None] = {}
    while found := _DECLARATION.match(source, at):
        entity = _ENTITY.fullmatch(found[0])
        if entity is not None and entity[1] not in _PREDEFINED:
            declared.setdefault(entity[1], entity[2] if entity[2] is not None else entity[3])
        at = found.end()
    if end := _END.match(source, at):
        at = end.end()
    elif (cut := source.find("]>", at)) >= 0:
        at = cut + 2
    entities = _Entities(declared, max(_ALWAYS, _MOST_TIMES * len(source)))
    text = "<!DOCTYPE html>" + "".join(entities.replaced(source[at:]))
    if not entities.outside:
        return text, ()
    return text, (
        f"refers to {', '.join(sorted(entities.outside)[:5])}, whose text lies in other files and was not read",
    )


class _Entities:
    """Declared entities; ``outside`` gets the names of those whose text is elsewhere."""

    def __init__(self, declared: Mapping[str, str | None], limit: int) -> None:
        self._declared, self._limit, self._used = declared, limit, 0
        self.outside: set[str] = set()

    def replaced(self, text: str) -> Iterator[str]:
        """Pieces of a text with its entities replaced; CDATA stays as it is."""
        position = 0
        while (start := text.find(_CDATA, position)) >= 0 and (end := text.find(_CDATA_END, start)) >= 0:
            yield from self._pieces(text[position:start])
            yield text[start : end + len(_CDATA_END)]
            position = end + len(_CDATA_END)
        yield from self._pieces(text[position:])

    def _pieces(self, text: str) -> Iterator[str]:
        # The texts that are being unfolded, the innermost last, each with its entity and how far it is read.
        stack: list[tuple[str, str, int]] = [("", text, 0)]
        while stack:
            name, inner, position = stack.pop()
            found = _REFERENCE.search(inner, position)
            yield self._counted(inner[position : found.start() if found else None], inside=bool(name))
            if found is None:
                continue
            stack.append((name, inner, found.end()))
            if found[1] not in self._declared:
                yield found[0]  # &nbsp; and its like, which every reader of pages knows
            elif (value := self._declared[found[1]]) is None:
                self.outside.add(found[1])
                yield found[0]
            elif found[1] in {entry[0] for entry in stack}:
                raise CorpusError(f"declares an entity &{found[1]}; that stands for itself: take it out")
            else:
                self._counted(found[0], inside=True)
                stack.append((found[1], _CHARACTER.sub(lambda one: html.unescape(one[0]), value), 0))
                if len(stack) > _DEEPEST:
                    raise CorpusError(f"declares entities within entities, more than {_DEEPEST} deep: take it out")

    def _counted(self, piece: str, *, inside: bool) -> str:
        self._used += len(piece) if inside else 0
        if self._used > self._limit:
            raise CorpusError(
                f"declares entities that unfold to more than {self._limit:,} characters, as they do to bring readers down: "
                "take it out"
            )
        return piece
