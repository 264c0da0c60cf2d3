from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from made_run import TRAINING, make_outcome, with_evaluated, with_training
from markdown_it import MarkdownIt
from rich.console import Console

from embft.reporting.card import render_card, write_card
from embft.reporting.markdown import render_markdown, whitening_sentence, write_markdown
from embft.reporting.markdown_text import fenced, plain
from embft.reporting.text import print_summary, terminal_table
from embft.results import Note, Outcome
from embft.training.report import WhiteningReport

NASTY = "a | b\n<script>x</script> `code` [link](http://x) *bold*"


def printed(outcome: Outcome, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(terminal_table(outcome))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_summary_fits_100_columns_with_nothing_cut() -> None:
    text = printed(make_outcome(["bm25", "base", "tuned", "fused", "openai"]))
    assert max(map(len, text.splitlines())) <= 100
    assert "…" not in text
    assert text.count("[") >= 5 * 4  # every system, every metric, its interval
    assert ".740 [.690, .790]" in text


def test_the_verdict_is_the_last_thing_on_the_screen_but_for_the_times() -> None:
    lines = [line for line in printed(make_outcome()).splitlines() if line.strip()]
    assert any("Ship the fusion of BM25 and embeddings." in line for line in lines[-5:])
    assert lines[-1].startswith("corpus 0.0 s (cached), training 27.1 s")


def test_systems_are_compared_to_base_and_bm25_only() -> None:
    text = printed(make_outcome())
    assert "tuned beats base" in text
    assert "fused beats bm25" in text
    assert "fused could be better or worse than tuned" not in text


def test_text_from_outside_neither_styles_nor_steers_the_terminal() -> None:
    notes = [Note("warning", "[bold red]\x1b[2Jcleared[/]")]
    text = printed(make_outcome(notes=notes, origins={"[red]": 3}))
    assert "[bold red][2Jcleared[/]" in text
    assert "\x1b" not in text
    assert "[red]" in text


def test_the_summary_says_where_the_report_lies(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path("outputs") / ("long" * 40)
    print_summary(make_outcome(), folder)
    assert f"Report: {folder}/report.html\n" in capsys.readouterr().out


def test_the_markdown_report_holds_verdict_figures_and_command(tmp_path: Path) -> None:
    write_markdown(tmp_path / "report.md", make_outcome())
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert text.startswith("# Ship the fusion of BM25 and embeddings.\n")
    assert "| .740 [.690, .790] |" in text
    assert "- fused beats bm25: +12.0 points" in text
    assert "Epoch 2 of 2 was kept; 27.0 s on cpu in bf16." in text
    assert "```\npython run.py training.epochs=3\n```" in text


def test_markdown_shows_text_from_outside_as_text() -> None:
    outcome = make_outcome()
    systems = outcome.evaluated.systems
    outcome = with_evaluated(outcome, systems={**systems, "base": replace(systems["base"], description=NASTY)})
    outcome = replace(outcome, verdict=replace(outcome.verdict, headline=NASTY))
    html = MarkdownIt("commonmark").enable("table").render(render_markdown(outcome))
    assert "<script" not in html
    assert "href" not in html
    assert html.count("<h1>") == 1
    assert html.count("<table>") == 6


@given(st.text())
def test_plain_text_survives_markdown(text: str) -> None:
    shown = MarkdownIt("commonmark").enable("table").render(f"| a |\n| --- |\n| x {plain(text)} |\n")
    assert shown.count("<td>") == 1
    assert shown.count("<tr>") == 2


@given(st.text(alphabet="`a\n "))
def test_a_fence_cannot_be_closed_from_inside(text: str) -> None:
    assert MarkdownIt("commonmark").render(fenced(f"x{text}x")).count("<pre>") == 1


def test_the_model_card_has_front_matter_that_hubs_read(tmp_path: Path) -> None:
    outcome = make_outcome(model_name="BAAI/bge-small-en: odd # name")
    write_card(tmp_path, outcome, 'model = SentenceTransformer("model")')
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["library_name"] == "sentence-transformers"
    assert front["base_model"] == "BAAI/bge-small-en: odd # name"
    assert "sentence-transformers" in front["tags"]


def test_the_model_card_says_what_figures_limits_and_loading() -> None:
    text = render_card(make_outcome(), 'model = SentenceTransformer("model")')
    assert "391 questions (cut out of the passages)" in text
    assert "tuned beats base: +5.0 points of nDCG@10 [+1.5, +8.5]" in text
    assert '```python\nmodel = SentenceTransformer("model")\n```' in text
    assert "412 of 441 chunks are longer" in text


def test_the_model_card_of_a_local_model_keeps_its_path_private() -> None:
    text = render_card(make_outcome(model_name="/home/somebody/models/mine"), "")
    assert "/home/somebody" not in text
    assert 'base_model: "mine"' in text


def test_the_model_card_admits_that_the_base_model_was_kept() -> None:
    assert "the base model was kept" in render_card(with_training(make_outcome(), best_epoch=0), "")


def test_the_card_of_a_model_that_learned_from_windows_claims_no_questions() -> None:
    card = render_card(with_training(make_outcome(), learned_from="windows"), "")
    assert "Trained without questions, on windows that ask for their neighbours in" in card
    assert "Trained on" not in card


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, "by those of 777 train passages (strength 0.2; nDCG@10 on dev .874 without it, .901 with it)."),
        ({"dev": None}, "by those of 777 train passages (strength 0.2)."),
        ({"left_out": "harm"}, "did harm and was left out; nDCG@10 on dev .874 without it, .901 with it."),
        ({"left_out": "few"}, "777 train passages are too few"),
        ({"left_out": "alike"}, "so alike that whitening would show rounding"),
    ],
)
def test_whitening_is_told_with_what_dev_says(change, says):
    whitening = WhiteningReport(0.2, 777, None, {"without": 0.8744, "with": 0.9014})
    assert says in whitening_sentence(replace(TRAINING, whitening=replace(whitening, **change)))
    assert whitening_sentence(TRAINING) == ""
