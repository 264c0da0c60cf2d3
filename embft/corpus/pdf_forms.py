"""What people filled into a PDF: values of form fields, and text typed on top of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from ctypes import POINTER, byref, cast, create_string_buffer
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from embft.corpus.pdf_words import Box, Word, turned

if TYPE_CHECKING:
    from pypdfium2 import PdfPage, PdfTextPage

_HIDDEN = 0x2 | 0x20  # PDF 32000-1, table 165: hidden, not viewed
_PASSWORD = 1 << 13  # table 228
_PLAIN_STATES = {"on", "off", "yes", "no", "true", "false", "x", ""}
_MOST_ANNOTATIONS = 20_000  # of a page


@dataclass(frozen=True)
class Filled:
    """A value and where it stands.

    Attributes:
        label: The field's own name for people, or its technical one; empty for text typed on the page.
        is_mark: A check box or radio button.
    """

    value: str
    label: str
    box: Box
    is_mark: bool = False


def filled_in(page: PdfPage, text_page: PdfTextPage, turns: int = 0) -> list[Filled]:
    """Returns what was filled into a page and is not part of its text anyway.

    Hidden fields and passwords are left out. A list or a check box gives what a reader sees, not what the form sends.

    Args:
        page: Of a document whose forms were initialised, if it has any.
        text_page: Its text.
        turns: By which the text is turned; see `embft.corpus.pdf_words.quarter_turns`.
    """
    import pypdfium2.raw as pdfium

    pieces = []
    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page), _MOST_ANNOTATIONS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            one = _read(page.formenv, annotation, turns)
            if one and not _stands_there(one, annotation, text_page):
                pieces.append(one)
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)
    return pieces


def insert(text: str, words: Sequence[Word], filled: Sequence[Filled]) -> str:
    """Puts each value behind the words to its left on its line; what has no words on its line goes to the page's end."""
    inserts: list[tuple[int, float, str]] = []
    rest: list[str] = []
    for one in filled:
        middle = (one.box.top + one.box.bottom) / 2
        line = [word for word in words if word.bottom <= middle <= word.top]
        before = [word for word in line if word.left <= one.box.left]
        if before:
            inserts.append((max(before, key=lambda word: word.left).end, one.box.left, f" {one.value}"))
        elif line:
            inserts.append((min(line, key=lambda word: word.left).start, one.box.left, f"{one.value} "))
        else:
            rest.append(f"{one.label}: {one.value}" if one.label else one.value)
    inserts.sort()
    for position, here in reversed(
        [(position, list(group)) for position, group in groupby(inserts, lambda one: one[0])]
    ):
        text = text[:position] + "".join(value for _, _, value in here) + text[position:]
    return "\r\n".join([part for part in (text.rstrip("\r\n"), *rest) if part]) if rest else text


def _read(forms: Any, annotation: Any, turns: int) -> Filled | None:
    import pypdfium2.raw as pdfium

    kind = pdfium.FPDFAnnot_GetSubtype(annotation)
    if kind not in (pdfium.FPDF_ANNOT_WIDGET, pdfium.FPDF_ANNOT_FREETEXT) or (
        pdfium.FPDFAnnot_GetFlags(annotation) & _HIDDEN
    ):
        return None
    rectangle = pdfium.FS_RECTF()
    pdfium.FPDFAnnot_GetRect(annotation, byref(rectangle))
    box = turned(Box(rectangle.left, rectangle.right, rectangle.bottom, rectangle.top), turns)
    if kind == pdfium.FPDF_ANNOT_FREETEXT:
        value = _string(partial(pdfium.FPDFAnnot_GetStringValue, annotation, b"Contents"))
        return Filled(_one_line(value), "", box) if value.strip() else None
    return _read_field(forms.raw, annotation, box) if forms else None


def _read_field(forms: Any, annotation: Any, box: Box) -> Filled | None:
    import pypdfium2.raw as pdfium

    def ask(function: Callable[..., int]) -> str:
        return _string(partial(function, forms, annotation))

    kind = pdfium.FPDFAnnot_GetFormFieldType(forms, annotation)
    label = ask(pdfium.FPDFAnnot_GetFormFieldAlternateName) or ask(pdfium.FPDFAnnot_GetFormFieldName)
    if kind in (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON):
        state = ask(pdfium.FPDFAnnot_GetFormFieldExportValue)
        says = "" if state.lower() in _PLAIN_STATES or state.isdigit() else f" {state}"
        if pdfium.FPDFAnnot_IsChecked(forms, annotation):
            return Filled(f"[x]{says}", label, box, is_mark=True)
        return Filled("[ ]", label, box, is_mark=True)
    flags = pdfium.FPDFAnnot_GetFormFieldFlags(forms, annotation)
    if kind == pdfium.FPDF_FORMFIELD_TEXTFIELD and not flags & _PASSWORD:
        value = ask(pdfium.FPDFAnnot_GetFormFieldValue)
    elif kind in (pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX):
        value = ", ".join(_selected(forms, annotation)) or ask(pdfium.FPDFAnnot_GetFormFieldValue)
    else:
        return None
    return Filled(_one_line(value), label, box) if value.strip() else None


def _selected(forms: Any, annotation: Any) -> Iterator[str]:
    import pypdfium2.raw as pdfium

    for index in range(min(max(pdfium.FPDFAnnot_GetOptionCount(forms, annotation), 0), _MOST_ANNOTATIONS)):
        if pdfium.FPDFAnnot_IsOptionSelected(forms, annotation, index):
            yield _string(partial(pdfium.FPDFAnnot_GetOptionLabel, forms, annotation, index))


def _stands_there(one: Filled, annotation: Any, text_page: PdfTextPage) -> bool:
    """Tells whether the page's own text repeats the value at that place, as flattened forms have it."""
    import pypdfium2.raw as pdfium

    if one.is_mark:
        return False
    place = pdfium.FS_RECTF()
    pdfium.FPDFAnnot_GetRect(annotation, byref(place))
    printed = text_page.get_text_bounded(place.left - 1, place.bottom - 1, place.right + 1, place.top + 1)
    return "".join(one.value.split()) in "".join(printed.split())


def _string(ask: Callable[[Any, int], int]) -> str:
    """Reads UTF-16 from a function of PDFium that gives the size in bytes, its end mark included."""
    import pypdfium2.raw as pdfium

    size = ask(None, 0)
    if size <= 2:
        return ""
    buffer = create_string_buffer(size)
    ask(cast(buffer, POINTER(pdfium.FPDF_WCHAR)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace")


def _one_line(value: str) -> str:
    return " ".join(value.split())
