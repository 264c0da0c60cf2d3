"""A run over Chinese documents, read as its reader would: no English sentence is left, and nothing but words differs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from chinese_run import run_chinese
from page_words import Words, english

from embft.reporting.jobs import collect
from embft.reporting.page import write_page


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_chinese(tmp_path_factory.mktemp("chinese"))


@pytest.mark.slow
def test_the_page_is_chinese_and_says_so(folder: Path) -> None:
    page = Words()
    page.feed((folder / "report.html").read_text(encoding="utf-8"))
    assert page.language == "zh-Hans"
    assert {"各系统", "两两比较", "逐个问题的胜负", "如何复现", "问题有多真实"} <= set(page.texts)
    assert [run for text in page.texts for run in english(text)] == []


@pytest.mark.slow
def test_the_words_of_the_page_s_script_are_chinese(folder: Path) -> None:
    html = (folder / "report.html").read_text(encoding="utf-8")
    data = re.search(r'id="data-questions">(.*?)</script>', html, re.DOTALL)
    assert data
    words = json.loads(data.group(1))["words"]
    assert words["rank"] == "名次，{system}"
    assert [text for text in words.values() if english(re.sub(r"\{\w+\}", ";", text))] == []


@pytest.mark.slow
def test_the_short_report_is_chinese(folder: Path) -> None:
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert text.startswith(("# 推荐上线：", "# 暂用", "# 尚无定论"))
    assert "BM25，以 jieba 切分的词及其相邻词对为索引项" in text
    assert [run for line in text.splitlines() for run in english(line)] == []


@pytest.mark.slow
def test_what_programs_read_is_english(folder: Path) -> None:
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    verdict = metrics["verdict"]
    assert verdict["headline"].startswith(("Ship ", "Use ", "Cannot tell"))
    sentences = [
        verdict["headline"],
        *verdict["reasons"],
        *(finding["text"] for finding in metrics["audits"]["findings"]),
    ]
    assert [text for text in sentences if re.search("[\u3400-\u9fff]", text)] == []
    assert metrics["systems"]["bm25"]["description"].startswith("BM25 over words cut by jieba and pairs of them")
    card = (folder / "model" / "README.md").read_text(encoding="utf-8")
    assert "that test questions search are near-copies of another" in card


@pytest.mark.slow
def test_the_comparison_of_such_runs_is_chinese(folder: Path, tmp_path: Path) -> None:
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["report"] == {"language": "zh"}
    write_page(tmp_path / "compare.html", collect([folder]))
    page = Words()
    page.feed((tmp_path / "compare.html").read_text(encoding="utf-8"))
    assert page.language == "zh-Hans"
    assert [run for text in page.texts for run in english(text)] == []


@pytest.mark.slow
def test_words_shared_are_counted_in_words(folder: Path) -> None:
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    test = next(row for row in metrics["dataset"]["realism"] if row["split"] == "test")
    assert test["words"] == 4.0  # 查找 发票, and 如何 查找 同事 的 发票


@pytest.mark.slow
def test_a_language_that_is_asked_for_is_taken(folder: Path) -> None:
    again = run_chinese(folder.parent, "english", "reporting.language=en")
    page = (again / "report.html").read_text(encoding="utf-8")
    assert '<html lang="en">' in page
    assert '<h2 id="systems">Systems</h2>' in page
    assert json.loads((again / "metrics.json").read_text(encoding="utf-8"))["report"] == {"language": "en"}
    figures = re.compile(r"\[[-+.\d]+, [-+.\d]+\]")
    chinese = (folder / "report.md").read_text(encoding="utf-8")
    assert figures.findall((again / "report.md").read_text(encoding="utf-8")) == figures.findall(chinese)


@pytest.mark.parametrize(
    ("texts", "language"),
    [
        (["会议室可以在前一天晚上之前取消。"] * 2 + ["A room is free."], "zh"),
        (["会议室可以在前一天晚上之前取消。"] + ["A room can be cancelled until the evening before."] * 2, "en"),
        (["会議室は前日の夜までキャンセルできます。"] * 3, "en"),
        ([], "en"),
    ],
)
def test_the_report_speaks_the_language_of_most_chunks(texts: list[str], language: str) -> None:
    from embft.reporting.language import language_of

    assert language_of(texts) == language
