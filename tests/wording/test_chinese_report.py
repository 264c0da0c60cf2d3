"""A run over Chinese documents, read as its reader would: no English sentence is left, and nothing but words differs."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from chinese_run import run_chinese

from embft.config import OBJECTIVE_METRICS
from embft.systems import SYSTEM_NAMES

NAMES = {
    *SYSTEM_NAMES, *OBJECTIVE_METRICS, "embft", "API", "BM25", "Holm", "McNemar", "JavaScript", "Python", "Linux", "cores",
    "jieba", "float32", "sentence-transformers", "InformationRetrievalEvaluator", "nDCG", "MRR", "MAP", "MB", "kB", "ms",
    "s", "min", "h", "p", "N", "k1", "b", "cpu", "fp32", "commit", "dot", "cosine",
}  # fmt: skip
"""Systems, metrics, products, units, and what the code itself is called."""


class Words(HTMLParser):
    """What a page shows or reads out, less its scripts, styles and what is typed into a computer."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.inside: list[str] = []
        self.language: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "html":
            self.language = given.get("lang")
        if tag not in {"meta", "link", "input", "br"}:
            self.inside.append(tag)
        self.texts += [value for name in ("placeholder", "title", "aria-label") if (value := given.get(name))]

    def handle_endtag(self, tag: str) -> None:
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not {"script", "style", "pre"} & set(self.inside) and data.strip():
            self.texts.append(data.strip())


def english(text: str) -> list[str]:
    """Runs of two and more English words that are neither names nor keys, settings, files and paths."""
    found = []
    for run in re.findall(r"[A-Za-z][A-Za-z ,.'-]+", re.sub(r"\S*[=/_@\\]\S*", " ; ", text)):
        words = [word.strip(".,'-") for word in run.split()]
        left = [word for word in words if word and word not in NAMES]
        if len(left) > 1:
            found.append(run)
    return found


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
