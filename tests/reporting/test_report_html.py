from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_run import (
    make_outcome,
    make_passages,
    make_rows,
    with_evaluated,
    with_rows,
    with_training,
)

from embft.corpus.reading import ReadingReport
from embft.questions import Unmapped
from embft.ranking.bench import Fusion
from embft.reporting.explorer import embedded_json, explorer_data
from embft.reporting.html import render_html, write_html
from embft.reporting.plots import curve, differences, dots
from embft.results import Note

SYSTEMS = ("bm25", "base", "tuned", "fused")
NASTY = "</script><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"


def page(**changes: object) -> str:
    return render_html(make_outcome(**changes))


def test_the_verdict_comes_before_all_else() -> None:
    text = page()
    assert text.index("Ship the fusion of BM25 and embeddings.</h1>") < text.index('id="systems"')
    assert "182 test questions asked by people" in text
    assert "412 of 441 chunks are longer" in text


def test_every_section_is_there_with_its_figures() -> None:
    text = page()
    for heading in ("systems", "comparisons", "questions", "curves", "data", "all", "reproduce"):
        assert f'id="{heading}"' in text
    assert "[.690, .790]" in text  # fused, nDCG@10 .740 with its interval
    assert "fused beats base: +8.0 points of nDCG@10 [+4.5, +11.5]" in text
    assert "from the cache, built in 3.4 s" in text
    assert "python run.py training.epochs=3" in text
    assert "and 30 more" in text  # of the 50 skipped pages


def test_it_says_so_where_no_question_was_learned_from() -> None:
    sentence = "It learned from windows of the train chunks"
    assert sentence in render_html(with_training(make_outcome(), learned_from="windows"))
    assert sentence not in page()


def test_the_page_loads_nothing_and_runs_one_script_only() -> None:
    text = page()
    assert not re.search(r"""(src|action)\s*=|href="(?!#)|@import|url\(""", text)  # links within the page are
    assert "default-src 'none'" in text
    assert len(re.findall(r"script-src 'sha256-[A-Za-z0-9+/]{43}='", text)) == 1


def test_text_from_outside_is_shown_and_never_markup() -> None:
    outcome = make_outcome()
    systems = outcome.evaluated.systems
    rows = make_rows(SYSTEMS, 3)
    assert outcome.corpus is not None
    assert outcome.questions is not None
    finding = replace(outcome.audits.findings[0], text=NASTY, remedy=NASTY, examples=[{NASTY: NASTY}])
    outcome = replace(
        outcome,
        experiment=replace(outcome.experiment, command=NASTY, name=NASTY, overrides=[f"a={NASTY}"]),
        verdict=replace(outcome.verdict, headline=NASTY, reasons=[NASTY]),
        audits=replace(outcome.audits, findings=[finding]),
        corpus=replace(outcome.corpus, reading=ReadingReport(1, 1, 1, skipped=({NASTY: NASTY},))),
        asked=replace(outcome.asked, unmapped=[Unmapped(NASTY, NASTY)], report={NASTY: NASTY}),
        notes=[Note("warning", NASTY), Note(NASTY, NASTY)],
        searched={**make_passages(), "chunk-0": NASTY},
        evaluated=replace(
            outcome.evaluated,
            systems={**systems, "base": replace(systems["base"], description=NASTY)},
            slices=[replace(row, trait=NASTY, value=NASTY) for row in outcome.evaluated.slices],
            rows=[replace(rows[0], question=NASTY, origin=NASTY), *rows[1:]],
        ),
    )
    tags = Tags()
    tags.feed(render_html(outcome))
    assert tags.seen.count("script") == 2
    assert "img" not in tags.seen
    assert NASTY in tags.text


class Tags(HTMLParser):
    """The elements and the text of a page, as a browser would find them."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@given(
    st.recursive(
        st.text() | st.none() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_embedded_json_is_the_same_json_without_a_way_out(value: object) -> None:
    text = str(embedded_json(value))
    assert json.loads(text) == value
    assert not set(text) & set("<>&\u2028\u2029")


@pytest.mark.slow
def test_five_thousand_questions_stay_below_ten_megabytes(tmp_path: Path) -> None:
    rows = make_rows(SYSTEMS, 5000, chunks=20_000)
    passages = make_passages(20_000, "检索 <b> {} " * 300)
    write_html(tmp_path / "report.html", with_rows(make_outcome(), rows, passages))
    assert (tmp_path / "report.html").stat().st_size < 10_000_000
    assert [item.name for item in tmp_path.iterdir()] == ["report.html"]


def test_a_passage_is_embedded_once_and_shortened() -> None:
    rows = make_rows(SYSTEMS, 8, chunks=2)
    data = explorer_data(with_rows(make_outcome(), rows, make_passages(2, "x" * 5000)))
    assert sorted(chunk_id for chunk_id, _ in data["passages"]) == ["chunk-0", "chunk-1"]
    assert all(len(text) < 1210 for _, text in data["passages"])


def test_a_small_budget_shortens_every_passage_before_it_drops_any() -> None:
    outcome = with_rows(make_outcome(), make_rows(SYSTEMS, 100), make_passages(441, "x" * 5000))
    whole = explorer_data(outcome, budget=100_000)
    assert 0 < min(len(text) for _, text in whole["passages"]) < 1200
    tiny = explorer_data(outcome, budget=1000)
    assert sum(len(text) for _, text in tiny["passages"]) <= 1000


@pytest.mark.parametrize(
    "changes",
    [
        {"tuned": None, "fusion": None},
        {"notes": []},
        {"fusion": Fusion(0.5, "base", "ndcg@10", [])},
    ],
)
def test_a_run_without_training_fusion_or_rivals_has_a_report(changes: dict[str, object]) -> None:
    assert "Ship" in page(**changes)
    assert "Ship" in render_html(with_evaluated(make_outcome(**changes), comparisons=[]))


def test_one_system_alone_has_a_report() -> None:
    assert "bm25" in render_html(with_rows(make_outcome(["bm25"]), [], {}))


def test_a_lone_surrogate_does_not_stop_the_report(tmp_path: Path) -> None:
    rows = make_rows(SYSTEMS, 2)
    rows[0] = replace(rows[0], question="broken \ud800 text")
    write_html(tmp_path / "report.html", with_rows(make_outcome(), rows, make_passages()))
    assert (tmp_path / "report.html").is_file()


def test_plots_are_drawn_with_escaped_names_and_whole_numbers() -> None:
    systems = [("<b>", 0.6, (0.5, 0.7))]
    assert "&lt;b&gt;" in dots(systems, "ndcg@10")
    assert "<b>" not in dots(systems, "ndcg@10")
    assert differences([]) is None
    assert curve([(0, 0.5)], title="one", x_label="") is None
    assert curve([(0, float("nan")), (1, 0.5)], title="one finite", x_label="") is None


def test_a_long_name_leaves_room_for_its_interval() -> None:
    drawn = dots([("sweep/" * 20, 0.6, (0.5, 0.7))], "ndcg@10")
    assert min(float(x) for x in re.findall(r' x1="([\d.]+)"', drawn)) < 260
    assert "sweep/" * 20 in drawn


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_any_finite_curve_can_be_drawn(values: list[float]) -> None:
    drawn = curve(list(enumerate(values)), title="a", x_label="b", mark=0)
    assert drawn is not None
    assert "nan" not in drawn
