from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_run import make_outcome

from embft.evaluation.figures import ComparisonRow
from embft.reporting import phrases as wording


def row(low: float, high: float) -> ComparisonRow:
    return ComparisonRow("tuned", "base", "hit_rate@5", 0.0424, (low, high), 0.0101, wins=21, losses=8, ties=153)


def test_a_comparison_is_a_sentence_with_all_its_figures() -> None:
    assert wording.sentence(row(0.0101, 0.0752)) == (
        "tuned beats base: +4.2 points of hit rate@5 [+1.0, +7.5], p=0.010; 21 won, 8 lost, 153 tied"
    )


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.001, 0.05, "beats"),
        (-0.05, -0.001, "loses to"),
        (-0.01, 0.01, "could be better or worse than"),
        (0.0, 0.05, "could be better or worse than"),
    ],
)
def test_only_an_interval_without_zero_is_a_difference(low: float, high: float, said: str) -> None:
    assert wording.sense(row(low, high)) == said


def test_questions_made_from_passages_are_called_what_they_are() -> None:
    assert wording.test_questions(make_outcome()) == "182 test questions asked by people, searching 441 chunks"
    made = wording.test_questions(make_outcome(origins={"extractive": 97}))
    assert made == "97 test questions cut out of the passages (such questions flatter BM25), searching 441 chunks"
    mixed = wording.test_questions(make_outcome(origins={"human": 30, "openai": 1200}))
    assert "30 asked by people, 1,200 written by an LLM from the passages (such questions flatter BM25)" in mixed


def test_a_figure_has_no_leading_zero_and_no_negative_zero() -> None:
    assert [wording.number(value) for value in (0.8124, 1.0, 0.0, -0.05)] == [".812", "1.000", ".000", "-.050"]
    assert wording.points(-0.0001) == "+0.0"


def test_every_metric_stands_in_one_table() -> None:
    columns, rows = wording.metric_table(make_outcome(["bm25", "base"]))
    assert columns == [("bm25", "bm25"), ("base", "cosine"), ("base", "dot")]
    assert len(rows) == 15
    assert rows[0] == ("accuracy@1", [0.62, 0.66, 0.66])


def test_an_override_of_a_group_is_not_listed_twice() -> None:
    experiment = replace(make_outcome().experiment, overrides=["model=minilm", "training.epochs=3"])
    rows = wording.settings_rows(make_outcome(experiment=experiment))
    assert rows == [("corpus", "python_reference"), ("model", "minilm"), ("training.epochs", "3")]


def test_long_lists_are_counted_and_empty_facts_left_out() -> None:
    rows = dict(wording.fact_rows({"chunks_left": list(range(25)), "copies": [], "asked": 0, "note": None}))
    assert rows == {"chunks left": ", ".join(map(str, range(20))) + " and 5 more", "asked": "0"}


@given(st.text())
def test_nothing_printable_can_steer_a_terminal(text: str) -> None:
    assert not set(wording.printable(text)) & {"\x1b", "\x9b", "\x07", "\r"}


@given(st.floats(-1, 1), st.floats(0, 0.2))
def test_swapped_systems_give_the_mirrored_sentence(delta: float, reach: float) -> None:
    here = replace(row(delta - reach, delta + reach), delta=delta)
    there = replace(row(-delta - reach, -delta + reach), delta=-delta)
    mirrored = {"beats": "loses to", "loses to": "beats"}
    assert wording.sense(there) == mirrored.get(wording.sense(here), wording.sense(here))
