"""Weights & Biases against a server of the test's own: what arrives there, and what becomes of a run whose server fails."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from forks import ROOT, typed
from own_wandb import SENTINEL, own_wandb, wandb_config  # noqa: F401
from small_run import write_questions
from wandb_server import FAULTS, WandbServer

from embft.files import iter_jsonl
from embft.tracking import TRACKING_FILE, Product, open_tracker, wandb_run

COMMIT = "0123456789ab"
LIMIT = 60
"""Seconds in which a run ends whatever its server does, on a busy machine. wandb itself waits 20 s for some answers."""


def track(folder: Path, **options: str) -> None:
    """A run that tells everything that there is to tell."""
    (folder / "dataset").mkdir(parents=True)
    (folder / "model").mkdir()
    (folder / "dataset" / "train.json").write_text("{}", encoding="utf-8")
    (folder / "model" / "weights").write_text("1", encoding="utf-8")
    (folder / "report.html").write_text("<p>ok</p>", encoding="utf-8")
    settings = {"seed": 1, "embft": {"commit": COMMIT, "groups": {"model": "minilm"}}}
    config = wandb_config("auto", **options)
    with open_tracker(config, folder=folder, name="sweep/0", group="sweep", settings=settings) as tracker:
        for step, value in enumerate((0.5, 0.7, 0.6)):
            tracker.log({"train/loss": 1.0, "train/dev_ndcg@10": value}, step)
        tracker.table("per_query", ["question"], [["why?"]])
        tracker.product(Product("dataset", "dataset", False, files=[folder / "dataset" / "train.json"]))
        tracker.product(Product("base-x", "model", False, address="https://huggingface.co/x/y"))
        tracker.product(Product("model", "model", True, files=[folder / "model"], facts={"fingerprint": "f"}))
        tracker.summary({"objective": 0.75})
        tracker.file(folder / "report.html")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", SENTINEL)
    monkeypatch.setattr(wandb_run, "_FINISH_SECONDS", 3.0)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """All the time that a busy machine may need for what must arrive."""
    monkeypatch.setenv("WANDB_API_KEY", SENTINEL)
    monkeypatch.setattr(wandb_run, "_FINISH_SECONDS", 60.0)
    monkeypatch.setenv("WANDB_INIT_TIMEOUT", "60")


def test_a_run_arrives_whole_with_its_commit_its_best_and_what_it_came_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patient: None
) -> None:
    with WandbServer() as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        track(tmp_path / "run")
    [run] = server.runs
    assert (run["displayName"], run["groupName"], run["jobType"], run["commit"]) == ("sweep/0", "sweep", "job", COMMIT)
    assert json.loads(run["config"])["embft"]["value"]["groups"] == {"model": "minilm"}
    summary = server.summary()
    assert summary["objective"] == 0.75
    assert summary["train/dev_ndcg@10"] == {"last": 0.6, "max": 0.7}
    assert server.files["report.html"] == b"<p>ok</p>"
    made = {row["artifactCollectionName"]: (row["artifactTypeName"], row["runName"]) for row in server.artifacts}
    assert made.pop(f"run-{run['name']}-per_query") == ("run_table", run["name"])
    # What a run used is no product of it: the server is told so once it is there.
    assert made == {"dataset": ("dataset", None), "base-x": ("model", None), "model": ("model", run["name"])}
    used = {server.artifacts[int(number)]["artifactCollectionName"] for number in server.used}
    assert used == {"dataset", "base-x"}
    # References: names and digests, but no content.
    assert not [name for name in server.files if name.endswith(("train.json", "weights"))]


def test_artifacts_are_uploaded_where_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patient: None
) -> None:
    with WandbServer() as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        track(tmp_path / "run", artifacts="files")
        assert (server.files["artifact/train.json"], server.files["artifact/weights"]) == (b"{}", b"1")
        before = len(server.artifacts)
        track(tmp_path / "none", artifacts="none")
        assert len(server.artifacts) == before + 1  # the table


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "answers nonsense"])
def test_a_server_that_fails_at_the_start_costs_a_warning(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    started = time.monotonic()
    with WandbServer(fault) as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        track(tmp_path / "run")
        assert time.monotonic() - started < LIMIT
    assert_nothing_is_lost(tmp_path / "run")
    [warning] = [row.message for row in caplog.records if row.levelno == logging.WARNING]
    assert "Continuing OFFLINE" in warning
    assert list((tmp_path / "run" / "wandb").glob("offline-run-*/*.wandb"))


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_that_fails_in_the_middle_costs_a_warning(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WANDB_INIT_TIMEOUT", "60")
    started = time.monotonic()
    with WandbServer(breaks=fault) as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        track(tmp_path / "run")
        assert time.monotonic() - started < LIMIT
    assert_nothing_is_lost(tmp_path / "run")
    warnings = [row.message for row in caplog.records if row.levelno == logging.WARNING]
    assert "The run continues; its figures are in its folder." in warnings[0]
    assert "wandb sync" in warnings[-1]
    if fault != "answers nonsense":  # of which wandb's own process dies, with what it has not written yet
        [kept] = (tmp_path / "run" / "wandb").glob("run-*/*.wandb")
        assert b"dev_ndcg@10" in kept.read_bytes()


def assert_nothing_is_lost(folder: Path) -> None:
    rows = list(iter_jsonl(folder / TRACKING_FILE))
    kinds = ["start", "log", "log", "log", "table", "product", "product", "product", "summary", "file", "finish"]
    assert [row["kind"] for row in rows] == kinds
    assert rows[-1]["status"] == "ok"


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["", "answers 500"])
def test_a_whole_run_ends_well_whatever_its_server_does(fault: str, tmp_path: Path, tiny_model: Path) -> None:
    with WandbServer(breaks=fault) as server:
        names = ("WANDB_MODE", "WANDB_BASE_URL", "WANDB_INIT_TIMEOUT")
        environment = {name: value for name, value in os.environ.items() if name not in names}
        environment |= {"WANDB_BASE_URL": server.url, "WANDB_API_KEY": SENTINEL, "WANDB_FINISH_TIMEOUT": "5"}
        done = typed(
            *write_questions(tmp_path / "data"), f"model.path={tiny_model}", "training.epochs=1", "hydra.run.dir=run",
            "evaluation.systems=[base,tuned]",
            "evaluation.objective=tuned/ndcg@10", "evaluation.resamples=100", "dataset.dev_fraction=0.4",
            cwd=tmp_path, environment=environment,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run" / "status.json").read_text(encoding="utf-8"))["status"] == "ok"
    assert "Traceback" not in done.stdout + done.stderr
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert set(metrics["systems"]) == {"base", "tuned"}
    if fault:
        assert "its figures are in its folder" in done.stdout + done.stderr
        return
    assert server.summary()["objective"] == metrics["objective"]["value"]
    names = [row["artifactCollectionName"] for row in server.artifacts if row["artifactTypeName"] != "run_table"]
    assert names == ["dataset", "base-minilm", "model"]
    assert json.loads(server.artifacts[-1]["metadata"])["run"].endswith("/run")
    assert len(server.runs[0]["commit"] or "") in {0, 12}


@pytest.mark.slow
def test_an_agent_runs_what_the_sweep_of_the_checkout_says(tmp_path: Path, tiny_model: Path) -> None:
    sweep = yaml.safe_load((ROOT / "scripts" / "wandb_sweep.yaml").read_text(encoding="utf-8"))
    assert sweep["metric"] == {"name": "objective", "goal": "maximize"}
    fixed = [
        *write_questions(tmp_path / "data"), f"model.path={tiny_model}", "evaluation.systems=[base,tuned]",
        "evaluation.resamples=100", "dataset.dev_fraction=0.4", f"cache_dir={tmp_path / 'cache'}",
        f"hydra.run.dir={tmp_path / 'run'}",
    ]  # fmt: skip
    sweep["command"][-1:-1] = fixed
    values = {"training.learning_rate": {"value": 3.1e-5}, "training.epochs": {"value": 1}}
    assert set(values) == set(sweep["parameters"])
    told = {"type": "run", "run_id": "fromagent", "program": sweep["program"], "args": values}
    with WandbServer(sweep=yaml.safe_dump(sweep), commands=[told]) as server:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
        environment |= {"WANDB_BASE_URL": server.url, "WANDB_API_KEY": SENTINEL, "WANDB_DIR": str(tmp_path)}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        command = [sys.executable, "-m", "wandb", "agent", "--count", "1", "me/embft/sweep"]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False
        )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "metrics.json").is_file(), done.stdout + done.stderr
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert {"training.learning_rate=3.1e-05", "training.epochs=1"} <= set(metrics["experiment"]["overrides"])
    [run] = server.runs
    assert (run["name"], run["sweep"]) == ("fromagent", "sweep")
    assert server.summary()["objective"] == metrics["objective"]["value"]
