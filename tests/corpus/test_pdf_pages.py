"""Forms, scans and unreadable fonts: what a page shows is in the text, or the page is named."""

from __future__ import annotations

import shutil
from difflib import SequenceMatcher
from pathlib import Path

import pypdfium2
import pytest
from pdf_bytes import PdfWriter, Placed, pdf_bytes, placed_pdf

from embft.config import CorpusConfig
from embft.corpus.ocr import open_tesseract
from embft.corpus.pdf import read_pdf
from embft.corpus.reading import read_corpus
from embft.errors import CorpusError

READERS = ("pypdfium2", "pypdf")
TEXT = [
    "The harbour office keeps a log of every tide and the height",
    "of the water at the north pier. A keeper writes the reading",
    "at six in the morning and again at six in the evening.",
]
HANZI = ["港务局每天记录北码头的潮汐和水位", "看守人早晨六点读数傍晚再读一次", "有疑问的读数用叉号标出不计入年平均"]
STAMP = "BT /F1 9 Tf 50 820 Td (Case 12-345 Document 7 Filed 03/04/2019 Page {} of 9) Tj ET"


def save(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


# Forms


def field(kind: str, name: str, value: str, rect: str, more: str = "") -> str:
    return f"<< /Type /Annot /Subtype /Widget /FT /{kind} /T ({name}) /V {value} /Rect [{rect}] /F 4 {more} >>"


def form_pdf() -> bytes:
    writer = PdfWriter()
    fields = [
        field("Tx", "name", "(R. Example)", "150 695 400 709"),
        field("Tx", "purpose", "<FEFF" + "修理潮位计".encode("utf-16-be").hex() + ">", "150 675 400 689"),
        field("Ch", "port", "(n)", "150 655 400 669", "/Ff 131072 /Opt [[(n) (Northport)] [(s) (Southport)]]"),
        field("Btn", "agreed", "/Yes", "30 635 42 647", "/AS /Yes /AP << /N << /Yes 6 0 R /Off 6 0 R >> >>"),
        field("Btn", "news", "/Off", "30 615 42 627", "/AS /Off /AP << /N << /Yes 6 0 R /Off 6 0 R >> >>"),
        field("Tx", "secret", "(hunter2)", "150 595 400 609", "/Ff 8192"),
        field("Tx", "remarks", "(Bring the spare gauge)", "50 100 400 140"),
        "<< /Type /Annot /Subtype /FreeText /Contents (Typed on top) /Rect [300 780 400 800] /F 4 >>",
    ]
    writer.add_stream(b"", b"/Type /XObject /Subtype /Form /BBox [0 0 12 12]")  # object 6: how a box looks
    numbers = [writer.add(one.encode("latin-1")) for one in fields]
    listed = b" ".join(b"%d 0 R" % number for number in numbers)
    writer.catalogue = b"/AcroForm << /Fields [%s] /DA (/Helv 10 Tf 0 g) >>" % listed
    lines = ["Name of traveller:", "Purpose:", "Port:", "I agree to the terms", "Send me news", "Password:"]
    shown = [Placed(50, 698 - 20 * row, line) for row, line in enumerate(lines)]
    writer.add_page(b"".join(line.operators for line in shown), b"/Annots [%s]" % listed)
    return writer.finish()


@pytest.mark.parametrize("reader", READERS)
def test_values_of_forms_stand_beside_their_labels(tmp_path: Path, reader: str) -> None:
    text = read_pdf(save(tmp_path / "form.pdf", form_pdf()), reader).pages[0]
    lines = text.replace("\r\n", "\n").split("\n")
    assert lines[:3] == ["Name of traveller: R. Example", "Purpose: 修理潮位计", "Port: Northport"]
    assert lines[3:5] == ["[x] I agree to the terms", "[ ] Send me news"]
    assert "remarks: Bring the spare gauge" in lines
    assert "Typed on top" in text
    assert "hunter2" not in text


# Scans


def picture_page(writer: PdfWriter, width: int, height: int, grey: bytes, content: bytes = b"") -> None:
    image = writer.add_stream(
        grey, b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8"
        % (width, height),
        packed=True,
    )  # fmt: skip
    size = b"%g 0 0 %g 0 0" % (width * 72 / 200, height * 72 / 200)
    box = b"0 0 %g %g" % (width * 72 / 200, height * 72 / 200)
    writer.add_page(b"q %s cm /Im Do Q %s" % (size, content), xobjects=b"/Im %d 0 R" % image, box=box)


def scan_of(lines: list[str], turns: int = 0) -> tuple[int, int, bytes]:
    """A picture of a page with the lines, at 200 dots per inch."""
    import numpy as np

    data = placed_pdf([[Placed(50, 780 - 24 * row, line, 14) for row, line in enumerate(lines)]])
    bitmap = pypdfium2.PdfDocument(data)[0].render(scale=200 / 72, grayscale=True)
    rows = np.asarray(bitmap.to_numpy()).reshape(bitmap.height, -1)[:500, : bitmap.width]
    rows = np.ascontiguousarray(np.rot90(rows, turns))
    return rows.shape[1], rows.shape[0], rows.tobytes()


def blank_scan_pdf(pages: int, typed: int = 0, stamp: bool = False) -> bytes:
    writer = PdfWriter()
    grey = bytes(range(0, 256, 4)) * 64
    for number in range(pages):
        image = writer.add_stream(
            grey, b"/Type /XObject /Subtype /Image /Width 64 /Height 64 /ColorSpace /DeviceGray /BitsPerComponent 8"
        )
        if number < typed:
            words = [" ".join(TEXT).split()[(7 * number + 3 * row) % 30 :][:6] for row in range(9)]
            writer.add_page(
                b"".join(Placed(50, 700 - 14 * row, " ".join(line)).operators for row, line in enumerate(words))
            )
        else:
            content = b"q 500 0 0 700 40 60 cm /Im Do Q " + (STAMP.format(number + 1).encode() if stamp else b"")
            writer.add_page(content, xobjects=b"/Im %d 0 R" % image)
    return writer.finish()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("pages", [1, 3, 6])
def test_scans_with_a_typed_stamp_are_scans(tmp_path: Path, reader: str, pages: int) -> None:
    path = save(tmp_path / "stamped.pdf", blank_scan_pdf(pages, stamp=True))
    with pytest.raises(CorpusError, match=rf"no text on {pages} of its {pages} pages, so it was scanned: .*ocrmypdf"):
        read_pdf(path, reader)


def test_scanned_pages_of_a_file_are_named_in_the_report(tmp_path: Path) -> None:
    save(tmp_path / "mixed.pdf", blank_scan_pdf(9, typed=6))
    config = CorpusConfig(name="x", kind="files", path=str(tmp_path / "mixed.pdf"))
    pages, report = read_corpus(config, tmp_path)
    assert [page.number for page in pages] == [1, 2, 3, 4, 5, 6]
    assert report.scans == ({"document": "mixed.pdf", "scanned": [7, 8, 9], "unreadable": [], "recognised": []},)
    assert "pages 7-9 (3 of 9) are scans" in report.warnings[0]
    assert "corpus.ocr=auto" in report.warnings[0]


def test_pages_with_text_over_a_picture_are_no_scans(tmp_path: Path) -> None:
    writer = PdfWriter()
    lines = b"".join(Placed(80, 400 - 14 * row, line).operators for row, line in enumerate(TEXT))
    picture_page(writer, 1200, 1600, bytes(1200 * 1600), lines)
    assert read_pdf(save(tmp_path / "a.pdf", writer.finish())).notes == []


# Fonts without a map to Unicode


def coded_pdf(shift: int) -> bytes:
    """Letters by their number in a font that names none."""
    writer = PdfWriter()
    font = writer.add(
        b"<< /Type /Font /Subtype /Type0 /BaseFont /AAAAAA+Own /Encoding /Identity-H /DescendantFonts [<< /Type /Font "
        b"/Subtype /CIDFontType2 /BaseFont /AAAAAA+Own /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
        b"/DW 600 /FontDescriptor << /Type /FontDescriptor /FontName /AAAAAA+Own /Flags 4 /FontBBox [0 -200 1000 900] "
        b"/ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >> >>] >>"
    )
    codes = "".join(f"{ord(letter) - shift:04x}" for letter in " ".join(TEXT))
    stream = writer.add_stream(b"BT /Own 10 Tf 50 700 Td <%s> Tj ET" % codes.encode())
    writer.kids.append(writer.add(
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /Own %d 0 R >> >> /Contents %d 0 R >>"
        % (font, stream)
    ))  # fmt: skip
    return writer.finish()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("shift", [29, 31])
def test_a_font_that_names_no_letters_is_unreadable(tmp_path: Path, reader: str, shift: int) -> None:
    path = save(tmp_path / "coded.pdf", coded_pdf(shift))
    with pytest.raises(CorpusError, match=r"fonts that do not say which letters they show.*--force-ocr"):
        read_pdf(path, reader)


def test_chinese_that_was_taken_for_latin_is_unreadable(tmp_path: Path) -> None:
    lines = [line.encode("gb18030").decode("latin-1") for line in HANZI]
    writer = PdfWriter()
    shown = b"".join(
        b"(%s) Tj T*\n" % line.encode("latin-1").replace(b"\\", b"\\\\").replace(b"(", b"\\(") for line in lines
    )
    writer.add_page(b"BT /F1 10 Tf 12 TL 50 700 Td\n%sET" % shown)
    with pytest.raises(CorpusError, match="fonts that do not say"):
        read_pdf(save(tmp_path / "a.pdf", writer.finish()))


@pytest.mark.parametrize(
    "line", ["Übergrößenträger müssen äußerst schön größer", "Příliš žluťoučký kůň úpěl ďábelské ódy"]
)
def test_languages_with_many_accents_are_read(tmp_path: Path, line: str) -> None:
    path = save(tmp_path / "a.pdf", pdf_bytes([[line.encode("cp1252", "replace").decode("cp1252")] * 5]))
    assert read_pdf(path).unreadable == ()


# OCR

needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="Tesseract is not installed: apt install tesseract-ocr"
)


def likeness(text: str, lines: list[str]) -> float:
    return SequenceMatcher(None, "".join(text.split()), "".join("".join(lines).split()), autojunk=False).ratio()


@needs_tesseract
@pytest.mark.parametrize("turns", [0, 2])
def test_a_scanned_english_page_is_read_whichever_way_up(tmp_path: Path, turns: int) -> None:
    writer = PdfWriter()
    picture_page(writer, *scan_of(TEXT, turns))
    path = save(tmp_path / "scan.pdf", writer.finish())
    text = read_pdf(path, tesseract=open_tesseract("en", tmp_path / "ocr"))
    assert text.recognised == (1,)
    assert likeness(text.pages[0], TEXT) > 0.95
    assert "was read by OCR" in text.notes[0]
    assert len(list((tmp_path / "ocr").iterdir())) == 1  # kept for the next start


@needs_tesseract
def test_a_scanned_chinese_page_is_read_without_spaces_between_its_characters(tmp_path: Path) -> None:
    width, height, grey = scan_of(HANZI)
    if grey.count(0) < 2000:
        pytest.skip("no Chinese font: apt install fonts-wqy-zenhei")
    writer = PdfWriter()
    picture_page(writer, width, height, grey)
    picture_page(writer, *scan_of(TEXT))
    try:
        tesseract = open_tesseract("auto")
        open_tesseract("zh")
    except CorpusError as error:
        pytest.skip(str(error))
    text = read_pdf(save(tmp_path / "scan.pdf", writer.finish()), tesseract=tesseract)
    assert likeness(text.pages[0], HANZI) > 0.85
    assert " " not in text.pages[0]
    assert likeness(text.pages[1], TEXT) > 0.95


def test_without_tesseract_one_sentence_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from embft.corpus import ocr

    monkeypatch.setattr(ocr, "_installed", lambda: (None, frozenset()))
    with pytest.raises(CorpusError, match=r"corpus\.ocr=auto needs Tesseract.*apt install tesseract-ocr"):
        open_tesseract("auto")
    monkeypatch.setattr(ocr, "_installed", lambda: ("tesseract 5", frozenset({"eng"})))
    with pytest.raises(CorpusError, match=r"no data for 'deu' \(it has eng\): `apt install tesseract-ocr-deu`"):
        open_tesseract("de")
