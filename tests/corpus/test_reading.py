import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import pytest
from pdf_bytes import pdf_bytes
from pytest_httpserver import HTTPServer

from embft.config import CorpusConfig
from embft.corpus.reading import input_digests, read_corpus
from embft.errors import CorpusError

TEXT = "A sentence with enough letters in it."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "docs"
    (root / "sub").mkdir(parents=True)
    (root / ".hidden").mkdir()
    (root / "b.pdf").write_bytes(pdf_bytes([[TEXT], ["The second page of it, with its text."]]))
    (root / "a.md").write_text("# Title\n\nSome text.", encoding="utf-8")
    (root / "sub" / "c.html").write_text("<p>Markup</p>", encoding="utf-8")
    (root / "sub" / "d.txt").write_bytes("中文文本，没有标记。".encode("gb18030"))
    (root / "sub" / "e.png").write_bytes(b"\x89PNG")
    (root / ".hidden" / "f.md").write_text("hidden", encoding="utf-8")
    return root


def files(path: Path | str, **options: str) -> CorpusConfig:
    return CorpusConfig(name="files", path=str(path), **options)  # type: ignore[arg-type]


def test_a_folder_is_read_in_order_with_page_numbers(folder: Path, tmp_path: Path) -> None:
    pages, report = read_corpus(files(folder), tmp_path)
    assert [(page.document, page.number) for page in pages] == [
        ("a.md", None), ("b.pdf", 1), ("b.pdf", 2), ("sub/c.html", None), ("sub/d.txt", None),
    ]  # fmt: skip
    assert (report.documents, report.pages, report.other_files) == (4, 5, {".png": 1})
    assert report.encodings == ({"document": "sub/d.txt", "encoding": "gb18030"},)
    assert report.characters == sum(len(page.text) for page in pages)
    json.dumps(asdict(report))


@pytest.mark.parametrize(
    ("pattern", "names"),
    [("**/*.html", ["sub/c.html"]), ("*", ["a.md", "b.pdf"]), ("s*", ["sub/c.html", "sub/d.txt"])],
)
def test_a_glob_names_files_below_its_fixed_part(folder: Path, tmp_path: Path, pattern: str, names: list[str]) -> None:
    pages, _ = read_corpus(files(folder / pattern), tmp_path)
    assert sorted({page.document for page in pages}) == names


def test_all_bad_files_are_named_at_once(folder: Path, tmp_path: Path) -> None:
    (folder / "empty.pdf").write_bytes(b"")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (folder / "blank.txt").write_text(" ", encoding="utf-8")
    with pytest.raises(CorpusError) as error:
        read_corpus(files(folder), tmp_path)
    message = str(error.value)
    assert message.startswith("3 of 7 documents cannot be read:")
    assert all(name in message for name in ("empty.pdf is empty", "broken.pdf is broken", "blank.txt is empty"))
    assert "corpus.on_error=skip" in message
    pages, report = read_corpus(files(folder, on_error="skip"), tmp_path)
    assert len(pages) == 5
    assert [item["document"] for item in report.skipped] == ["blank.txt", "broken.pdf", "empty.pdf"]


def test_skipping_everything_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty.pdf").write_bytes(b"")
    with pytest.raises(CorpusError, match="Nothing is left to read"):
        read_corpus(files(tmp_path / "empty.pdf", on_error="skip"), tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing", "no such file or folder"),
        ("sub/e.png", "reads pdf, docx, .* and jsonl, not '.png'"),
        ("*.xyz", "found nothing"),
    ],
)
def test_a_wrong_path_says_what_is_there(folder: Path, tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read_corpus(files(folder / name), tmp_path)


def test_copies_of_a_file_are_read_once(folder: Path, tmp_path: Path) -> None:
    (folder / "z.md").write_bytes((folder / "a.md").read_bytes())
    pages, report = read_corpus(files(folder), tmp_path)
    assert report.copies == ({"document": "z.md", "same_as": "a.md"},)
    assert len(pages) == 5


def test_digests_follow_names_and_contents(folder: Path, tmp_path: Path) -> None:
    before = input_digests(files(folder), tmp_path)
    assert before == input_digests(files(folder), tmp_path)
    (folder / "a.md").write_text("changed", encoding="utf-8")
    after = input_digests(files(folder), tmp_path)
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, True, True, True]
    assert input_digests(CorpusConfig(name="x", kind="python_reference"), tmp_path)


def test_the_python_reference_needs_no_file(tmp_path: Path) -> None:
    pages, report = read_corpus(CorpusConfig(name="x", kind="python_reference"), tmp_path)
    assert "with" in {page.document for page in pages}
    assert report.repeated_paragraphs > 0


def remote(server: HTTPServer, sha256: str) -> CorpusConfig:
    return CorpusConfig(name="nvidia_10k", kind="nvidia_10k", url=server.url_for("/10k.pdf"), sha256=sha256)


def test_a_download_is_checked_and_kept(httpserver: HTTPServer, tmp_path: Path) -> None:
    data = pdf_bytes([[TEXT]])
    httpserver.expect_request("/10k.pdf").respond_with_data(data)
    config = remote(httpserver, hashlib.sha256(data).hexdigest())
    assert input_digests(config, tmp_path)
    pages, report = read_corpus(config, tmp_path)
    assert pages[0].text == TEXT
    assert not report.warnings
    assert len(httpserver.log) == 1


def test_another_file_at_the_address_is_refused(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request("/10k.pdf").respond_with_data(b"something else")
    with pytest.raises(CorpusError, match="is not the file it was"):
        read_corpus(remote(httpserver, "0" * 64), tmp_path)
    assert not [file for file in (tmp_path / "downloads").iterdir() if file.suffix != ".lock"]


def test_an_unreachable_server_names_the_ways_out(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request("/10k.pdf").respond_with_data("gone", status=503)
    with pytest.raises(CorpusError, match=r"(?s)answered 503.*corpus.path=.*try again.*HTTPS_PROXY"):
        read_corpus(remote(httpserver, "0" * 64), tmp_path)
    dead = CorpusConfig(name="x", kind="nvidia_10k", url="http://127.0.0.1:9/x.pdf")
    with pytest.raises(CorpusError, match="cannot be downloaded \\(ConnectError"):
        read_corpus(dead, tmp_path)


def test_a_local_copy_that_differs_is_read_with_a_warning(folder: Path, tmp_path: Path) -> None:
    config = CorpusConfig(name="x", kind="nvidia_10k", path=str(folder / "b.pdf"), sha256="0" * 64)
    pages, report = read_corpus(config, tmp_path)
    assert len(pages) == 2
    assert "not the filing of the article" in report.warnings[0]


def test_the_10k_reads_clean(nvidia_data: Path, tmp_path: Path) -> None:
    pages, report = read_corpus(files(nvidia_data / "nvidia-sec-10k-2022.pdf"), tmp_path)
    text = {page.number: page.text for page in pages}
    assert len(pages) == 169
    assert {"Table of Contents", "#", "(Continued)"} <= {item["line"] for item in report.boilerplate}
    assert "Table of Contents" not in "".join(text.values())
    assert "reflecting the write-off of the prepayment provided at signing." in text[5]
    assert "Black-Scholes model" in text[61]
    assert "\n\nOur Businesses\n\nWe report our business results in two segments.\n\n" in text[5]
    assert "Research and development expenses $ 7,339 $ 5,268 $ 2,071 39 %\n" in text[43]
    assert not any(ord(character) < 32 and character != "\n" for page in pages for character in page.text)
