"""The text layer of PDF files, page by page."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

from embft.errors import CorpusError

_BROKEN_HYPHEN = re.compile(r"[\ufffe\x02](?:\r?\n)?")  # PDFium's mark for a hyphen at the end of a line
_UNREADABLE = re.compile("[\ufffd\ue000-\uf8ff]")
_MIN_LETTERS = 20  # a page with fewer letters has no text layer to speak of
_REPAIR = (
    "repair it with `qpdf in.pdf out.pdf` or print it from a viewer to a new PDF; if no viewer opens it, get it again"
)
_DECRYPT = "remove the password with `qpdf --password=PASSWORD --decrypt in.pdf out.pdf`"
_OCR = "run OCR over it: `ocrmypdf {flag} in.pdf out.pdf`"


def read_pdf(path: Path, reader: str = "pypdfium2") -> list[str]:
    """Returns the text of each page, in order; a page without text gives an empty string.

    A hyphen at a line's end is given as ``-`` and a line break, whatever the reader makes of it.

    Args:
        path: The file.
        reader: ``pypdfium2`` or ``pypdf``; the first is some 15 times faster and closer to the printed spaces.

    Raises:
        CorpusError: The file is empty, broken, encrypted or scanned; says what to do, without the file's name.
    """
    with path.open("rb") as file:
        head = file.read(1024)
    if not head:
        raise CorpusError("is empty (0 bytes): get it again")
    if b"%PDF-" not in head:
        raise CorpusError(f"is not a PDF (it starts with {head[:12]!r}): get it again, or correct its name")
    readers: dict[str, Callable[[Path], list[str]]] = {"pypdfium2": _read_pypdfium2, "pypdf": _read_pypdf}
    pages = readers[reader](path)
    if not pages:
        raise CorpusError(f"has no pages: {_REPAIR}")
    bare = sum(sum(map(str.isalpha, page)) < _MIN_LETTERS for page in pages)
    # A one-page file may hold a short notice; of many pages, half without text is a scan with a typed cover.
    if bare * 2 > len(pages) and (len(pages) > 1 or not any(map(str.isalnum, pages[0]))):
        raise CorpusError(
            f"has no text on {bare} of its {len(pages)} pages, so it was scanned: {_OCR.format(flag='--skip-text')}"
        )
    text = "".join(pages)
    if len(_UNREADABLE.findall(text)) > 0.2 * max(1, len(text)):
        raise CorpusError(f"has fonts that do not say which letters they show: {_OCR.format(flag='--force-ocr')}")
    return pages


def _read_pypdfium2(path: Path) -> list[str]:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            raise CorpusError(f"is encrypted: {_DECRYPT}") from None
        raise CorpusError(f"is broken ({error}): {_REPAIR}") from None
    try:
        pages = []
        for index in range(len(document)):
            page = document[index]
            text_page = page.get_textpage()
            pages.append(_BROKEN_HYPHEN.sub("-\n", text_page.get_text_range()))
            text_page.close()
            page.close()
        return pages
    except pypdfium2.PdfiumError as error:
        raise CorpusError(f"is broken at page {len(pages) + 1} ({error}): {_REPAIR}") from None
    finally:
        document.close()


def _read_pypdf(path: Path) -> list[str]:
    import pypdf
    from pypdf.errors import DependencyError, FileNotDecryptedError, PyPdfError, WrongPasswordError

    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it warns about each odd object of a file that reads well
    pages: list[str] = []
    try:
        document = pypdf.PdfReader(path)
        if document.is_encrypted and not document.decrypt(""):
            raise CorpusError(f"is encrypted: {_DECRYPT}")
        # A loop: the count in an error message is the page that failed.
        for page in document.pages:
            pages.append("\n".join(line.strip() for line in page.extract_text().splitlines()))  # noqa: PERF401
        return pages
    except (FileNotDecryptedError, WrongPasswordError):
        raise CorpusError(f"is encrypted: {_DECRYPT}") from None
    except DependencyError:
        raise CorpusError(
            f"is encrypted with AES, which pypdf alone cannot read: use corpus.pdf_reader=pypdfium2, or {_DECRYPT}"
        ) from None
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError) as error:
        # pypdf lets errors of its parser through as they come.
        raise CorpusError(f"is broken at page {len(pages) + 1} ({type(error).__name__}: {error}): {_REPAIR}") from None
