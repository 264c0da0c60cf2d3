"""What is said of work under way: seldom, truly, and only where a run watches."""

from __future__ import annotations

import logging
import sys
import time

import pytest

from embft import progress
from embft.progress import Console, Work, duration, each, name_job, shown


@pytest.fixture
def quick(monkeypatch):
    """Lines after a moment."""
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    yield
    name_job("")


def lines_of(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "embft.progress"]


def test_a_line_says_how_far_how_fast_and_until_when():
    work = Work("embedding", 2000, "texts", started=0.0)
    work.advance(500)
    line = work.line(10.0)
    assert line.startswith("embedding: 500 of 2,000 texts (25%), 50 per second, 30 s left, until ")


def test_slow_units_are_told_in_seconds_each():
    work = Work("training", 100, "steps", started=0.0)
    work.advance(10)
    work.note = "loss 0.013"
    assert "3.0 s each, 4 min 30 s left" in work.line(30.0)
    assert work.line(30.0).endswith("; loss 0.013")


def test_a_rate_leaves_out_what_was_done_before():
    work = Work("training", 100, "steps", started=0.0)
    work.begin_at(90)
    work.advance(5)
    assert work.line(50.0).startswith("training: 95 of 100 steps (95%), 10.0 s each, 50 s left")


def test_without_a_total_the_time_is_told():
    work = Work("audits", started=0.0)
    assert work.line(75.0) == "audits: 1 min 15 s so far"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.7, "1 min 0 s"), (3599.6, "1 h 0 min"), (7500, "2 h 5 min")]
)
def test_durations(seconds, words):
    assert duration(seconds) == words


def test_nothing_is_said_where_no_run_watches(caplog, quick):
    with caplog.at_level(logging.INFO):
        assert list(each([1, 2, 3], "reading", "files")) == [1, 2, 3]
    assert not lines_of(caplog)


def test_a_run_says_what_is_under_way(caplog, quick):
    with caplog.at_level(logging.INFO), shown(every=0.05) as enter:
        enter("ranking")
        name_job("job 3: ")
        with progress.progress("embedding", 10, "texts") as work:
            work.advance(5)
            time.sleep(0.3)
    assert lines_of(caplog)
    assert all(line.startswith("job 3: ranking, embedding: 5 of 10 texts (50%)") for line in lines_of(caplog))


def test_a_stage_without_figures_is_named_too(caplog, quick):
    with caplog.at_level(logging.INFO), shown(every=0.05) as enter:
        enter("audits")
        time.sleep(0.3)
    assert lines_of(caplog)[0].startswith("audits: ")


def test_a_stage_that_prints_is_left_alone(caplog, quick):
    with caplog.at_level(logging.INFO), shown(every=0.05) as enter:
        enter("ranking")
        enter("")
        time.sleep(0.2)
    assert not lines_of(caplog)


def test_short_work_is_not_worth_a_line(caplog):
    with caplog.at_level(logging.INFO), shown(every=0.05) as enter:
        enter("audits")
        time.sleep(0.2)
    assert not lines_of(caplog)


def test_work_within_work_of_the_same_name_adds_to_it():
    with progress.progress("embedding", 100, "texts") as outer:
        with progress.progress("embedding", 10, "texts") as inner:
            inner.advance(10)
        assert (outer.done, outer.total) == (10, 100)


def test_work_that_fails_is_not_under_way_any_more():
    with pytest.raises(KeyError), progress.progress("embedding", 100, "texts"):
        raise KeyError
    assert not progress._under_way


class Terminal:
    """Keeps what is written."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass

    def isatty(self):
        return True


def test_a_terminal_has_one_line_that_is_taken_away(monkeypatch, quick):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(sys, "stdout", terminal)
    with shown(every=0.1) as enter:
        enter("ranking")
        time.sleep(0.4)
    assert "\rranking: " in terminal.text
    assert terminal.text.endswith("\r\x1b[K")
    assert "\n" not in terminal.text
    record = logging.makeLogRecord({"msg": "ranking", "is_progress": True})
    assert not Console().filter(record)


def test_a_log_that_is_no_terminal_gets_progress():
    assert Console().filter(logging.makeLogRecord({"msg": "ranking", "is_progress": True}))
