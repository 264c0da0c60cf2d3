"""The text of PDF files, page by page: text layer, filled-in forms, and what OCR makes of pages without text."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embft.corpus.ocr import Tesseract
from embft.corpus.outlines import Heading
from embft.corpus.pdf_bookmarks import title_and_bookmarks
from embft.corpus.pdf_columns import in_reading_order
from embft.corpus.pdf_draws import refuse_endless_draws
from embft.corpus.pdf_forms import filled_in, insert
from embft.corpus.pdf_scans import FEW_LETTERS, PageMarks, listed, survey, unread_pages
from embft.corpus.pdf_words import quarter_turns, read_words
from embft.errors import CorpusError
from embft.progress import each

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from pypdfium2 import PdfDocument, PdfPage

logger = logging.getLogger(__name__)

_BROKEN_HYPHEN = re.compile(r"[\ufffe\x02](?:\r?\n)?")  # PDFium's mark for a hyphen at the end of a line
_REPAIR = (
    "repair it with `qpdf in.pdf out.pdf` or print it from a viewer to a new PDF; if no viewer opens it, get it again"
)
_DECRYPT = "remove the password with `qpdf --password=PASSWORD --decrypt in.pdf out.pdf`"
_OCR = "add corpus.ocr=auto, or run OCR over it: `ocrmypdf {flag} in.pdf out.pdf`"
_DOTS = 300 / 72  # a point at 300 dots per inch, what Tesseract was trained for
_MOST_DOTS = 6000  # on a page's longer side
_OCR_BATCH = 8
_XFA = re.compile(r"please wait\b.{0,400}\b(?:adobe|viewer)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class PdfText:
    """What came out of a PDF.

    Attributes:
        pages: The text of each page, in order; a page without text gives an empty string.
        scanned: Numbers, from 1, of the pages that are pictures and were not read.
        unreadable: Numbers of the pages whose fonts do not say which letters they show and that were not read.
        recognised: Numbers of the pages that OCR read.
        title: Of the metadata.
        outline: The bookmarks, with the pages that they lead to.
    """

    pages: list[str]
    scanned: tuple[int, ...] = ()
    unreadable: tuple[int, ...] = ()
    recognised: tuple[int, ...] = ()
    title: str = ""
    outline: tuple[Heading, ...] = ()

    @property
    def notes(self) -> list[str]:
        """Sentences, without the file's name, about pages that have no text or have it from OCR."""
        count = len(self.pages)
        notes = []
        if self.scanned:
            what = "is a scan, or a picture with" if len(self.scanned) == 1 else "are scans, or pictures with"
            advice = _OCR.format(flag="--skip-text")
            notes.append(f"{listed(self.scanned, count)} {what} hardly any text; what they show is left out: {advice}")
        if self.unreadable:
            what = "has" if len(self.unreadable) == 1 else "have"
            advice = _OCR.format(flag="--force-ocr")
            notes.append(
                f"{listed(self.unreadable, count)} {what} fonts that do not say which letters they show; their text is left "
                f"out: {advice}"
            )
        if self.recognised:
            was = "was" if len(self.recognised) == 1 else "were"
            notes.append(f"{listed(self.recognised, count)} {was} read by OCR: expect some wrong letters")
        return notes


@dataclass(frozen=True)
class _Page:
    text: str
    marks: PageMarks
    is_mended: bool = False  # by its form or its columns, which only PDFium shows


def read_pdf(path: Path, reader: str = "pypdfium2", tesseract: Tesseract | None = None) -> PdfText:
    """Reads a PDF.

    A hyphen at a line's end is given as ``-`` and a line break, however the reader represents it. Columns are read one after
    the other, and the values of form fields stand beside their labels.

    Args:
        path: The file.
        reader: ``pypdfium2`` or ``pypdf``; the first is some 15 times faster and closer to the printed spaces.
        tesseract: Reads the pages that have no text or an unreadable one; None leaves them out.

    Raises:
        CorpusError: The file is empty, broken, encrypted or scanned; says what to do, without the file's name.
    """
    with path.open("rb") as file:
        head = file.read(1024)
    if not head:
        raise CorpusError("is empty (0 bytes): get it again")
    if b"%PDF-" not in head:
        raise CorpusError(f"is not a PDF (it starts with {head[:12]!r}): get it again, or correct its name")
    refuse_endless_draws(path)
    readers: dict[str, Callable[[Path], list[_Page]]] = {"pypdfium2": _read_pypdfium2, "pypdf": _read_pypdf}
    pages = readers[reader](path)
    if not pages:
        raise CorpusError(f"has no pages: {_REPAIR}")
    texts = [page.text for page in pages]
    if len("".join(texts)) < 2000 and _XFA.search("".join(texts)):
        raise CorpusError("is an XFA form, which only Adobe Reader opens: print it there to a new PDF")
    scanned, unreadable = unread_pages(texts, [page.marks for page in pages])
    for number in unreadable:
        texts[number - 1] = ""
    recognised: list[int] = []
    if tesseract and (unread := sorted(scanned + unreadable)):
        texts, recognised = _recognise(path, texts, unread, tesseract)
    read = set(recognised)
    text = PdfText(
        texts,
        tuple(number for number in scanned if number not in read),
        tuple(number for number in unreadable if number not in read),
        tuple(recognised),
        *title_and_bookmarks(path),
    )
    _refuse_unread(text, with_ocr=tesseract is not None)
    return text


def _refuse_unread(text: PdfText, *, with_ocr: bool) -> None:
    """Raises where a file has hardly any text."""
    count = len(text.pages)
    missing = len(text.scanned) + len(text.unreadable)
    unread = {*text.scanned, *text.unreadable}
    bare = missing + sum(
        number not in unread and number not in text.recognised and sum(map(str.isalpha, page)) < FEW_LETTERS
        for number, page in enumerate(text.pages, start=1)
    )
    # A one-page file may hold a short notice; of many pages, half without text is a scan with a typed cover.
    if bare * 2 <= count or (count == 1 and not missing and any(map(str.isalnum, text.pages[0]))):
        return
    if len(text.unreadable) * 2 > missing:
        what = f"has fonts that do not say which letters they show, on {len(text.unreadable)} of its {count} pages"
        advice = _OCR.format(flag="--force-ocr")
    else:
        what = f"has no text on {bare} of its {count} pages, so it was scanned"
        advice = _OCR.format(flag="--skip-text")
    raise CorpusError(f"{what}, and OCR finds no text either: take it out" if with_ocr else f"{what}: {advice}")


def _recognise(
    path: Path, texts: Sequence[str], numbers: Sequence[int], tesseract: Tesseract
) -> tuple[list[str], list[int]]:
    """Returns the texts with those of the given pages read by OCR, and the numbers of the pages where it found some."""
    texts, recognised = list(texts), []
    document = _open(path)
    try:
        for start in range(0, len(numbers), _OCR_BATCH):
            batch = numbers[start : start + _OCR_BATCH]
            if len(numbers) > _OCR_BATCH:
                logger.info("%s: OCR of page %d (%d of %d)", path.name, batch[0], start + 1, len(numbers))
            recognised_pages = tesseract.read([_picture(document[number - 1]) for number in batch])
            for number, page in zip(batch, recognised_pages, strict=True):
                # The picture shows what is typed on the scan, too: its text takes the place of both.
                letters, typed = (sum(map(str.isalpha, text)) for text in (page.text, texts[number - 1]))
                if letters >= FEW_LETTERS and letters > typed:
                    texts[number - 1] = page.text
                    recognised.append(number)
    finally:
        document.close()
    return texts, recognised


def _picture(page: PdfPage) -> npt.NDArray[np.uint8]:
    import numpy as np

    scale = min(_DOTS, _MOST_DOTS / max(page.get_size()))
    bitmap = page.render(scale=scale, grayscale=True)
    rows = np.asarray(bitmap.to_numpy()).reshape(bitmap.height, -1)[:, : bitmap.width]
    picture = np.ascontiguousarray(rows)
    page.close()
    return picture


def _open(path: Path) -> PdfDocument:
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        # PDFium says so of files without pages, too.
        if re.search("password|security", str(error), re.IGNORECASE) and b"/Encrypt" in path.read_bytes():
            raise CorpusError(f"is encrypted: {_DECRYPT}") from None
        raise CorpusError(f"is broken ({error}): {_REPAIR}") from None


def _read_pypdfium2(path: Path) -> list[_Page]:
    import pypdfium2
    import pypdfium2.raw as pdfium

    document = _open(path)
    pages: list[_Page] = []
    try:
        if document.get_formtype() != pdfium.FORMTYPE_NONE:
            document.init_forms()
        for index in each(range(len(document)), "reading pages", "pages"):
            page = document[index]
            pages.append(_read_page(page))
            page.close()
        return pages
    except pypdfium2.PdfiumError as error:
        raise CorpusError(f"is broken at page {len(pages) + 1} ({error}): {_REPAIR}") from None
    finally:
        document.close()


def _read_page(page: PdfPage) -> _Page:
    text_page = page.get_textpage()
    text = text_page.get_text_range()
    turns = quarter_turns(text_page, text)
    words = read_words(text_page, text, turns)
    marks = survey(page, text_page, text, words, turns)
    filled = filled_in(page, text_page, turns)
    ordered = in_reading_order(text, words)
    if ordered is not None:
        text, words = ordered, []  # the words' places in the text are not theirs any more
    if filled:
        text = insert(text, words, filled)
    text_page.close()
    return _Page(_BROKEN_HYPHEN.sub("-\n", text), marks, bool(filled) or ordered is not None)


def _read_pypdf(path: Path) -> list[_Page]:
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
    except (FileNotDecryptedError, WrongPasswordError):
        raise CorpusError(f"is encrypted: {_DECRYPT}") from None
    except DependencyError:
        raise CorpusError(
            f"is encrypted with AES, which pypdf alone cannot read: use corpus.pdf_reader=pypdfium2, or {_DECRYPT}"
        ) from None
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError) as error:
        # pypdf lets errors of its parser through as they come.
        raise CorpusError(f"is broken at page {len(pages) + 1} ({type(error).__name__}: {error}): {_REPAIR}") from None
    return _with_marks(path, pages)


def _with_marks(path: Path, texts: Sequence[str]) -> list[_Page]:
    """Adds to pypdf's texts what only PDFium shows: pictures, forms, and places of words."""
    try:
        pages = _read_pypdfium2(path)
    except CorpusError:
        pages = []
    if len(pages) != len(texts):
        return [_Page(text, PageMarks(len(text), False, False)) for text in texts]
    return [page if page.is_mended else _Page(text, page.marks) for text, page in zip(texts, pages, strict=True)]
