"""compare.html of jobs whose reports are Chinese, read as its reader does: notes, tables, controls, plots and tooltips."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from made_run import make_metrics, make_row_lines, write_job
from page_words import Words
from rich.console import Console

from embft.reporting import page as comparison_page
from embft.reporting.compare import print_comparison
from embft.reporting.comparison_phrases import comparison_words
from embft.reporting.jobs import collect
from embft.reporting.language import language_of_jobs
from embft.reporting.page import write_page
from embft.wording import speaking

BROWSER = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
HAN = re.compile("[\u3400-\u9fff]")
COUNT = 24
NAMES = {
    "training", "learning_rate", "seed", "seeds", "whitening", "warmup", "epochs", "embft", "nDCG", "answer", "Holm", "bm",
    "base", "tuned", "fused", "grid", "key", "value", "json", "status", "metrics", "dataset", "test_from", "start",
}  # fmt: skip
"""What a Chinese page calls by its own name: settings, systems, metrics, files."""


def add_job(folder: Path, at: int, settings: Mapping[str, object], language: str | None = "zh", **parts: Any) -> None:
    """A finished job.

    Args:
        language: Of its report; None: as an older version wrote it, which did not say.
        parts: Of its metrics, in place of the usual ones.
    """
    shift = 0.02 * (at % 3) + 0.003 * at
    metrics = {**make_metrics(shift=shift), "report": {"language": language}, **parts}
    if language is None:
        del metrics["report"]
    write_job(folder, metrics, overrides=[f"{key}={value}" for key, value in settings.items()])


def add_rows(folder: Path, at: int) -> None:
    """Its scores by question, as far above the other jobs' as its means are."""
    rows = make_row_lines(("bm25", "base", "tuned", "fused"), 40)
    for number, row in enumerate(rows):
        row["systems"]["tuned"] |= dict.fromkeys(("ndcg@10", "hit_rate@5"), 0.3 + 0.003 * at + number * at % 7 / 100)
    (folder / "per_query.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grid of settings in which all that is handed over differs, and one of each kind of job that did not finish."""
    folder = tmp_path_factory.mktemp("chinese") / "grid"
    for at in range(COUNT):
        half = str(at % 2)
        settings = {"training.learning_rate": f"{at % 3 + 1}e-5", "seed": at // 3, "training.warmup": at}
        if at:
            settings["training.whitening"] = half
        add_job(folder / str(at), at, settings, handed_over={"chunks": half, "search": half, "expand": half})
        add_rows(folder / str(at), at)
        (folder / str(at) / "report.html").write_text("r", encoding="utf-8")
    write_job(folder / "30", status="running", stage="training", overrides=["training.warmup=3"])
    write_job(folder / "31", status="ok", overrides=["training.warmup=3"])
    write_job(folder / "32", status="dry run", overrides=["training.warmup=3"])
    for name in ("33", "34"):
        (folder / name / ".hydra").mkdir(parents=True)
        (folder / name / ".hydra" / "overrides.yaml").write_text("[training.warmup=3]\n", encoding="utf-8")
    (folder / "33" / "status.json").write_text("{", encoding="utf-8")
    (folder / "multirun.yaml").write_text("{}\n", encoding="utf-8")
    (folder / "sweep.log").write_text("2026-01-02 03:04:05  29 jobs: python run.py -m seed=0,1\n", encoding="utf-8")
    return folder


def read(folder: Path, file: str = "compare.html", metric: str = "ndcg@10") -> list[str]:
    """The texts of the page of the jobs in a folder."""
    write_page(folder / file, collect([folder]), metric)
    page = Words()
    page.feed((folder / file).read_text(encoding="utf-8"))
    assert page.language == "zh-Hans"
    return page.texts


def english(texts: list[str]) -> list[str]:
    """The words of Latin letters that are not `NAMES`, each with its text."""
    return [f"{word}: {text}" for text in texts for word in re.findall(r"[A-Za-z_]{2,}", text) if word not in NAMES]


@pytest.mark.parametrize("metric", ["ndcg@10", "hit_rate@5", "answer@1024"])
def test_no_english_word_is_left_on_the_page(sweep: Path, metric: str) -> None:
    texts = read(sweep, f"{metric}.html", metric)
    assert english(texts) == []
    assert {
        "选择任务",
        "显示全部",
        "各次运行的表格",
        "状态",
        "29 个任务中的 29 个",
        "29 个任务中有 5 个没有完成。",
    } <= set(texts)
    assert {"完成", "失败", "试运行", "未启动", "未知"} <= set(texts)
    assert "30：失败，training：被终止，或者所在的机器停机" in texts
    assert any(text.startswith("各任务的分块、窗口、随分块一并交出的内容不同") for text in texts)


def test_the_two_best_jobs_and_each_setting_are_told_in_chinese(sweep: Path) -> None:
    texts = read(sweep)
    assert "embft · 扫描 grid，开始于 2026-01-02 03:04" in texts
    assert "29 次运行，按 nDCG@10 比较" in texts
    assert "开发集上最好的任务（tuned）：" in texts
    assert any("校正后" in text and text.endswith(("更好。", "更差。", "可能更好，也可能更差。")) for text in texts)
    assert {"0 至 7", "8 至 15", "16 至 23", "默认"} <= set(texts)


def test_jobs_of_different_questions_are_told_apart_in_chinese(tmp_path: Path) -> None:
    for at in range(22):
        asked = {"dev": f"d{at % 2}", "test": f"t{at % 2}"}
        add_job(tmp_path / str(at), at, {"epochs": at}, dataset={**make_metrics()["dataset"], "asked": asked})
    texts = read(tmp_path)
    (note,) = (text for text in texts if "不互相排名" in text)
    assert (
        "任务 0、2、4、6、8、10、12、14，另有 3 个（85 个开发集问题，182 个测试问题，开发集上最好的是 20）；任务 1、"
        in note
    )
    assert note.endswith(f"请加上 dataset.test_from={tmp_path / '0'}。")


def test_means_over_seeds_and_jobs_that_cannot_be_paired_are_told_in_chinese(tmp_path: Path) -> None:
    for at in range(20):
        add_job(tmp_path / str(at), at, {"seed": at % 2, "epochs": at // 2})
    texts = read(tmp_path)
    assert english(texts) == []
    assert any(re.match(r"对随机种子取平均，.*epochs=9：\.\d+（2 个种子）；.*；另有 2 组。", text) for text in texts)
    assert "开发集上第二好的任务：14。两者的测试问题无法配对，因此不作比较。" in texts


def test_a_page_of_too_many_jobs_says_so_in_chinese(sweep: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison_page, "_MOST_PAIRED", 3)
    assert "这里只有开发集上最好的 3 个任务可以相互比较。" in read(sweep, "few.html")


def test_what_the_page_s_script_says_is_chinese() -> None:
    with speaking("zh"):
        words = comparison_words()
    assert english([re.sub(r"\{\w+\}", " ", text) for text in words.values()]) == []
    assert all(HAN.search(text) for text in words.values())


def test_the_terminal_s_table_of_the_same_jobs_is_english(sweep: Path) -> None:
    console = Console(file=io.StringIO(), width=160, highlight=False)
    print_comparison([sweep], console=console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "The jobs differ in chunks and windows and what is handed over around a chunk" in text
    assert not HAN.search(text)


@pytest.mark.parametrize(
    ("languages", "expected"),
    [
        (("zh", "zh"), "zh"),
        (("zh", "zh", "en"), "zh"),
        (("zh", "en"), "en"),
        (("zh", None, None), "en"),
        (("xx", "xx"), "en"),
        (("en",), "en"),
        ((), "en"),
    ],
)
def test_the_page_speaks_the_language_of_most_finished_jobs(
    tmp_path: Path, languages: tuple[str | None, ...], expected: str
) -> None:
    for at, language in enumerate(languages):
        add_job(tmp_path / str(at), at, {"seed": at}, language)
    for at in range(3):
        write_job(tmp_path / f"failed {at}", status="failed", error={"type": "X", "message": "no"})
    assert language_of_jobs(collect([tmp_path])) == expected


SHOWN = """() => [
  ...document.body.innerText.split('\\n'),
  ...[...document.querySelectorAll('svg text')].map((one) => one.textContent),
  ...[...document.querySelectorAll('*')].filter((one) => !one.closest('[aria-hidden="true"]')).flatMap((one) =>
    ['aria-label', 'aria-roledescription', 'title', 'placeholder', 'label'].map((name) => one.getAttribute(name))),
].filter(Boolean)"""
"""What stands on the drawn page, and what of it is read out."""


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed: apt-get install chromium")
def test_no_english_word_is_left_in_a_browser(sweep: Path) -> None:
    from playwright.sync_api import sync_playwright

    texts = []
    read(sweep)
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-dev-shm-usage"])
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.goto((sweep / "compare.html").as_uri())
        page.wait_for_function("document.body.dataset.drawn !== undefined", timeout=120_000)
        texts += page.evaluate(SHOWN)
        mark = page.locator("#panels figure:nth-child(1) .mark-symbol path").last
        mark.scroll_into_view_if_needed()
        mark.hover(force=True)
        page.wait_for_function("document.querySelector('#vg-tooltip-element.visible') !== null")
        tip = page.inner_text("#vg-tooltip-element")
        page.select_option("#split", "test")
        page.wait_for_function("document.querySelector('#panels svg').textContent.includes('tuned 的 nDCG@10，测试集')")
        page.get_by_label("warmup 从").fill("5")
        count = page.inner_text("#count")
        difference = page.inner_text("#difference")
        page.select_option("#first", page.input_value("#second"))
        texts += [*page.evaluate(SHOWN), tip, difference]
        page.set_viewport_size({"width": 420, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        browser.close()
    assert wide <= 420
    assert english(texts) == []
    assert "29 个任务中的 " in count
    assert re.search(r"任务 \d+\n(.*\n)*开发集：\.\d{3} .*\n测试集：\.\d{3}", tip)
    assert re.fullmatch(r"任务 \d+ 减任务 \d+，测试集上 tuned 的 nDCG@10：.* 个点 .*校正后 p.*（Holm）。", difference)
