"""compare.html of 200 jobs in an installed Chromium, driven as a reader does: it filters, sorts, brushes and opens a report."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_run import make_metrics, write_job
from many_jobs import make_sweep

from embft.reporting.jobs import collect
from embft.reporting.page import write_page
from embft.reporting.paired import pair_jobs
from embft.reporting.phrases import p_value, points, points_interval

BROWSER = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed: apt-get install chromium"),
    pytest.mark.slow,
]
JOBS = 200
POINTS = "#panels figure:nth-child(1) .mark-symbol path"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def sweep(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_sweep(finished, tmp_path_factory.mktemp("many") / "rates & models", JOBS)
    write_page(folder / "compare.html", collect([folder]))
    return folder


def open_page(browser: Any, file: Path, width: int = 1280) -> Any:
    """The page once everything is drawn. Whatever the browser complains of, or asks a network for, is an error."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: request.url.startswith("file:") or complaints.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_function("document.body.dataset.drawn !== undefined", timeout=120_000)
    assert complaints == []
    return page


@pytest.fixture
def page(browser: Any, sweep: Path) -> Iterator[Any]:
    opened = open_page(browser, sweep / "compare.html")
    yield opened
    opened.close()


def kept(page: Any) -> int:
    """Rows of the table; the page's own count is the same."""
    count = page.evaluate("[...document.querySelectorAll('#jobs tbody tr')].filter((row) => !row.hidden).length")
    assert page.inner_text("#count") == f"{count} of {JOBS} jobs"
    return int(count)


def drag(page: Any, box: dict[str, float], start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drags from one point of a box to another, each in shares of its width and height."""
    (x1, y1), (x2, y2) = ((box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end))
    page.mouse.move(x1, y1)
    page.mouse.down()
    page.mouse.move((x1 + x2) / 2, (y1 + y2) / 2)
    page.mouse.move(x2, y2)
    page.mouse.up()
    page.wait_for_timeout(100)


def panel(page: Any, title: str) -> Any:
    return page.locator("#panels figure", has=page.get_by_text(title, exact=True))


def test_the_page_is_small_and_drawn_in_time(page: Any, sweep: Path) -> None:
    assert (sweep / "compare.html").stat().st_size < 10_000_000
    # Milliseconds from the start of loading: some 1,200 on two quiet cores. Beside other tests it can be ten times that.
    assert page.evaluate("Number(document.body.dataset.drawn)") < 20_000
    assert page.locator("#panels svg").count() == 7  # five settings, dev against test, cost
    assert page.locator("#parallel svg").count() == 1
    assert page.locator(POINTS).count() == JOBS


def test_filters_and_words_keep_jobs_in_table_and_plots(page: Any) -> None:
    assert kept(page) == JOBS
    page.locator("#filters").get_by_label("model", exact=True).select_option(label="bge_base")
    assert kept(page) == 64
    page.get_by_label("whitening from").fill("0.5")
    some = kept(page)
    assert 0 < some < 64
    page.fill("#search", "epochs=2 training.learning_rate=5E-5")
    few = kept(page)
    assert 0 < few < some
    page.wait_for_timeout(200)
    marks = page.eval_on_selector_all(POINTS, "(marks) => marks.map((mark) => Number(mark.getAttribute('opacity')))")
    assert len(marks) == JOBS
    assert sum(opacity > 0.5 for opacity in marks) == few
    page.click("#clear")
    assert kept(page) == JOBS
    assert page.input_value("#search") == ""


def test_columns_are_sorted_by_keyboard(page: Any) -> None:
    page.get_by_role("button", name="tuned", exact=True).focus()
    page.keyboard.press("Enter")
    figures = page.eval_on_selector_all(
        "#jobs tbody tr", "(rows) => rows.map((row) => row.cells[9].innerText.split('\\n')[0])"
    )
    heads = page.eval_on_selector_all("#jobs thead th", "(cells) => cells.map((cell) => cell.innerText)")
    assert heads[9].startswith("tuned")
    assert figures == sorted(figures, reverse=True)
    page.keyboard.press("Enter")
    rising = page.eval_on_selector_all(
        "#jobs tbody tr", "(rows) => rows.map((row) => row.cells[9].innerText.split('\\n')[0])"
    )
    assert rising == figures[::-1] or sorted(rising) == rising


def test_brushes_of_two_plots_keep_what_is_in_both(page: Any) -> None:
    rates = panel(page, "learning_rate").locator(".plot")
    rates.scroll_into_view_if_needed()
    drag(page, rates.bounding_box(), (0.55, 0.08), (0.78, 0.8))  # 5e-5, the third of four
    assert kept(page) == JOBS // 4
    models = panel(page, "model").locator(".plot")
    drag(page, models.bounding_box(), (0.2, 0.08), (0.42, 0.8))
    both = kept(page)
    assert 0 < both < JOBS // 4
    shown = page.eval_on_selector_all(
        "#jobs tbody tr:not([hidden])",
        "(rows) => rows.map((row) => [row.cells[2].innerText, row.cells[3].innerText].join())",
    )
    assert set(shown) == {"bge_base,5e-5"}
    page.click("#clear")
    page.wait_for_timeout(300)
    assert kept(page) == JOBS


def test_an_axis_of_the_parallel_coordinates_is_brushed(page: Any) -> None:
    lines = page.locator("#parallel svg")
    lines.scroll_into_view_if_needed()
    box = lines.bounding_box()
    # The axis of the model is the first of seven; bge_base lies at its bottom.
    drag(page, box, (0.02, 0.75), (0.14, 0.99))
    shown = page.eval_on_selector_all(
        "#jobs tbody tr:not([hidden])", "(rows) => [...new Set(rows.map((row) => row.cells[2].innerText))]"
    )
    assert shown == ["bge_base"]


def test_figures_on_test_can_be_shown_instead(page: Any) -> None:
    page.select_option("#split", "test")
    page.wait_for_function("document.querySelector('#panels svg').textContent.includes('nDCG@10 of tuned, test')")


def test_a_job_opens_its_report_also_where_the_folder_was_moved(browser: Any, sweep: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(sweep, tmp_path / "elsewhere" / "50% of #1?")
    page = open_page(browser, moved / "compare.html")
    page.click("#jobs tbody tr:nth-child(3) th a")
    page.wait_for_load_state()
    assert page.url.endswith("/2/report.html")
    assert "embft" in page.title()
    page.go_back()
    page.wait_for_function("document.body.dataset.drawn !== undefined")
    point = page.locator(POINTS).last
    point.scroll_into_view_if_needed()
    with page.expect_navigation():
        point.click()
    assert page.url.endswith("/report.html")
    page.close()


def test_two_jobs_are_compared_as_python_compares_them(page: Any, sweep: Path) -> None:
    [paired] = pair_jobs(collect([sweep]), "tuned", "ndcg@10")
    for first, second in ((7, 31), (31, 7), (199, 0)):
        page.select_option("#first", str(first))
        page.select_option("#second", str(second))
        found = paired.against(second)[first]
        text = page.inner_text("#difference")
        assert text.startswith(
            f"Job {first} less job {second}, nDCG@10 of tuned on test: {points(found.delta)} points "
        )
        assert (
            f"{points_interval(found.ci95)}, {p_value(found.p_value)}; {p_value(found.p_holm)} when adjusted for all 199"
            in text
        )
        cell = page.inner_text(f"#jobs tbody tr:nth-child({first + 1}) .against").split("\n")
        assert cell == [points(found.delta), points_interval(found.ci95), p_value(found.p_holm)]
    page.select_option("#first", "0")
    assert page.inner_text("#difference") == "Choose two jobs."


@pytest.mark.parametrize("width", [420, 1280])
def test_the_page_is_no_wider_than_the_window(browser: Any, sweep: Path, width: int) -> None:
    page = open_page(browser, sweep / "compare.html", width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (
        page.evaluate(
            "Math.max(...[...document.querySelectorAll('#panels svg')].map((plot) => plot.getBoundingClientRect().right))"
        )
        <= width
    )
    page.close()


NASTY = [
    "</script><script>document.title='run'</script>",
    "<img src=x onerror=\"document.title='run'\">",
    "'\"`${1}\\",
    "👩‍🚀 модель",
    "x" * 3000,
    "a.b[0]",
    "",
]


def test_names_that_mean_harm_do_none(browser: Any, tmp_path: Path) -> None:
    for at, value in enumerate(NASTY):
        name = f"{at} {value[:60].replace('/', '_')}"
        overrides = [f"{NASTY[1]}={value}", f"javascript:alert(1)={at % 2}", f"datum.shown={value}"]
        folder = write_job(tmp_path / "sweep" / name, make_metrics(shift=at / 100), overrides=overrides)
        (folder / "report.html").write_text("<title>a report</title>", encoding="utf-8")
    (tmp_path / "sweep" / "sweep.log").write_text(
        f"2026-01-02 03:04:05  7 jobs: run.py '{NASTY[0]}'\n", encoding="utf-8"
    )
    write_page(tmp_path / "sweep" / "compare.html", collect([tmp_path / "sweep"]))
    page = open_page(browser, tmp_path / "sweep" / "compare.html", 420)
    assert page.title() == "7 runs by nDCG@10 · embft"
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    assert page.locator("header pre").text_content() == f"run.py '{NASTY[0]}'"
    page.fill("#search", "👩‍🚀")
    assert page.locator("#jobs tbody tr:not([hidden])").count() == 1
    mark = page.locator(POINTS).last
    mark.scroll_into_view_if_needed()
    mark.hover(force=True)
    page.wait_for_timeout(100)
    assert page.title() == "7 runs by nDCG@10 · embft"
    page.locator("#jobs tbody tr:not([hidden]) th a").click()
    page.wait_for_load_state()
    assert page.title() == "a report"
    page.close()
