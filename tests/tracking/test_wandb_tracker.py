from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from own_wandb import SENTINEL, inspect, offline_runs, own_wandb, records, wandb_config  # noqa: F401

from embft.errors import TrainingError
from embft.files import iter_jsonl
from embft.tracking import TRACKING_FILE, open_tracker, wandb_run


@pytest.mark.slow
def test_an_offline_run_read_back_holds_all_that_was_told(tmp_path: Path) -> None:
    figures = {f"eval/{system}/{name}": 0.125 * i for system in ("bm25", "tuned") for i, name in enumerate(
        ["hit_rate@5", "cosine_map@100", "dot_ndcg@10"])}  # fmt: skip
    words = {"verdict": "ship the mix", "comparison/tuned_vs_base/ndcg@10/p_value": 0.5, "dataset/questions": 182}
    (tmp_path / "report.html").write_text("<p>ok</p>", encoding="utf-8")
    config = wandb_config(project="house", tags=["a", "b"], notes="a note")

    with open_tracker(config, folder=tmp_path, name="run 1", group="sweep", settings={"model": {"id": "m"}}) as tracker:
        tracker.log({"train/loss": 2.0}, step=10)
        tracker.log({"train/loss": 1.0}, step=20)
        tracker.log({"train/loss": 3.0}, step=5)  # a late point is kept, too
        tracker.table("per_query", ["question", "bm25"], [["why?", 1], ["为什么?", None], ["how?", "-"]])
        tracker.summary(figures)
        tracker.summary(words)
        tracker.file(tmp_path / "report.html")

    run = inspect(tmp_path)
    told = _flat(run["summary"])
    assert {key: told[key] for key in {**figures, **words}} == {**figures, **words}
    assert (run["state"], run["exit_code"], run["name"]) == ("finished", 0, "run 1")
    assert (run["project"], run["tags"], run["notes"]) == ("house", ["a", "b"], "a note")
    assert run["config"]["model"] == {"id": "m"}
    assert run["summary"]["per_query"]["nrows"] == 3
    points = [(row["item"]["train/global_step"], row["item"]["train/loss"])
              for row in records(tmp_path, "history") if "train/loss" in row["item"]]  # fmt: skip
    assert points == [(10, 2.0), (20, 1.0), (5, 3.0)]
    assert records(tmp_path, "run")[0]["run_group"] == "sweep"
    attached = offline_runs(tmp_path)[0] / "files" / "report.html"
    assert attached.read_text(encoding="utf-8") == "<p>ok</p>"
    assert [row["kind"] for row in iter_jsonl(tmp_path / TRACKING_FILE)][-2:] == ["file", "finish"]


def _flat(summary: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in summary.items():
        flat.update(_flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value})
    return flat


def test_a_failed_run_is_marked_and_its_traceback_is_not_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with (
        pytest.raises(TrainingError, match="no loss"),
        open_tracker(wandb_config(), folder=tmp_path, name="run", settings={}),
    ):
        raise TrainingError("no loss")

    assert inspect(tmp_path)["exit_code"] == 1
    assert list(iter_jsonl(tmp_path / TRACKING_FILE))[-1]["status"] == "failed"
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err


def test_two_runs_in_one_process_are_two_runs(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        with open_tracker(wandb_config(), folder=tmp_path / name, name=name, settings={}) as tracker:
            tracker.summary({"who": name})

    first, second = (inspect(tmp_path / name) for name in ("first", "second"))
    assert (first["summary"]["who"], second["summary"]["who"]) == ("first", "second")
    assert first["run_id"] != second["run_id"]


def test_an_id_of_the_environment_is_one_run_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_RUN_ID", "fromagent")
    ids = []
    for name, group in (("job", "sweep"), ("alone", None), ("again", None), ("summary", "sweep")):
        (tmp_path / name).mkdir()
        with open_tracker(wandb_config(), folder=tmp_path / name, name=name, group=group, settings={}):
            pass
        [place] = offline_runs(tmp_path / name)
        ids.append(place.name.rpartition("-")[2])
    assert ids[1] == "fromagent"
    assert len(set(ids)) == 4


def test_auto_without_a_key_is_offline_and_asks_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), open_tracker(wandb_config("auto"), folder=tmp_path, name="r", settings={}):
        pass
    assert inspect(tmp_path)["state"] == "finished"
    assert caplog.records == []


def test_auto_follows_wandb_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    with open_tracker(wandb_config("auto"), folder=tmp_path, name="run", settings={}):
        pass
    assert not (tmp_path / "wandb").exists()


def test_online_without_a_key_goes_on_offline_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with open_tracker(wandb_config("online"), folder=tmp_path, name="run", settings={}) as tracker:
        tracker.summary({"n": 1})
    assert inspect(tmp_path)["summary"]["n"] == 1
    assert "OFFLINE" in caplog.text
    assert "WANDB_API_KEY" in caplog.text


@pytest.mark.parametrize("mode", ["auto", "online"])
def test_a_key_without_a_network_goes_on_offline_and_stands_in_no_file(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", SENTINEL)
    with open_tracker(wandb_config(mode), folder=tmp_path, name="run", settings={"seed": 1}) as tracker:
        tracker.summary({"n": 1})

    assert "OFFLINE" in caplog.text
    assert inspect(tmp_path)["summary"]["n"] == 1
    assert not list((tmp_path / "wandb").glob("run-*"))
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert [path for path in written if SENTINEL.encode() in path.read_bytes()] == []
    assert SENTINEL not in caplog.text


def test_a_server_that_was_not_there_is_not_waited_for_by_the_next_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", SENTINEL)
    wandb_run._outages.append(time.monotonic())
    with open_tracker(wandb_config("auto"), folder=tmp_path, name="third", group="sweep", settings={}):
        pass
    assert "could not be reached a moment ago" in caplog.text
    assert len(offline_runs(tmp_path)) == 1


def test_project_name_tags_and_group_of_the_environment_are_respected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PROJECT": "theirs", "NAME": "mine", "TAGS": "a,b", "RUN_GROUP": "all"}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    for folder, group in (("alone", None), ("job", "sweep")):
        (tmp_path / folder).mkdir()
        with open_tracker(wandb_config(), folder=tmp_path / folder, name=folder, group=group, settings={}):
            pass
    [alone], [job] = (records(tmp_path / folder, "run") for folder in ("alone", "job"))
    assert (alone["project"], alone["display_name"], alone["run_group"]) == ("theirs", "mine", "all")
    assert (job["display_name"], job["job_type"]) == ("job", "job")
    assert sorted(alone["tags"]) == ["a", "b"]


def test_a_key_that_is_none_is_named_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "short")
    with open_tracker(wandb_config("auto"), folder=tmp_path, name="run", settings={}):
        pass
    assert "API key must have" in caplog.text
    assert inspect(tmp_path)["state"] == "finished"


def test_a_key_in_netrc_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Path(os.environ["NETRC"]).write_text(f"machine 127.0.0.1:9\n  login user\n  password {SENTINEL}\n", "utf-8")
    with open_tracker(wandb_config("auto"), folder=tmp_path, name="run", settings={}):
        pass
    assert "cannot be reached" in caplog.text


def test_a_tracker_that_breaks_midway_does_not_stop_the_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with open_tracker(wandb_config(), folder=tmp_path, name="run", settings={}) as tracker:
        tracker.file(tmp_path / "missing" / "report.html")
        tracker.table("t", ["a"], [])
        tracker.summary({"n": 1})
    kinds = [row["kind"] for row in iter_jsonl(tmp_path / TRACKING_FILE)]
    assert kinds == ["start", "file", "table", "summary", "finish"]


def test_offline_is_quick(tmp_path: Path) -> None:
    """No heavy import sneaks in: neither torch nor the tracker's own reporting to its makers (requests)."""
    code = f"""
import sys
from pathlib import Path
from embft.config import TrackingConfig
from embft.tracking import open_tracker
assert "wandb" not in sys.modules
config = TrackingConfig(name="w", backend="wandb", mode="offline")
with open_tracker(config, folder=Path({str(tmp_path)!r}), name="r", settings={{}}) as tracker:
    tracker.summary({{"n": 1}})
print([name for name in ("torch", "requests") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
