"""Report and cards say whose the figures are where another model ships, and what a query log weighs."""

from __future__ import annotations

from dataclasses import replace

from made_run import make_outcome, with_training

from embft.evaluation.figures import Askings
from embft.reporting.card import render_card
from embft.reporting.markdown import render_markdown
from embft.reporting.metrics_file import metrics_of
from embft.reporting.notes import log_notes


def refitted():
    outcome = make_outcome()
    report = replace(outcome.tuned.report, chunks=441, questions=900)
    return replace(outcome, refitted=replace(outcome.tuned, report=report))


def test_the_report_says_that_the_figures_are_the_held_out_models():
    text = render_markdown(refitted())
    assert "All figures are those of the model in model_heldout/, which saw no dev or test question." in text
    assert "by the same recipe, on all 900 questions about 441 chunks, those of dev and test included" in text


def test_the_card_of_the_model_that_ships_claims_no_figure():
    card = render_card(refitted(), "")
    assert "**The figures are not this model's: they are those of the one in `model_heldout`**" in card
    assert "those of dev and test included, about 441 chunks" in card
    assert "No chunk of theirs was trained on" not in card


def test_windows_ask_no_questions_in_a_refit_either():
    outcome = refitted()
    tuned = replace(outcome.tuned, report=replace(outcome.tuned.report, learned_from="windows"))
    card = render_card(replace(outcome, tuned=tuned, refitted=tuned), "")
    assert "trained afterwards on the chunks that answer test questions too" in card
    assert "test questions included" not in card


def test_the_card_of_the_judged_model_names_the_one_that_ships():
    card = render_card(refitted(), "", held_out=True)
    assert "No chunk of theirs was trained on. The model that ships is in `model`" in card


def test_the_card_says_which_model_each_command_takes():
    outcome = refitted()
    card = render_card(replace(outcome, verdict=replace(outcome.verdict, decision="fused")), "")
    assert "`embft serve RUN --refitted` and `embft export RUN DIR --to parquet --refitted` take the one that" in card
    assert "--refitted" not in render_card(replace(outcome, verdict=replace(outcome.verdict, decision="bm25")), "")


def test_without_a_refit_nothing_is_said_of_it():
    assert "model_heldout" not in render_markdown(make_outcome()) + render_card(make_outcome(), "")
    assert metrics_of(make_outcome())["refit"] is None


def test_chunks_that_were_drawn_are_counted_as_such():
    outcome = with_training(make_outcome(), learned_from="windows", chunks=1600, settings={"window_chunks": 1600})
    assert "1,600 of these chunks were drawn (training.window_chunks)" in render_markdown(outcome)


def test_a_query_log_says_what_its_questions_weigh():
    once = log_notes(Askings(80, 5400, "none", 80.0))[0].text
    assert "asked 5,400 times, and each counts once here; evaluation.weights=count" in once
    weighed = log_notes(Askings(80, 5400, "count", 12.3))[0].text
    assert "worth 12 questions that are asked equally often" in weighed
    assert log_notes(None) == []
