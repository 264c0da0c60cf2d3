"""Search terms as analytics export them, and files that hold no text."""

from __future__ import annotations

from pathlib import Path

import pytest

from embft.errors import QuestionError
from embft.questions import read_human


def read(folder: Path, content: str | bytes, name: str = "log.csv") -> list[tuple[str, int]]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [(row.question, row.count) for row in read_human(str(path))]


@pytest.mark.parametrize(
    "content",
    [
        "Top queries,Clicks,Impressions,CTR,Position\nhow to reset,12,300,4%,3.2\n",
        "Search term,Total unique searches\nhow to reset,12\n",
        "Search terms;Hits\nhow to reset;12\n",
        '搜索词,次数\nhow to reset,"12"\n',
    ],
)
def test_names_of_columns_that_analytics_have(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content) == [("how to reset", 12)]


def test_counts_may_have_commas_for_thousands(tmp_path: Path) -> None:
    assert read(tmp_path, 'query,count\nreset,"1,204"\n') == [("reset", 1204)]


def test_a_table_without_a_column_of_questions_is_refused_with_its_columns(tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match=r"no column with questions\. Columns found: was, wie_oft, wann"):
        read(tmp_path, "Was,Wie oft,Wann\nreset,12,today\nstop,3,never\n")


def test_lines_with_some_commas_are_questions(tmp_path: Path) -> None:
    assert len(read(tmp_path, "how to reset\nwhat, now, then\nstop it, please\n")) == 3


@pytest.mark.parametrize("content", [b"PK\x03\x04\x14\x00", b"%PDF-1.7\n", b"\xd0\xcf\x11\xe0\xa1"])
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(QuestionError, match="cannot be read"):
        read(tmp_path, content, "asked.xlsx")
