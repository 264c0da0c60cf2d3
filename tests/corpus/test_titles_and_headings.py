"""What a document is called and which headings a chunk stands under: the context of its chunks."""

from __future__ import annotations

import json
import zipfile

import pytest

from embft.config import CorpusConfig
from embft.corpus.chunk_files import read_chunk_file
from embft.corpus.chunking import chunk_pages
from embft.corpus.context import ContextReport, contexts_of, titles_differ
from embft.corpus.outlines import Heading, headings_of_text, with_headings
from embft.corpus.reading import read_corpus
from embft.corpus.titles import TitleSources, clean_title, document_titles, title_of_name
from embft.files import write_jsonl
from embft.records import Chunk, Page, read_jsonl


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("0000320193-22-000108.pdf", ""),
        ("nvidia-sec-10k-2022.pdf", "nvidia sec 10k 2022"),
        ("3M_2018_10K.pdf", "3M 2018 10K"),
        ("AnnualReport2022.pdf", "Annual Report 2022"),
        ("d41d8cd98f00b204e9800998ecf8427e.pdf", ""),
        ("docs/index.html", ""),
        ("doc1.docx", ""),
        ("10-K.pdf", ""),
        ("员工手册.md", "员工手册"),
    ],
)
def test_a_files_name_is_a_title_where_it_says_something(name, title):
    assert title_of_name(name) == title


@pytest.mark.parametrize(
    ("metadata", "title"),
    [
        ("Microsoft Word - doc1", ""),
        ("Microsoft Word - Annual Report 2021.doc", "Annual Report 2021"),
        ("untitled", ""),
        ("PowerPoint Presentation", ""),
        ("0000320193-22-000108", ""),
        ("10-K", ""),
        ("Handbook\x00 of  employees ", "Handbook of employees"),
        ("annual_report_2021", "annual report 2021"),
        ("Über uns", "Über uns"),
        ("word " * 60, ("word " * 24).strip()),
    ],
)
def test_junk_of_programs_is_no_title(metadata, title):
    assert clean_title(metadata) == title


def test_a_title_that_several_documents_share_gets_what_tells_them_apart():
    titles = document_titles(
        {
            "NVDA_2022_10K.pdf": TitleSources("FORM 10-K"),
            "AAPL_2022_10K.pdf": TitleSources("FORM 10-K"),
            "acme/2021/index.md": TitleSources(heading="Introduction"),
            "bolt/2021/index.md": TitleSources(heading="Introduction"),
            "x.pdf": TitleSources("NVIDIA CORP 10-K"),
        }
    )
    assert titles["NVDA_2022_10K.pdf"] == "NVDA 2022 10K: FORM 10-K"
    assert titles["acme/2021/index.md"] == "acme 2021: Introduction"
    assert titles["x.pdf"] == "NVIDIA CORP 10-K"
    assert len(set(titles.values())) == 5


def test_what_a_name_adds_stands_behind_the_title():
    titles = document_titles(
        {"AAPL_2022.pdf": TitleSources("Annual report"), "handbook.pdf": TitleSources("Employee Handbook")}
    )
    assert titles == {"AAPL_2022.pdf": "Annual report (AAPL 2022)", "handbook.pdf": "Employee Handbook"}


def test_without_anything_better_the_first_line_is_the_title():
    assert document_titles({"0001.pdf": TitleSources(first_line="Terms of delivery")}) == {
        "0001.pdf": "Terms of delivery"
    }
    assert document_titles({"0001.pdf": TitleSources()}) == {"0001.pdf": ""}


def test_headings_hold_from_their_line_to_the_next_of_their_level():
    text = "Intro\n\n\nPay\n\nmonthly\n\n\nBonus\n\nyearly\n\n\nLeave\n\n30 days"
    outline = [Heading(1, "Pay"), Heading(2, "Bonus"), Heading(1, "Leave")]
    (page,) = with_headings([Page("d", None, text, "Handbook")], outline)
    paths = {word: page.headings_at(text.index(word)) for word in ("Intro", "monthly", "Bonus", "yearly", "30 days")}
    assert paths == {
        "Intro": (), "monthly": ("Pay",), "Bonus": ("Pay", "Bonus"), "yearly": ("Pay", "Bonus"), "30 days": ("Leave",),
    }  # fmt: skip


def test_headings_reach_over_pages_and_a_bookmark_needs_no_line():
    pages = [
        Page("d", number, text)
        for number, text in ((1, "PART I\nItem 1. Business\nWe sell."), (2, "And buy."), (3, "Facts."))
    ]
    outline = [Heading(1, "Part I", 1), Heading(2, "Item 1. Business", 1), Heading(2, "Risk factors", 3)]
    first, second, third = with_headings(pages, outline)
    assert first.headings_at(first.text.index("We")) == ("Part I", "Item 1. Business")
    assert second.headings_at(0) == ("Part I", "Item 1. Business")
    assert third.headings_at(0) == ("Part I", "Risk factors")


def test_plain_text_has_the_headings_that_its_markup_marks():
    rst = "Guide\n=====\n\nText.\n\nInstall\n-------\n\nUse\n---\n\n======  =====\ntable   here\n"
    assert [(heading.level, heading.text) for heading in headings_of_text(rst)] == [
        (1, "Guide"),
        (2, "Install"),
        (2, "Use"),
    ]
    assert headings_of_text("No headings.\n\n--- not one\n") == []
    tex = [(heading.level, heading.text) for heading in headings_of_text("\\section{One}\nx\n\\subsection{Two}\n")]
    assert tex == [(2, "One"), (3, "Two")]


def corpus_of(folder, **files):
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content, encoding="utf-8")
    config = CorpusConfig(name="x", kind="files", path=str(folder), chunk_tokens=16)
    return read_corpus(config, folder / "cache")[0]


def test_markdown_and_html_give_titles_and_paths(tmp_path):
    pages = corpus_of(
        tmp_path,
        leave__md="# Leave policy\n\nWho may go.\n\n## Parental leave\n\nTwelve weeks are paid in full for all parents.\n",
        pay__html="<html><head><title>Pay at Acme</title></head><body><nav><h2>Menu</h2></nav><h1>Pay</h1><p>Monthly.</p>"
        "<h2>Bonus¶</h2><p>Once a year, in March, for everybody who stayed.</p></body></html>",
        rows__csv="id,title,text\n1,Row one,Some text here\n2,,Other text here\n",
    )
    by_name = {page.document: page for page in pages}
    assert by_name["leave.md"].title == "Leave policy"
    assert by_name["pay.html"].title == "Pay at Acme"
    assert (by_name["rows.csv#1"].title, by_name["rows.csv#2"].title) == ("Row one", "")
    chunks = chunk_pages(pages, 16)
    contexts = {chunk.text: contexts_of(pages, chunks, "headings").get(chunk.id, "") for chunk in chunks}
    assert next(context for text, context in contexts.items() if "Twelve" in text) == "Leave policy > Parental leave"
    assert next(context for text, context in contexts.items() if "March" in text) == "Pay at Acme > Pay > Bonus"
    titles = contexts_of(pages, chunks, "title")
    assert set(titles.values()) == {"Leave policy", "Pay at Acme", "Row one"}
    assert contexts_of(pages, chunks, "none") == {}


def test_an_office_file_says_its_title_in_its_properties(tmp_path):
    docx = pytest.importorskip("docx")
    document = docx.Document()
    document.core_properties.title = "Terms of delivery"
    document.add_heading("Returns", 1)
    document.add_paragraph("Goods are taken back within thirty days.")
    document.save(str(tmp_path / "x1.docx"))
    assert zipfile.is_zipfile(tmp_path / "x1.docx")
    (page,) = corpus_of(tmp_path)
    assert page.title == "Terms of delivery"
    assert page.headings_at(page.text.index("Goods")) == ("Returns",)


def test_a_file_of_chunks_may_have_titles_and_headings(tmp_path):
    rows = [
        {"id": "a", "text": "one", "source": "data/NVDA_2022_10K.pdf", "page": 1, "headings": "Part I > Business"},
        {"id": "b", "text": "two", "source": "data/NVDA_2022_10K.pdf", "page": 1, "headings": "Part I > Risk"},
        {"id": "c", "text": "three", "source": "s3://x/0001.pdf", "title": "Handbook", "page": 2, "headings": None},
    ]
    path = tmp_path / "chunks.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    file = read_chunk_file(path)
    assert contexts_of(file.pages, file.chunks, "headings") == {
        "a": "NVDA 2022 10K > Part I > Business", "b": "NVDA 2022 10K > Part I > Risk", "c": "Handbook",
    }  # fmt: skip
    assert [chunk.text for chunk in file.chunks] == ["one", "two", "three"]


def test_pages_keep_titles_and_headings_on_disk(tmp_path):
    page = Page("d", 1, "text", "Title", ((0, ("A", "B")),))
    write_jsonl(tmp_path / "p.jsonl", [page])
    assert read_jsonl(tmp_path / "p.jsonl", Page) == [page]


def test_auto_is_the_title_where_titles_tell_documents_apart():
    one, other, same = Page("a", None, "x", "A"), Page("b", None, "y", "B"), Page("c", None, "z", "A")
    assert titles_differ([one, other])
    assert not titles_differ([one, same])
    assert not titles_differ([Page("a", None, "x")])


def test_the_report_says_what_contexts_add():
    chunk = Chunk("1", "four words of text", "d", None, 0, 18)
    report = ContextReport.of("title", {"1": "Acme"}, {chunk.id: chunk.text, "2": "more"})
    assert (report.chunks, report.distinct, report.tokens, report.text_tokens) == (1, 1, 1, 5)
    assert 'such as "Acme"' in report.sentence
    assert "+20% text" in report.sentence
