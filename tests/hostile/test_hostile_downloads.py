"""Damaged downloads, and pages that were read by OCR: what comes out is what a clean cache gives, with a warning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cache_damage import Case, Damage, become_folder, cut, each, put

from embft.corpus.download import fetch_document
from embft.corpus.ocr import Recognised, Tesseract
from embft.files import file_digest

PAGE: list[tuple[str, Damage]] = [
    ("an empty file", put(b"")), ("cut short", cut(0.6)), ("bad bytes", put(b"90.0 \xff\n\xfe")),
    ("no figure", put(b"high\ntext")), ("a folder", become_folder),
]  # fmt: skip
DOWNLOAD: list[tuple[str, Damage]] = [
    ("an empty file", put(b"")), ("cut short", cut(0.5)), ("a folder", become_folder),
]  # fmt: skip
PAGES = [Case("pages read by OCR", *row) for row in PAGE]
DOWNLOADS = [Case("downloads", *row) for row in DOWNLOAD]
CASES = [*PAGES, *DOWNLOADS]


@each(PAGES)
def test_a_damaged_page_is_read_again(
    case: Case, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tesseract, "_read_page", lambda self, picture: Recognised("A page,\nof 文字.", 91.25))
    tesseract, picture = Tesseract("5", ("eng",), cache=tmp_path), np.zeros((2, 2), np.uint8)
    tesseract.read([picture])
    [known] = tesseract.read([picture])
    [kept] = tmp_path.iterdir()
    case.damage(kept)
    assert tesseract.read([picture])[0].text == known.text
    assert kept.name in caplog.text
    caplog.clear()
    assert tesseract.read([picture]) == [known]
    assert caplog.text == ""


@each(DOWNLOADS)
def test_a_damaged_download_is_fetched_again(
    case: Case, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "embft.corpus.download._download", lambda url, path, seconds: path.write_bytes(b"the filing" * 9)
    )
    target = fetch_document("http://x/filing.txt", None, tmp_path)
    expected = file_digest(target)
    case.damage(target)
    assert file_digest(fetch_document("http://x/filing.txt", None, tmp_path)) == expected
    assert target.name in caplog.text
