"""Quotes as other programs copy them are found, and none in a wrong place."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from embft.questions.human import HumanQuestion, map_to_chunks
from embft.questions.quotes import BOUND, QuoteFinder
from embft.records import Chunk, Page

ROWS = ("Revenue", "Cost of revenue", "Gross profit", "Research and development", "Sales, general and administrative",
        "Acquisition termination cost", "Income from operations", "Interest income", "Net income", "Diluted shares")  # fmt: skip
HEADS = (
    "营业收入",
    "营业成本",
    "毛利润",
    "研发费用",
    "销售费用",
    "管理费用",
    "营业利润",
    "利息收入",
    "净利润",
    "稀释每股收益",
)
YEARS = range(2005, 2023)


def filings(heads: tuple[str, ...], intro: str) -> list[Page]:
    """The same table with other numbers, year after year."""
    rng = random.Random(7)
    pages = []
    for year in YEARS:
        for number in (1, 2, 3):
            rows = [
                f"{head} $ {rng.randint(1000, 99999):,} $ {rng.randint(1000, 99999):,} {rng.randint(1, 99)} %"
                for head in heads
            ]
            pages.append(Page(f"{year}.pdf", number, intro.format(year=year, number=number) + "\n\n" + "\n".join(rows)))
    return pages


ENGLISH = filings(
    ROWS, "The following table of part {number} sets forth our results for the fiscal year {year}, in millions:"
)
CHINESE = filings(HEADS, "下表列示本公司{year}年度第{number}部分的经营成果，单位为百万元，应与财务报表附注一并阅读：")


def other_order(quote: str, rng: random.Random) -> str:
    """The label behind its numbers."""
    return "\n".join(
        " ".join([*cells[1:], cells[0]]) for cells in (re.split(r" (?=\$)", line) for line in quote.splitlines())
    )


COPIES: dict[str, Callable[[str, random.Random], str]] = {
    "without signs": lambda quote, rng: re.sub(r"[$%,]", "", quote),
    "a cell a line": lambda quote, rng: re.sub(r"\s*\$\s*", "\n", quote),
    "wide spaces": lambda quote, rng: re.sub(r" ", lambda _: " " * rng.randint(1, 9), quote),
    "no spaces at signs": lambda quote, rng: re.sub(r"\s*([$%])\s*", r"\1", quote),
    "other order": other_order,
    "ligatures and capitals": lambda quote, rng: quote.replace("fi", "ﬁ").upper(),
    "broken words": lambda quote, rng: re.sub(r"([a-z]{4})([a-z]{3})", r"\1-\n\2", quote, count=rng.randint(1, 3)),
    "lost cells": lambda quote, rng: " ".join(word for word in quote.split() if rng.random() > 0.12),
    "glued words": lambda quote, rng: re.sub(r"(?<=[a-z]) (?=[a-z])", lambda m: "" if rng.random() < 0.4 else m[0], quote),
    "running head between": lambda quote, rng: quote.replace("\n", "\nSee accompanying notes | 17\n", 1),
}  # fmt: skip


@pytest.mark.parametrize("pages", [ENGLISH, CHINESE], ids=["English", "Chinese"])
@pytest.mark.parametrize("copy", COPIES)
def test_copied_rows_are_found_where_they_stand(pages: list[Page], copy: str) -> None:
    rng = random.Random(copy)
    finder = QuoteFinder(pages)
    found = wrong = 0
    for _ in range(30):
        page = rng.choice(pages)
        rows = page.text.split("\n")[2:]
        start = rng.randrange(len(rows) - 2)
        quote = COPIES[copy]("\n".join(rows[start : start + rng.randint(2, 4)]), rng)
        places = finder.find(quote).places
        right = any((place.document, place.page) == (page.document, page.number) for place in places)
        found += right
        wrong += bool(places) and not right
    assert found >= 28
    assert wrong == 0


@pytest.mark.parametrize("pages", [ENGLISH, CHINESE], ids=["English", "Chinese"])
def test_rows_of_another_year_are_not_found(pages: list[Page]) -> None:
    rng = random.Random(3)
    finder = QuoteFinder([page for page in pages if page.document != "2010.pdf"])
    for page in pages:
        if page.document == "2010.pdf":
            rows = page.text.split("\n")[2:]
            for _ in range(10):
                start = rng.randrange(len(rows) - 3)
                search = finder.find(re.sub(r"[$%,]", "", "\n".join(rows[start : start + 3])))
                assert not search.places
                assert search.nearest is not None
                assert search.nearest.score < BOUND


def test_a_document_beside_a_quote_chooses_among_equal_places() -> None:
    text = "Net income $ 4,368 $ 9,752 and diluted shares 2,507 as restated"
    pages = [Page(f"{year}.pdf", 4, f"Filler of {year} about tides. " + text) for year in range(3)]
    quote = text.replace("$", "|")
    finder = QuoteFinder(pages)
    assert [place.document for place in finder.find(quote).places] == ["0.pdf", "1.pdf", "2.pdf"]
    assert [place.document for place in finder.find(quote, "filings/1.pdf").places] == ["1.pdf"]


def test_a_quote_over_the_end_of_a_page_is_found_on_both() -> None:
    pages = [
        Page("a.pdf", 1, "Something else first. The harbour keeper writes every reading"),
        Page("a.pdf", 2, "in a bound ledger which the survey collects. More of other things."),
    ]
    places = (
        QuoteFinder(pages)
        .find("The harbour keeper writes every reading | in a bound ledger which the survey collects")
        .places
    )
    assert [place.page for place in places] == [1, 2]


def human(evidence: str, document: str | None = None, page: int | None = None) -> HumanQuestion:
    return HumanQuestion("What was net income?", evidence, document, page, "mine.jsonl, line 1")


def chunks_of(pages: list[Page]) -> list[Chunk]:
    return [
        Chunk(f"{page.document}/{page.number}", page.text, page.document, page.number, 0, len(page.text))
        for page in pages
    ]


def test_a_question_with_a_copied_quote_keeps_its_chunk() -> None:
    page = ENGLISH[20]
    quote = re.sub(r"[$%,]", " ", "\n".join(page.text.split("\n")[4:7]))
    questions = map_to_chunks([human(quote)], ENGLISH, chunks_of(ENGLISH)).questions
    assert questions[0].chunk_ids == (f"{page.document}/{page.number}",)


def test_a_page_beside_a_quote_that_is_nowhere_is_taken() -> None:
    row = human("nothing of this stands anywhere at all", "2007.pdf", 2)
    assert map_to_chunks([row], ENGLISH, chunks_of(ENGLISH)).questions[0].chunk_ids == ("2007.pdf/2",)


def test_a_quote_that_is_nowhere_names_the_nearest_place() -> None:
    row = human("Net income 11 22 33 and 44 in the table that nobody printed")
    reason = map_to_chunks([row], ENGLISH, chunks_of(ENGLISH)).unmapped[0].reason
    assert "not in the corpus" in reason
    assert "the nearest is in '" in reason


@pytest.fixture(scope="module")
def finder_10k(nvidia_data: Path) -> QuoteFinder:
    from embft.config import CorpusConfig
    from embft.corpus.reading import read_corpus

    path = str(nvidia_data / "nvidia-sec-10k-2022.pdf")
    return QuoteFinder(read_corpus(CorpusConfig(name="x", kind="files", path=path), nvidia_data)[0])


@pytest.mark.slow
@pytest.mark.parametrize("layout", [False, True])
def test_rows_of_the_10k_copied_by_another_program_are_found(
    nvidia_data: Path, finder_10k: QuoteFinder, layout: bool
) -> None:
    import pypdf

    path, finder = nvidia_data / "nvidia-sec-10k-2022.pdf", finder_10k
    rng = random.Random(1)
    found = wrong = asked = 0
    reader = pypdf.PdfReader(path)
    for number in (38, 54, 56, 66, 73):
        text = reader.pages[number - 1].extract_text(extraction_mode="layout" if layout else "plain")
        lines = [
            line
            for line in text.split("\n")
            if len(re.findall(r"\d[\d,.]+", line)) >= 2 and re.search("[A-Za-z]", line)
        ]
        for start in islice(range(0, len(lines) - 2, 3), 4):
            quote = "\n".join(lines[start : start + rng.randint(2, 3)])
            places = finder.find(quote).places
            asked += 1
            found += any(place.page == number for place in places)
            wrong += bool(places) and all(place.page != number for place in places)
    assert asked >= 12
    assert found >= 0.9 * asked
    assert wrong == 0
