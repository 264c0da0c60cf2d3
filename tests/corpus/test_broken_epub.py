"""Books whose list of chapters is wrong lose no chapter, and have none of them twice."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from embft.config import CorpusConfig
from embft.corpus.reading import read_corpus

ONE, TWO = "The harbour office keeps a log of every tide.", "Visitors leave their bicycles at the east gate."
CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="c.opf"/></rootfiles>'
    "</container>"
)
BOTH = '<item id="a" href="a.xhtml"/><item id="b" href="b.xhtml"/>'
TURN = '<itemref idref="a"/><itemref idref="b"/>'


def book(folder: Path, manifest: str, spine: str, **files: str | bytes) -> Path:
    content: dict[str, str | bytes] = {"a.xhtml": f"<p>{ONE}</p>", "b.xhtml": f"<p>{TWO}</p>"}
    content |= {name.replace("__", "."): text for name, text in files.items()}
    package = (
        f'<package xmlns="http://www.idpf.org/2007/opf"><manifest>{manifest}</manifest><spine>{spine}</spine></package>'
    )
    with zipfile.ZipFile(folder / "a.epub", "w") as archive:
        for name, text in {"META-INF/container.xml": CONTAINER, "c.opf": package, **content}.items():
            archive.writestr(name, text)
    return folder / "a.epub"


@pytest.mark.parametrize(
    ("manifest", "spine", "said"),
    [
        (BOTH, TURN, ""),
        (BOTH, "", "does not say in which order"),
        (BOTH, '<itemref idref="x"/><itemref/>', "names 2 chapters that are not in it"),
        (BOTH, TURN * 2, ""),
        (f'<item href="a.xhtml"/>{BOTH}', TURN, ""),
        (BOTH.replace("a.xhtml", "A.XHTML").replace("b.xhtml", "b.xhtml#top"), TURN, ""),
    ],
    ids=["right", "no order", "an order of nothing", "each twice", "an item without id", "other letters and a place"],
)
def test_each_chapter_is_read_once(tmp_path: Path, manifest: str, spine: str, said: str) -> None:
    file = book(tmp_path, manifest, spine)
    pages, report = read_corpus(CorpusConfig(name="files", path=str(file)), tmp_path / "cache")
    assert [page.text for page in pages] == [ONE, TWO]
    assert said in " ".join(report.warnings)
    assert bool(said) == bool(report.warnings)


def test_a_chapter_that_is_no_text_is_named_and_costs_no_other(tmp_path: Path) -> None:
    file = book(tmp_path, BOTH, TURN, a__xhtml=b"\x89PNG\r\n\x1a\n" + b"\1" * 99)
    pages, report = read_corpus(CorpusConfig(name="files", path=str(file)), tmp_path / "cache")
    assert [page.text for page in pages] == [TWO]
    assert "has a chapter a.xhtml that is a picture" in report.warnings[0]
