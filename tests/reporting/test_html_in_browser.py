"""What a person's browser makes of the report, from file://, in an installed Chromium."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from made_run import make_outcome, make_passages, make_rows, with_rows

from embft.reporting.html import write_html
from embft.results import Note

SYSTEMS = ("bm25", "base", "tuned", "fused")
BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed: apt-get install chromium")


def dom_of(page: Path, tmp_path: Path, act: str = "") -> str:
    """The page's elements after its script, and then ``act``, have run."""
    if act:
        # The page's policy lets no other script run, which is what it is for: this copy goes without.
        text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text(encoding="utf-8"))
        page = tmp_path / "acted.html"
        page.write_text(text.replace("</body>", f"<script>{act}</script></body>"), encoding="utf-8")
    assert BROWSER is not None
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
        f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.resolve().as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=True)
    return done.stdout


def visible_rows(dom: str) -> list[str]:
    body = dom[dom.index("<tbody>", dom.index('id="explorer"')) :]
    rows = re.findall(r"<tr>(.*?)</tr>", body[: body.index("</tbody>")], re.DOTALL)
    return [unescape(re.sub(r"<[^>]+>", " ", row)) for row in rows]


@pytest.fixture
def report(tmp_path: Path) -> Path:
    page = tmp_path / "report.html"
    write_html(page, make_outcome())
    return page


def test_tuned_against_base_is_shown_first(report: Path, tmp_path: Path) -> None:
    dom = dom_of(report, tmp_path)
    assert "tuned wins 46, loses 46 and ties 90 against base. 92 shown" in dom
    rows = visible_rows(dom)
    assert len(rows) == 25
    assert "+0.37" in rows[-1] or "-0.63" in rows[0]  # the largest change first
    assert "1 of 4" in dom


@pytest.mark.slow
def test_questions_are_searched_filtered_sorted_and_paged(report: Path, tmp_path: Path) -> None:
    act = """
    const set = (id, value, name) => {
      const node = document.getElementById(id);
      node.value = value;
      node.dispatchEvent(new Event(name));
    };
    set("which", "all", "change"); set("search", "THING 17", "input");
    document.querySelector('[data-sort="question"]').click();
    """
    rows = visible_rows(dom_of(report, tmp_path, act))
    assert [row.split()[5] for row in rows] == ["117", "17", *(str(at) for at in range(170, 180))]
    paged = visible_rows(dom_of(report, tmp_path, 'document.getElementById("next").click();'))
    assert paged
    assert not set(paged) & set(visible_rows(dom_of(report, tmp_path)))


def test_an_opened_question_shows_its_passages(report: Path, tmp_path: Path) -> None:
    dom = dom_of(report, tmp_path, 'document.querySelector("#explorer details").open = true;')
    assert "Answers it" in dom
    assert re.search(r"Passage \d+ says how\.", dom[: dom.index('id="data-questions"')])


def test_a_corpus_with_a_script_in_it_is_shown_not_run(tmp_path: Path) -> None:
    nasty = "</script><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
    rows = make_rows(SYSTEMS, 1)
    rows[0] = replace(rows[0], question=nasty)
    notes = [Note("warning", nasty)]
    page = tmp_path / "nasty.html"
    write_html(page, with_rows(make_outcome(notes=notes), rows, make_passages(441, nasty)))
    for act in ("", 'document.querySelector("#explorer details").open = true;'):
        dom = dom_of(page, tmp_path, act)
        assert "<title>Ship the fusion of BM25 and embeddings. · embft</title>" in dom
        assert "<img" not in dom.replace("&lt;img", "")
        assert any("<script>document.title='run'</script>" in row for row in visible_rows(dom))


def test_without_a_tuned_model_the_first_two_systems_are_compared(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    rows = [replace(row, systems={name: row.systems[name] for name in ("bm25", "base")}) for row in make_rows(SYSTEMS)]
    write_html(page, with_rows(make_outcome(["bm25", "base"], tuned=None, fusion=None), rows, make_passages()))
    assert "base wins 0, loses 0 and ties 182 against bm25" in dom_of(page, tmp_path)


@pytest.mark.slow
def test_five_thousand_questions_are_drawn_a_page_at_a_time(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    passages = make_passages(20_000, "words {} " * 200)
    write_html(page, with_rows(make_outcome(), make_rows(SYSTEMS, 5000, chunks=20_000), passages))
    dom = dom_of(page, tmp_path, "document.body.dataset.ready = performance.now();")
    assert len(visible_rows(dom)) == 25
    assert page.stat().st_size < 10_000_000
    found = re.search(r'data-ready="([\d.]+)"', dom)
    assert found is not None
    # Milliseconds until everything is drawn: 300 to 500 on two quiet cores. Beside other tests it can be ten times that.
    assert float(found[1]) < 20_000


def test_what_the_audits_found_is_opened_by_a_click(report: Path, tmp_path: Path) -> None:
    act = 'document.querySelector(".finding summary").click();'
    dom = dom_of(report, tmp_path, act)
    assert 'href="#audits"' in dom
    assert re.search(r'<details class="finding warning" open', dom)
    assert "Checked, and nothing found: leaks of train into test" in dom
