"""How often a PDF draws its parts: a form that draws forms that draw forms unfolds to more than any reader can take.

PDFium follows all of it in one call that nothing can stop, so this is counted before it is asked.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from embft.errors import CorpusError

_SIGNS = (b"/Form", b"/ObjStm")
"""One of them is in every file that draws forms; in the second, objects are packed."""
_DRAWS = re.compile(rb"/([^\s/<>\[\](){}%]+)\s+Do\b")
_KIDS = re.compile(rb"/Kids\s*\[([^\[\]]*)\]")
_TEXT = re.compile(rb"\bT[jJ]\b|['\"]\s")
_MOST = 20_000
"""Forms with text that a page draws, those within forms counted: PDFium reads 2,500 a second."""
_SHARE = 20
"""So many forms without text (the marks of a plot) count as one."""
_MOST_TWICE = 1_000


def refuse_endless_draws(path: Path) -> None:
    """Refuses a file whose pages draw forms without end, or that lists one page again and again.

    Raises:
        CorpusError: Without the file's name. A file that cannot be looked through is left to the reader.
    """
    data = path.read_bytes()
    for kids in _KIDS.findall(data):
        listed = kids.split(b"R")
        if len(listed) - len(set(listed)) > _MOST_TWICE:
            raise _twice(len(listed))
    if not any(sign in data for sign in _SIGNS):
        return
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = pypdf.PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            return
        _look_through(reader)
    except CorpusError:
        raise
    except Exception:  # the library's, about a broken file: PDFium mends more
        return


def _look_through(reader: Any) -> None:
    counted: dict[Any, int] = {}
    seen: set[Any] = set()
    for number, page in enumerate(reader.pages, start=1):
        own = page.indirect_reference
        if own in seen:
            if number - len(seen) > _MOST_TWICE:
                raise _twice(len(reader.pages))
            continue
        seen.add(own)
        forms = _forms(page)
        if not forms:
            continue
        if (count := _drawn(_content(page.get_contents()), forms, counted, ()) // _SHARE) > _MOST:
            raise CorpusError(
                f"draws parts of page {number} {count:,} times, forms within forms: print it from a viewer to a new PDF, or "
                "take it out"
            )


def _twice(pages: int) -> CorpusError:
    return CorpusError(f"lists the same pages again and again, {pages:,} in all: print it from a viewer to a new PDF")


def _content(stream: Any) -> bytes:
    try:
        return bytes(stream.get_data()) if stream is not None else b""
    except Exception:  # the library's, about a broken stream, which draws nothing
        return b""


def _forms(holder: Any) -> Mapping[bytes, Any]:
    """The forms that a page or a form may draw, by name."""
    resources = holder.get("/Resources")
    named = resources.get_object().get("/XObject") if resources is not None else None
    if named is None:
        return {}
    listed = {name: reference.get_object() for name, reference in named.get_object().items()}
    return {
        name[1:].encode(): form
        for name, form in listed.items()
        if isinstance(form, Mapping) and form.get("/Subtype") == "/Form"
    }


def _drawn(content: bytes, forms: Mapping[bytes, Any], counted: dict[Any, int], above: tuple[Any, ...]) -> int:
    """How many forms are drawn by a content, and by the forms that it draws: `_SHARE` for one with text, 1 for another."""
    times = Counter(_DRAWS.findall(content))
    return sum(count * _of_form(forms[name], counted, above) for name, count in times.items() if name in forms)


def _of_form(form: Any, counted: dict[Any, int], above: tuple[Any, ...]) -> int:
    key = form.indirect_reference or id(form)
    if key in above or len(above) > 100:  # a form within itself is drawn once
        return 0
    if key not in counted:
        content = _content(form)
        own = _SHARE if _TEXT.search(content) else 1
        counted[key] = own + _drawn(content, _forms(form), counted, (*above, key))
    return counted[key]
