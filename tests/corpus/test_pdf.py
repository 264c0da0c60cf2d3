from pathlib import Path

import pypdf
import pytest
from pdf_bytes import pdf_bytes

from embft.corpus.pdf import read_pdf
from embft.errors import CorpusError

READERS = ("pypdfium2", "pypdf")
SENTENCE = "The quick brown fox jumps over the lazy dog."


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_bytes([[SENTENCE, "Second line (with brackets) here."], ["Another page with its own text."]]))
    return path


@pytest.mark.parametrize("reader", READERS)
def test_text_comes_page_by_page(pdf: Path, reader: str) -> None:
    pages = read_pdf(pdf, reader).pages
    assert [page.split() for page in pages] == [
        [*SENTENCE.split(), "Second", "line", "(with", "brackets)", "here."],
        ["Another", "page", "with", "its", "own", "text."],
    ]


def test_a_hyphen_at_a_lines_end_stays_a_hyphen_and_a_line_end(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_bytes([["These lines carry some infor-", "mation for you."]]))
    assert "infor-\nmation" in read_pdf(path).pages[0]


@pytest.mark.parametrize("reader", READERS)
def test_an_encrypted_file_says_how_to_decrypt(pdf: Path, reader: str) -> None:
    writer = pypdf.PdfWriter(clone_from=pdf)
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(pdf)
    with pytest.raises(CorpusError, match=r"encrypted.*qpdf --password=PASSWORD --decrypt"):
        read_pdf(pdf, reader)


@pytest.mark.parametrize("reader", READERS)
def test_a_file_with_an_empty_password_is_read(pdf: Path, reader: str) -> None:
    writer = pypdf.PdfWriter(clone_from=pdf)
    writer.encrypt("", "owner", algorithm="RC4-128")
    writer.write(pdf)
    assert SENTENCE in read_pdf(pdf, reader).pages[0]


@pytest.mark.parametrize("reader", READERS)
def test_a_scan_says_how_to_run_ocr(tmp_path: Path, reader: str) -> None:
    path = tmp_path / "scan.pdf"
    path.write_bytes(pdf_bytes([[SENTENCE], [], [], []]))
    with pytest.raises(CorpusError, match=r"no text on 3 of its 4 pages.*corpus\.ocr=auto.*ocrmypdf --skip-text"):
        read_pdf(path, reader)


@pytest.mark.parametrize("reader", READERS)
def test_a_few_blank_pages_are_no_scan(tmp_path: Path, reader: str) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_bytes([[SENTENCE], [], [SENTENCE]]))
    assert read_pdf(path, reader).pages[1].strip() == ""


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty \\(0 bytes\\): get it again"),
        (b"<html>Not found</html>", "not a PDF \\(it starts with b'<html>"),
        (b"%PDF-1.4\ngarbage without any object", "broken.*qpdf"),
    ],
)
def test_an_empty_wrong_or_broken_file_says_what_to_do(tmp_path: Path, reader: str, data: bytes, message: str) -> None:
    path = tmp_path / "bad.pdf"
    path.write_bytes(data)
    with pytest.raises(CorpusError, match=message):
        read_pdf(path, reader)
