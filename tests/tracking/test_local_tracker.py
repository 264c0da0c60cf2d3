from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embft.config import TrackingConfig
from embft.files import iter_jsonl
from embft.tracking import TRACKING_FILE, open_tracker
from embft.tracking.tracker import plain

LOCAL = TrackingConfig(name="local", backend="local")


def lines(folder: Path) -> list[dict[str, Any]]:
    return list(iter_jsonl(folder / TRACKING_FILE))


def test_everything_told_is_a_line_in_order(tmp_path: Path) -> None:
    with open_tracker(LOCAL, folder=tmp_path, name="run", group="sweep", settings={"seed": 42}) as tracker:
        tracker.log({"train/loss": 0.5}, step=3)
        tracker.summary({"eval/tuned/hit_rate@5": 0.75})
        tracker.table("per_query", ["text", "rank"], [["为什么?", 1], ["how", None]])
        tracker.file(tmp_path / "reports" / "report.html")

    told = [{key: value for key, value in row.items() if key != "time"} for row in lines(tmp_path)]
    assert told == [
        {"kind": "start", "name": "run", "group": "sweep", "settings": {"seed": 42}},
        {"kind": "log", "step": 3, "values": {"train/loss": 0.5}},
        {"kind": "summary", "values": {"eval/tuned/hit_rate@5": 0.75}},
        {"kind": "table", "name": "per_query", "columns": ["text", "rank"], "rows": [["为什么?", 1], ["how", None]]},
        {"kind": "file", "path": "reports/report.html"},
        {"kind": "finish", "status": "ok"},
    ]  # fmt: skip


def test_an_exception_marks_the_run_failed_and_goes_on_up(tmp_path: Path) -> None:
    def run() -> None:
        with open_tracker(LOCAL, folder=tmp_path, name="run", settings={}) as tracker:
            tracker.log({"train/loss": 1.0})
            raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        run()

    assert lines(tmp_path)[-1]["status"] == "failed"
    assert lines(tmp_path)[-1]["error"] == "KeyError"


def test_what_was_told_is_on_disk_before_the_run_ends(tmp_path: Path) -> None:
    with open_tracker(LOCAL, folder=tmp_path, name="run", settings={}) as tracker:
        tracker.log({"train/loss": 1.0}, step=1)
        assert lines(tmp_path)[-1]["values"] == {"train/loss": 1.0}


def test_the_configured_group_goes_before_the_sweeps(tmp_path: Path) -> None:
    config = TrackingConfig(name="local", backend="local", group="mine")
    with open_tracker(config, folder=tmp_path, name="run", group="sweep", settings={}):
        pass
    assert lines(tmp_path)[0]["group"] == "mine"


def test_wandb_disabled_leaves_the_local_file_alone(tmp_path: Path) -> None:
    config = TrackingConfig(name="wandb", backend="wandb", mode="disabled")
    with open_tracker(config, folder=tmp_path, name="run", settings={}) as tracker:
        tracker.summary({"n": 1})
    assert [path.name for path in tmp_path.iterdir()] == [TRACKING_FILE]


def test_numbers_of_numpy_become_json_and_figures_without_a_word_become_strings() -> None:
    values = {"a": np.float32(0.5), "b": np.int64(3), "c": math.nan, "d": -math.inf, "e": (True, None), "f": Path("x")}
    assert plain(values) == {"a": 0.5, "b": 3, "c": "NaN", "d": "-Infinity", "e": [True, None], "f": "x"}


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.frozensets(st.integers() | st.text()),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(), inner),
)


@given(_values)
def test_any_value_becomes_strict_json_and_stays_as_it_is(value: Any) -> None:
    once = plain(value)
    assert json.loads(json.dumps(once, allow_nan=False)) == once
    assert plain(once) == once
