"""The page in a real browser: by keyboard alone, killed in between, on a narrow screen, in Chinese, with hostile passages."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from embft.config import register
from embft.config.command_line import check_line
from embft.config.composing import config_tree
from embft.pipeline import run_experiment

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    not (importlib.util.find_spec("playwright") and CHROMIUM), reason="needs Playwright and an installed Chromium"
)
PLACES = ["kitchen", "cellar", "garage", "attic", "garden", "balcony", "bathroom", "hall", "library", "workshop"]
ATTACK = '<script>document.title="hacked"</script><img src=x onerror="document.title=1">'
WRITTEN = [
    "where is it warm at night",
    "who waters the roses",
    "下雨天在哪里晾衣服",
    "how to leave in a fire",
    "a place to read",
]


class Server:
    """The program itself, as its user starts it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        command = [sys.executable, str(ROOT / "scripts" / "label.py"), "corpus=chunks", "corpus.path=chunks.jsonl"]
        self.process = subprocess.Popen(
            [*command, "--questions", "questions.txt"],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert self.process.stdout
        self.address = ""
        for line in self.process.stdout:
            if match := re.search(r"http://\S+", line):
                self.address = match[0]
                break
        assert self.address, "the server did not start"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = []
    for number, place in enumerate(PLACES):
        text = f"The {place} is on floor {number}. In the {place} stands cupboard {number}, painted blue. {ATTACK}"
        rows.append({"id": f"chunk-{number}", "text": text, "document": "house.md"})
    rows.append({"id": "zh", "text": "阳台在二楼，朝南，下雨天可以晾衣服。", "document": "家.md"})
    (tmp_path / "chunks.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    questions = [f"what stands in the {place}" for place in PLACES] + [f"colour of the {place}" for place in PLACES]
    (tmp_path / "questions.txt").write_text("\n".join(questions), encoding="utf-8")
    return tmp_path


@pytest.fixture
def browser() -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def labels(folder: Path) -> dict[str, dict[str, int]]:
    lines = (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["question"]: dict(zip(row["chunk_ids"], row["grades"], strict=True)) for row in map(json.loads, lines)}


def wait_for_labels(folder: Path, count: int, seconds: float = 30.0) -> None:
    """Until so many questions have labels on the disk."""
    end = time.monotonic() + seconds
    while not (folder / "labels.jsonl").is_file() or len(labels(folder)) != count:
        assert time.monotonic() < end, f"{count} questions were not saved"
        time.sleep(0.02)


def wait_for_text(page: object, selector: str, right: Callable[[str], bool], seconds: float = 30.0) -> None:
    """Until an element says the right thing. (The page's policy forbids Playwright's own way, which evaluates a string.)"""
    end = time.monotonic() + seconds
    while not right(page.text_content(selector)):
        assert time.monotonic() < end, f"{selector} says: {page.text_content(selector)}"
        page.wait_for_timeout(20)


@pytest.mark.slow
def test_half_an_hour_by_keyboard_alone_survives_two_kills_and_gives_a_verdict(folder, browser):
    server = Server(folder)
    page = browser.new_page(viewport={"width": 1000, "height": 700})
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(server.address)
    for number in range(20):
        if number in (7, 14):  # in the middle of the work, at a moment that it does not choose
            server.kill()
            page.keyboard.press("3")
            page.wait_for_selector("#message:not([hidden])")
            assert "does not answer" in page.inner_text("#message")
            server = Server(folder)
            page.goto(server.address)
        wait_for_text(page, "#place", lambda text, number=number: f"question {number + 1} of" in text)
        place = PLACES[number % 10]
        assert place in page.inner_text("#question")
        # The passage that names the place is it; whatever else the systems found is not.
        shown = page.inner_text("#passage")
        while place not in shown:
            page.keyboard.press("ArrowRight")
            wait_for_text(page, "#passage", lambda text, shown=shown: text != shown)
            shown = page.inner_text("#passage")
        alone = " of 1 for" in page.text_content("#place")
        page.keyboard.press("3")
        if not alone:  # with its only chunk judged a question is done
            page.keyboard.press("x")
        wait_for_text(page, "#progress", lambda text, number=number: f"{number + 1} of 20" in text)
        assert len(labels(folder)) == number + 1
    page.keyboard.press("Alt+w")
    for number, text in enumerate(WRITTEN):
        page.wait_for_selector("#own:focus")
        page.keyboard.type(text)
        page.keyboard.press("Control+Enter")
        wait_for_labels(folder, 21 + number)
        page.keyboard.press("Alt+n")
        wait_for_text(page, "#written", lambda text: not text.strip())
    assert page.title() == "embft: label"
    assert wrong == []
    server.process.send_signal(signal.SIGINT)
    server.process.wait(20)
    found = labels(folder)
    assert len(found) == 25
    for question in list(found)[:20]:
        place = PLACES.index(question.split()[-1])
        assert found[question][f"chunk-{place}"] == 3
        assert sum(grade > 0 for grade in found[question].values()) == 1
    assert set(WRITTEN) <= set(found)
    assert verdict(folder) == "cannot_tell"  # BM25 alone, and fewer than 30 questions


def verdict(folder: Path) -> str:
    """What a run says of the labels, as `questions.human`."""
    register()
    words = [
        "corpus=chunks", f"corpus.path={folder / 'chunks.jsonl'}", f"questions.human={folder / 'labels.jsonl'}",
        "training=none", "evaluation.systems=[bm25]", "questions.per_chunk=1", "tracking=local", f"cache_dir={folder / 'cache'}",
    ]  # fmt: skip
    line = check_line(words, config_tree(ROOT / "configs"), sweep=False)
    assert line.problems == []
    run_experiment(line.configs[0], folder / "run")
    metrics = json.loads((folder / "run" / "metrics.json").read_text(encoding="utf-8"))
    questions = metrics["dataset"]["questions"]
    assert questions["test"] + questions["dev"] == 25
    return str(metrics["verdict"]["decision"])


@pytest.mark.slow
def test_a_narrow_screen_in_chinese_shows_everything_and_runs_no_script_of_a_passage(folder, browser):
    (folder / "questions.txt").write_text("下雨天可以在哪里晾衣服\n", encoding="utf-8")
    server = Server(folder)
    page = browser.new_page(viewport={"width": 420, "height": 800}, locale="zh-CN")
    page.goto(server.address)
    page.wait_for_selector("#passage:not(:empty)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    assert "完整回答" in page.inner_text("#grades")
    assert "晾衣服" in page.inner_text("#passage mark >> nth=-1") or "晾" in page.inner_text("#passage")
    page.click("#grades button:last-child")
    wait_for_labels(folder, 1)
    page.click("#tab-write")
    page.wait_for_selector("#chunk:not(:empty)")
    while "<script>" not in page.text_content("#chunk"):
        page.click("#skip")
        page.wait_for_timeout(50)
    assert page.title() == "embft: label"
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    # A page of another origin asks this server: the browser sends its own origin, and nothing is written.
    before = (folder / "labels.log.jsonl").read_bytes()
    other = browser.new_page()
    other.goto("data:text/html,<p>another site")
    other.evaluate(
        "address => fetch(address + 'undo', {method: 'POST', mode: 'no-cors', body: '{}'}).catch(() => null)",
        server.address,
    )
    assert (folder / "labels.log.jsonl").read_bytes() == before
    server.kill()
