"""The forms of the report in Chinese, of a made-up run; `tests/wording/test_chinese_report.py` reads those of a real one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from made_run import make_outcome
from rich.cells import cell_len

from embft.dataset.findings import Finding
from embft.reporting.audit_phrases import example_rows
from embft.reporting.han_text import broken
from embft.reporting.html import render_html
from embft.reporting.language import in_the_readers_words
from embft.reporting.markdown import render_markdown
from embft.reporting.phrases import sentence
from embft.reporting.text import print_summary
from embft.results import Outcome
from embft.wording import speaking


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return make_outcome()


def test_the_verdict_is_reached_again_in_chinese_with_the_same_decision(outcome: Outcome) -> None:
    assert in_the_readers_words(outcome) is outcome
    with speaking("zh"):
        told = in_the_readers_words(outcome).verdict
    with speaking("zh"):
        again = in_the_readers_words(outcome).verdict
    assert told == again
    assert all(re.search("[\u4e00-\u9fff]", text) for text in (told.headline, *told.reasons))


def test_figures_look_the_same_in_both_languages(outcome: Outcome) -> None:
    figures = re.compile(r"[-+]?[\d,]*\.\d+")
    with speaking("zh"):
        chinese = [sentence(row) for row in outcome.evaluated.comparisons]
    english = [sentence(row) for row in outcome.evaluated.comparisons]
    assert list(map(figures.findall, chinese)) == list(map(figures.findall, english))


def test_page_markdown_and_terminal_speak_the_same_language(
    outcome: Outcome, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with speaking("zh"):
        page, text = render_html(outcome), render_markdown(outcome)
        print_summary(outcome, tmp_path)
    assert '<html lang="zh-Hans">' in page
    assert '<h2 id="comparisons">两两比较</h2>' in page
    assert "## 如何复现" in text
    assert "报告：" in capsys.readouterr().out


@pytest.mark.parametrize("width", [20, 37, 100])
def test_chinese_lines_are_full_and_no_mark_begins_one(width: int) -> None:
    text = (
        "- 融合检索与最好的单一系统（微调后的模型）相比：nDCG@10 +1.0 个点 [-0.5, +2.6]，可能是提升，也可能是下降。" * 3
    )
    lines = broken(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(cell_len(line) <= width for line in lines)
    assert all(cell_len(line) > width - 10 for line in lines[:-1])  # the longest word is "[-0.5,"
    assert not [line for line in lines if line[0] in "，。：）" or line[-1] == "（"]


def test_of_an_example_only_what_embft_says_is_told_in_chinese() -> None:
    texts = {"question": "test", "place": "a.pdf, page 3", "reason": "all its chunks have grade 0 (a.jsonl, line 2)"}
    with speaking("zh"):
        ((question, place, reason),) = example_rows(Finding("quotes", "info", 1, 1, "", "", [texts]))
    assert question == ("问题", "test")
    assert place == ("位置", "a.pdf，第 3 页")
    assert reason == ("原因", "它的分块评级都是 0（a.jsonl, line 2）")
