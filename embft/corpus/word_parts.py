"""A Word file as mammoth can read it whole: formulas, fields and text boxes that it would leave out become plain runs."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import IO
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from embft.errors import CorpusError

_PART = "word/document.xml"
_FORMULA = re.compile(rb"<m:oMath[\s>].*?</m:oMath>", re.DOTALL)
_FORMULA_SETTINGS = re.compile(rb"<m:oMathParaPr>.*?</m:oMathParaPr>", re.DOTALL)
_FORMULA_MARKS = ((b"</m:num>", b"<m:t>/</m:t>"), (b"<m:sup>", b"<m:t>^</m:t>"), (b"<m:sub>", b"<m:t>_</m:t>"))
_FORMULA_TEXT = re.compile(rb"<m:t(?:\s[^>]*)?>([^<]*)</m:t>")
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_CHOICES = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_BOX, _PICTURE, _FIELD = f"{_WORD}txbxContent", f"{_WORD}pict", f"{_WORD}fldSimple"
_DEEPEST = 500  # elements; mammoth gives up before
_MOST_NOTES = 1000
"""References beyond two to each note: a note that is shown again and again brings readers down."""


def readable_document(archive: zipfile.ZipFile, path: Path) -> IO[bytes]:
    """The file itself, or a copy with what mammoth knows not as what it knows.

    Raises:
        CorpusError: It shows one footnote thousands of times.
        RecursionError: Its elements nest too deep for mammoth.
    """
    names = set(archive.namelist())
    document = archive.read(_PART) if _PART in names else b""
    _refuse_repeated_notes(archive, names, document)
    plain = _with_formulas_as_text(document) if b"<m:oMath" in document else document
    if b"fldSimple" in plain or b"txbxContent" in plain:
        plain = _with_fields_and_boxes(plain)
    if plain is document:
        return path.open("rb")
    rewritten = BytesIO()
    with zipfile.ZipFile(rewritten, "w") as copy:
        for item in archive.infolist():
            copy.writestr(item.filename, plain if item.filename == _PART else archive.read(item))
    rewritten.seek(0)
    return rewritten


def _refuse_repeated_notes(archive: zipfile.ZipFile, names: set[str], document: bytes) -> None:
    for kind in (b"footnote", b"endnote"):
        part, references = f"word/{kind.decode()}s.xml", document.count(b"<w:" + kind + b"Reference")
        if references > _MOST_NOTES and part in names:
            notes = archive.read(part).count(b"<w:" + kind + b" ")
            if references > _MOST_NOTES + 2 * notes:
                raise CorpusError(f"refers {references:,} times to {notes:,} {kind.decode()}s: take it out")


def _with_formulas_as_text(document: bytes) -> bytes:
    """Formulas in a line of text each."""

    def as_run(formula: re.Match[bytes]) -> bytes:
        marked = formula[0]
        for mark, text in _FORMULA_MARKS:
            marked = marked.replace(mark, text + mark)
        return b'<w:r><w:t xml:space="preserve">' + b"".join(_FORMULA_TEXT.findall(marked)) + b"</w:t></w:r>"

    document = _replaced(_FORMULA, b"</m:oMath>", as_run, document)
    document = _replaced(_FORMULA_SETTINGS, b"</m:oMathParaPr>", b"", document)
    return re.sub(rb"</?m:oMathPara(?:\s[^<>]*)?>", b"", document)


def _replaced(
    element: re.Pattern[bytes], end: bytes, by: bytes | Callable[[re.Match[bytes]], bytes], document: bytes
) -> bytes:
    """Replaces elements up to the last end of one: behind it, each beginning would be followed to the end of the document."""
    last = document.rfind(end) + len(end)
    return element.sub(by, document[:last]) + document[last:]


def _with_fields_and_boxes(document: bytes) -> bytes:
    """The runs of a simple field in its place, and text boxes of a drawing, where no older form of it stands beside it."""
    tree = ElementTree.fromstring(document)
    stack = [(tree, 0)]
    while stack:
        parent, depth = stack.pop()
        if depth > _DEEPEST:
            raise RecursionError
        at = len(parent) - 1
        while at >= 0:
            child = parent[at]
            if child.tag == _FIELD:
                parent[at : at + 1] = list(child)
                at += len(child) - 1
                continue
            older = child.find(f"{_CHOICES}Fallback") if child.tag == f"{_CHOICES}AlternateContent" else None
            is_new = child.tag == f"{_CHOICES}AlternateContent" and (older is None or older.find(f".//{_BOX}") is None)
            if is_new or child.tag == f"{_WORD}drawing":
                _as_picture(parent, at)
            at -= 1
        stack.extend((child, depth + 1) for child in parent)
    return ElementTree.tostring(tree)


def _as_picture(parent: Element, at: int) -> None:
    """Puts the text boxes of an element into an old picture, whose boxes are read."""
    boxes = list(parent[at].iter(_BOX))
    if boxes:
        picture = Element(_PICTURE)
        # A box within a box comes with it.
        inner = {id(one) for box in boxes for one in box.iter(_BOX) if one is not box}
        picture.extend(box for box in boxes if id(box) not in inner)
        parent[at] = picture
