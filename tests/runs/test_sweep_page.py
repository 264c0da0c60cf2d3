"""compare.html of a real sweep: written at its end, with its command, opened in a browser."""

from __future__ import annotations

import html
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest
from forks import typed
from small_run import write_questions

QUICK = [
    "tracking=local", "training=none", "evaluation=base_only", "evaluation.systems=[bm25]",
    "evaluation.objective=bm25/ndcg@10", "evaluation.resamples=100",
]  # fmt: skip
BROWSER = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)


@pytest.mark.slow
def test_a_sweeps_page_has_its_command_and_opens_its_reports(tmp_path: Path, tiny_model: Path) -> None:
    words = ["-m", *write_questions(tmp_path / "a b"), *QUICK, f"model.path={tiny_model}"]
    words += ["retrieval.bm25_k1=0.9,1.5,2.0", "hydra.sweep.dir=sweep/inner"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "WANDB_MODE": "offline"}
    done = typed(*words, cwd=tmp_path, environment=environment)
    assert done.returncode == 0, done.stderr
    file = tmp_path / "sweep" / "inner" / "compare.html"
    page = file.read_text(encoding="utf-8")
    pasted = html.unescape(re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)[0])
    assert shlex.split(pasted)[-len(words) :] == words
    assert re.findall(r'<th scope="row"[^>]*><a href="([^"]+)"', page) == [f"./{at}/report.html" for at in range(3)]
    assert 'id="runner-up"' in page
    if BROWSER is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-dev-shm-usage"])
        opened = browser.new_page()
        opened.goto(file.as_uri())
        opened.wait_for_function("document.body.dataset.drawn !== undefined", timeout=120_000)
        opened.fill("#search", "bm25_k1=1.5")
        assert opened.inner_text("#count") == "1 of 3 jobs"
        opened.click("#jobs tbody tr:not([hidden]) th a")
        opened.wait_for_load_state()
        assert opened.url.endswith("/1/report.html")
        browser.close()
