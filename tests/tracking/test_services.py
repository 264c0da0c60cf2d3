"""Trackio, MLflow and TensorBoard: what is told to each is read back with its own reader, and no failure of one is a run's."""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embft.config import TrackingConfig
from embft.config.tracking_packages import PACKAGES, tracking_problems
from embft.files import iter_jsonl
from embft.tracking import TRACKING_FILE, Product, open_tracker
from embft.tracking.mlflow_run import known_name

SENTINEL = "5e47131e5e47131e5e47131e5e47131e5e47131e"
SETTINGS = {"model": {"id": "m", "path": None}, "training": {"epochs": 2, "rate": 2e-5, "on": True}, "list": [1, "b"]}


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test in a folder of its own, without the developer's servers; the secret is in the environment as keys are."""
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "TRACKIO_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    monkeypatch.setenv("OPENAI_API_KEY", SENTINEL)
    monkeypatch.setenv("HF_TOKEN", SENTINEL)
    yield
    found = [path for path in tmp_path.rglob("*") if path.is_file() and SENTINEL.encode() in path.read_bytes()]
    assert found == []


def config(backend: str, **options: Any) -> TrackingConfig:
    return TrackingConfig(name=backend, backend=backend, **options)


def tell(backend: str, folder: Path, **options: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.html").write_text("<p>ok</p>", encoding="utf-8")
    with open_tracker(
        config(backend, **options), folder=folder, name=f"sweep/{folder.name}", group="sweep", settings=SETTINGS
    ) as tracker:
        tracker.log({"train/loss": np.float32(2.0)}, step=10)
        tracker.log({"train/loss": 1.0}, step=20)
        tracker.summary(
            {"eval/tuned/hit_rate@5": 0.75, "eval/tuned/hit_rate@5/ci_low": 0.7, "dataset/questions/test": 182}
        )
        tracker.summary({"verdict/headline": "Ship 多语 | it.", "eval/tuned/none": None, "eval/odd": math.nan})
        tracker.table("per_query", ["question", "rank"], [["why | so?\nnow", 1], ["为什么?", None]])
        tracker.file(folder / "report.html")
        tracker.product(Product("model", "model", True, files=[folder / "model"], facts={"seed": 1}))
    assert [row["kind"] for row in iter_jsonl(folder / TRACKING_FILE)][-3:] == ["file", "product", "finish"]


def test_mlflow_read_back_holds_all_that_was_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mlflow = pytest.importorskip("mlflow")
    with caplog.at_level(logging.INFO):
        for name in ("0", "1"):
            tell("mlflow", tmp_path / name, project="house", tags=["a b"], notes="a note")
    database = f"sqlite:///{tmp_path}/outputs/mlflow.db"
    assert f"MLflow: mlflow ui --backend-store-uri {database}" in caplog.text
    client = mlflow.MlflowClient(tracking_uri=database)
    runs = client.search_runs([client.get_experiment_by_name("house").experiment_id])
    assert {run.info.run_name for run in runs} == {"sweep/0", "sweep/1"}
    run = runs[0]
    assert run.info.status == "FINISHED"
    assert run.data.params == {
        "model.id": "m", "training.epochs": "2", "training.rate": "2e-05", "training.on": "True", "list": "[1, 'b']",
    }  # fmt: skip
    assert run.data.metrics["eval/tuned/hit_rate_at_5"] == 0.75
    assert run.data.metrics["eval/tuned/hit_rate_at_5/ci_low"] == 0.7
    assert run.data.metrics["dataset/questions/test"] == 182
    points = [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, "train/loss")]
    assert points == [(10, 2.0), (20, 1.0)]
    tags = run.data.tags
    assert (tags["verdict/headline"], tags["embft.group"], tags["mlflow.note.content"]) == (
        "Ship 多语 | it.",
        "sweep",
        "a note",
    )
    assert (tags["label.a b"], tags["artifact/made/model"]) == ("true", str(Path(tags["embft.folder"]) / "model"))
    files = Path(client.download_artifacts(run.info.run_id, "", str(tmp_path)))
    assert (files / "report.html").read_text(encoding="utf-8") == "<p>ok</p>"
    table = json.loads((files / "per_query.json").read_text(encoding="utf-8"))
    assert table == {"columns": ["question", "rank"], "data": [["why | so?\nnow", 1], ["为什么?", None]]}


def test_names_are_as_mlflow_allows_them() -> None:
    assert known_name("eval/tuned/hit_rate@5") == "eval/tuned/hit_rate_at_5"
    assert known_name("模型=x" * 200) == ("___x" * 200)[:250]


def test_an_mlflow_server_that_is_not_there_is_said_once_and_the_run_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://user:{SENTINEL[:8]}@127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with caplog.at_level(logging.WARNING):
        tell("mlflow", tmp_path / "run")
    warnings = [record.getMessage() for record in caplog.records if record.name.startswith("embft")]
    assert len(warnings) == 1
    assert warnings[0].startswith("MLflow failed at 'start' (")
    assert "The run continues; its figures are in its folder." in warnings[0]
    assert SENTINEL[:8] not in warnings[0]


def test_tensorboard_read_back_holds_all_that_was_told(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import plugin_data_pb2

    tell("tensorboard", tmp_path / "run", tags=["a", "b"])
    read = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    read.Reload()
    points = [(event.step, event.value) for event in read.Scalars("train/loss")]
    assert points == [(10, 2.0), (20, 1.0)]
    assert read.Scalars("eval/tuned/hit_rate@5")[0].value == 0.75
    texts = {
        tag: read.Tensors(tag)[0].tensor_proto.string_val[0].decode()
        for tag in read.Tags()["tensors"]
        if tag.endswith("/text_summary")
    }
    assert texts["per_query/text_summary"].splitlines() == [
        "| question | rank |", "| --- | --- |", "| why \\| so? now | 1 |", "| 为什么? |  |",
    ]  # fmt: skip
    assert texts["file/report.html/text_summary"] == str(tmp_path / "run" / "report.html")
    assert (texts["tags/text_summary"], texts["status/text_summary"]) == ("a, b", "ok")
    content = read.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    start = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
    assert start.hparams["training.epochs"].number_value == 2
    assert start.hparams["model.id"].string_value == "m"


def test_trackio_read_back_holds_all_that_was_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("trackio")
    from trackio import utils
    from trackio.sqlite_storage import SQLiteStorage

    utils.TRACKIO_DIR = tmp_path / "trackio"
    tell("trackio", tmp_path / "run", project="house")
    assert capfd.readouterr().out == ""
    logs = SQLiteStorage.get_logs("house", "sweep/run")
    assert [(row["step"], row["train/loss"]) for row in logs if "train/loss" in row] == [(10, 2.0), (20, 1.0)]
    merged: dict[str, Any] = {}
    for row in logs:
        merged |= row
    assert merged["eval/tuned/hit_rate@5"] == 0.75
    assert merged["verdict/headline"] == "Ship 多语 | it."
    assert merged["file/report.html"] == str(tmp_path / "run" / "report.html")
    assert merged["artifact/made/model"] == str(tmp_path / "run" / "model")
    assert merged["status"] == "ok"
    assert "为什么?" in json.dumps(merged["per_query"], ensure_ascii=False)
    own = SQLiteStorage.get_run_config("house", "sweep/run")
    assert (own["model"]["id"], own["training"]["epochs"], own["_Group"]) == ("m", 2, "sweep")


@pytest.mark.parametrize("backend", PACKAGES)
def test_an_error_of_the_run_marks_it_failed_and_goes_on_up(backend: str, tmp_path: Path) -> None:
    pytest.importorskip(PACKAGES[backend][0])
    with pytest.raises(KeyError), open_tracker(config(backend), folder=tmp_path, name="r", settings={}):
        raise KeyError("lost")
    assert list(iter_jsonl(tmp_path / TRACKING_FILE))[-1]["status"] == "failed"
    if backend == "mlflow":
        import mlflow

        client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/outputs/mlflow.db")
        [run] = client.search_runs([client.get_experiment_by_name("embft").experiment_id])
        assert run.info.status == "FAILED"


@pytest.mark.parametrize("backend", PACKAGES)
def test_a_disk_that_refuses_ends_no_run(
    backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip(PACKAGES[backend][0])
    # A file stands where each service would make its folder.
    (tmp_path / "outputs").write_text("", encoding="utf-8")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "tensorboard").write_text("", encoding="utf-8")
    if backend == "trackio":
        from trackio import run as trackio_run

        def refuse(*_: Any, **__: Any) -> None:
            raise OSError("No space left on device")

        monkeypatch.setattr(trackio_run.Run, "log", refuse)
    with caplog.at_level(logging.WARNING):
        tell(backend, tmp_path / "run")
    assert sum("The run continues; its figures are in its folder." in one for one in caplog.messages) in {1, 2}


@pytest.mark.parametrize("backend", PACKAGES)
def test_a_package_that_is_missing_is_said_in_one_sentence(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embft.config.tracking_packages.find_spec", lambda name: None)
    [sentence] = tracking_problems(config(backend))
    assert sentence.startswith(f"tracking={backend} needs the Python package")
    assert sentence.endswith(f"pip install 'embft[{backend}]'.")
    assert list(tracking_problems(config("wandb"))) == []
