"""PDFs that are broken, endless, nested or lying: each gives its text or one sentence, soon."""

from __future__ import annotations

import importlib.util
import re
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from embft.corpus.pdf import read_pdf
from embft.errors import CorpusError


def _pdf_bytes() -> ModuleType:
    """The writer of small PDFs that stands beside the corpus's tests."""
    path = Path(__file__).parents[1] / "corpus" / "pdf_bytes.py"
    spec = importlib.util.spec_from_file_location("pdf_bytes_of_the_corpus", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


pdf = _pdf_bytes()
LINES = ["The keeper writes each reading in a bound ledger.", "The survey collects the ledgers at the end of the year."]
GOOD: bytes = pdf.pdf_bytes([LINES, LINES[::-1], [*LINES, "A third page says a little more than the others."]])
SECONDS = 10.0


def encrypted(algorithm: str, password: str = "secret") -> bytes:
    import io

    import pypdf

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(GOOD))
    writer.encrypt(password, "owner", algorithm=algorithm)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def one_page(content: bytes, **page: bytes) -> bytes:
    writer = pdf.PdfWriter()
    writer.add_page(content, **page)
    return bytes(writer.finish())


def with_pages(tree: bytes, *more: bytes) -> bytes:
    """A page tree of one's own; the further objects start at number 6."""
    writer = pdf.PdfWriter()
    writer.objects[1] = tree
    for body in more:
        writer.add(body)
    return bytes(writer.finish())


def packed(data: bytes, times: int = 1) -> bytes:
    for _ in range(times):
        data = zlib.compress(data, 9)
    return data


def bomb(size: int, what: bytes) -> bytes:
    writer = pdf.PdfWriter()
    stream = writer.add_stream(what * (size // len(what)), packed=True)
    writer.kids.append(
        writer.add(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>"
            % stream
        )
    )
    return bytes(writer.finish())


def nested_forms(depth: int) -> bytes:
    writer = pdf.PdfWriter()
    for number in range(depth):
        writer.add_stream(
            b"/X Do",
            b"/Type /XObject /Subtype /Form /BBox [0 0 1 1] /Resources << /XObject << /X %d 0 R >> >>" % (7 + number),
        )
    writer.add_stream(b"", b"/Type /XObject /Subtype /Form /BBox [0 0 1 1]")
    writer.add_page(b"/X Do " + pdf.Placed(50, 700, LINES[0]).operators, xobjects=b"/X 6 0 R")
    return bytes(writer.finish())


def many_fields(count: int) -> bytes:
    writer = pdf.PdfWriter()
    numbers = [
        writer.add(
            b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (f%d) /V (value %d) /Rect [50 %d 90 %d] >>"
            % (n, n, n % 800, n % 800 + 9)
        )
        for n in range(count)
    ]
    listed = b" ".join(b"%d 0 R" % number for number in numbers)
    writer.catalogue = b"/AcroForm << /Fields [%s] >>" % listed
    writer.add_page(pdf.Placed(50, 700, LINES[0]).operators, b"/Annots [%s]" % listed)
    return bytes(writer.finish())


def looped_fields() -> bytes:
    writer = pdf.PdfWriter()
    writer.add(b"<< /FT /Tx /T (a) /Kids [7 0 R] /Parent 7 0 R >>")
    writer.add(b"<< /T (b) /Kids [6 0 R] /Parent 6 0 R /Type /Annot /Subtype /Widget /Rect [0 0 9 9] /V (x) >>")
    writer.catalogue = b"/AcroForm << /Fields [6 0 R] >>"
    writer.add_page(pdf.Placed(50, 700, LINES[0]).operators, b"/Annots [7 0 R]")
    return bytes(writer.finish())


def drawn_within(depth: int, times: int, text: bytes) -> bytes:
    """Forms that draw forms, each so many times: a billion laughs."""
    writer = pdf.PdfWriter()
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 600 900] /Resources << /XObject << /X %d 0 R >> /Font << /F2 4 0 R >> >>"
    for number in range(depth):
        writer.add_stream(b"/X Do " * times, form % (7 + number), packed=True)
    writer.add_stream(text, form % 99)
    writer.add_page(TEXT_OPERATORS + b" /X Do", xobjects=b"/X 6 0 R")
    return bytes(writer.finish())


def same_page(times: int) -> bytes:
    writer = pdf.PdfWriter()
    writer.add_page(TEXT_OPERATORS)
    writer.kids *= times
    return bytes(writer.finish())


def bookmarked(count: int) -> bytes:
    import io

    import pypdf

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(GOOD))
    for number in range(count):
        writer.add_outline_item(title=f"Bookmark {number}", page_number=0)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


TEXT_OPERATORS: bytes = pdf.Placed(50, 700, LINES[0]).operators
GRID = b"".join(pdf.Placed(10 + 6 * (n % 90), 800 - 2 * (n // 90), "ab", 2).operators for n in range(20_000))

FILES: dict[str, tuple[Callable[[], bytes], str | None]] = {
    "empty": (lambda: b"", "is empty"),
    "only spaces": (lambda: b" " * 50, "is not a PDF"),
    "a web page": (lambda: b"<html>404</html>", "is not a PDF"),
    "a zip": (lambda: b"PK\x03\x04" + bytes(200), "is not a PDF"),
    "the head alone": (lambda: b"%PDF-1.7\n", "is broken"),
    "the head and noise": (lambda: b"%PDF-1.7\n" + bytes(range(256)) * 400, "is broken"),
    "cut in half": (lambda: GOOD[: len(GOOD) // 2], None),
    "cut after the first page": (lambda: GOOD[: GOOD.find(b"endstream") + 20], None),
    "without its end": (lambda: GOOD[:-40], None),
    "with noise at its end": (lambda: GOOD + bytes(3000), None),
    "with mail before it": (lambda: b"From: a@example\r\n\r\n" + GOOD, None),
    "a wrong startxref": (lambda: GOOD.replace(b"startxref\n", b"startxref\n9"), None),
    "a wrong xref": (lambda: GOOD.replace(b"0000000", b"0000999"), None),
    "no trailer": (lambda: GOOD[: GOOD.rfind(b"trailer")], None),
    "every 97th byte lost": (lambda: bytes(b for n, b in enumerate(GOOD) if n % 97), None),
    "zeros in the middle": (lambda: GOOD[:900] + bytes(400) + GOOD[1300:], None),
    "lines end with returns": (lambda: GOOD.replace(b"\n", b"\r"), None),
    "RC4 with a password": (lambda: encrypted("RC4-128"), "is encrypted"),
    "AES with a password": (lambda: encrypted("RC4-40"), "is encrypted"),
    "an empty password": (lambda: encrypted("RC4-128", ""), None),
    "an unknown cipher": (lambda: GOOD.replace(b"/Root", b"/Encrypt << /Filter /Own /V 99 >> /Root"), "is encrypted|is broken"),
    "no pages": (lambda: with_pages(b"<< /Type /Pages /Kids [] /Count 0 >>"), "has no pages|is broken"),
    "a million pages that are not there": (lambda: GOOD.replace(b"/Count 3", b"/Count 999999"), None),
    "a negative count": (lambda: GOOD.replace(b"/Count 3", b"/Count -7"), None),
    "a count of letters": (lambda: GOOD.replace(b"/Count 3", b"/Count /x"), None),
    "kids that are their parent": (lambda: with_pages(b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"), "."),
    "kids that are missing": (lambda: with_pages(b"<< /Type /Pages /Kids [90 0 R 91 0 R] /Count 2 >>"), "."),
    "a page tree 3,000 deep": (
        lambda: with_pages(
            b"<< /Type /Pages /Kids [6 0 R] /Count 1 >>",
            *(b"<< /Type /Pages /Kids [%d 0 R] /Count 1 /Parent 2 0 R >>" % (7 + n) for n in range(3000)),
        ),
        ".",
    ),
    "arrays 100,000 deep": (lambda: one_page(TEXT_OPERATORS, entries=b"/Own " + b"[" * 100_000 + b"]" * 100_000), None),
    "dictionaries 50,000 deep": (
        lambda: one_page(TEXT_OPERATORS, entries=b"/Own " + b"<</A " * 50_000 + b"1" + b">>" * 50_000),
        None,
    ),
    "forms 500 deep": (lambda: nested_forms(500), None),
    "a form within itself": (lambda: nested_forms(1).replace(b"7 0 R >> >>", b"6 0 R >> >>"), None),
    "20 MB of spaces in a stream": (lambda: bomb(20_000_000, b" "), "has no text"),
    "2 MB of graphics states": (lambda: bomb(2_000_000, b"q "), "has no text"),
    "packed three times": (lambda: one_page(packed(TEXT_OPERATORS, 3)), "has no text"),
    "a page of no size": (lambda: one_page(TEXT_OPERATORS, box=b"0 0 0 0"), None),
    "a page of a mile": (lambda: one_page(TEXT_OPERATORS, box=b"0 0 4500000 4500000"), None),
    "a page inside out": (lambda: one_page(TEXT_OPERATORS, box=b"595 842 0 0"), None),
    "a box of letters": (lambda: one_page(TEXT_OPERATORS, box=b"/a /b /c /d"), None),
    "text at infinity": (lambda: one_page(b"BT /F2 10 Tf 1e38 1e38 Td (" + LINES[0].encode() + b") Tj ET"), None),
    "a font of size zero": (lambda: one_page(b"BT /F2 0 Tf 50 700 Td (" + LINES[0].encode() + b") Tj ET"), None),
    "a font that is missing": (lambda: one_page(b"BT /F99 10 Tf 50 700 Td (" + LINES[0].encode() + b") Tj ET"), None),
    "20,000 words in a grid": (lambda: one_page(GRID), None),
    "1,000 form fields": (lambda: many_fields(1000), None),
    "form fields that are each other's parents": (looped_fields, None),
    "forms that draw forms 100,000 times": (lambda: drawn_within(5, 10, TEXT_OPERATORS), "draws parts of page 1"),
    "forms that draw lines 100 million times": (lambda: drawn_within(8, 10, b"0 0 m 9 9 l S"), "draws parts of page 1"),
    "forms that draw forms 100 times": (lambda: drawn_within(2, 10, TEXT_OPERATORS), None),
    "one page 20,000 times": (lambda: same_page(20_000), "lists the same pages again and again"),
    "one page 9 times": (lambda: same_page(9), None),
    "1,000 bookmarks of one page": (lambda: bookmarked(1000), None),
    "an owner's password alone": (lambda: encrypted("RC4-40", ""), None),
    "a table of objects that names itself": (
        lambda: GOOD.replace(b"/Root", b"/Prev %d /Root" % GOOD.rfind(b"xref", 0, GOOD.rfind(b"startxref"))), None,
    ),
    "an action in JavaScript": (lambda: GOOD.replace(b"/Catalog", b"/Catalog /OpenAction << /S /JavaScript /JS (a) >>"), None),
}  # fmt: skip

COUNT = len(FILES)
"""For the docs: hostile PDFs tried."""


def test_there_are_enough() -> None:
    assert COUNT >= 30


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_pdf_gives_its_text_or_one_sentence(tmp_path: Path, name: str) -> None:
    make, message = FILES[name]
    path = tmp_path / "hostile.pdf"
    path.write_bytes(make())
    started = time.process_time()
    try:
        pages = read_pdf(path).pages
    except CorpusError as error:
        said = str(error)
        assert "\n" not in said
        assert len(said) < 400
        assert message is None or re.search(message, said), said
    else:
        assert message is None, f"read as {pages}"
        assert any(line[:20] in page for page in pages for line in LINES) or any(page.strip() for page in pages)
    assert time.process_time() - started < SECONDS


@pytest.mark.parametrize(
    "name", ["cut in half", "a wrong xref", "no pages", "AES with a password", "arrays 100,000 deep"]
)
def test_pypdf_says_it_in_one_sentence_too(tmp_path: Path, name: str) -> None:
    path = tmp_path / "hostile.pdf"
    path.write_bytes(FILES[name][0]())
    try:
        read_pdf(path, "pypdf")
    except CorpusError as error:
        message = str(error)
    else:
        message = ""
    assert "\n" not in message
