"""A sweep that is started again, and how far it is."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from forks import typed
from omegaconf import OmegaConf
from small_run import write_questions

from embft.runs import sweep_log
from embft.runs.sweep_log import progress

ENVIRONMENT = {**os.environ, "HF_HUB_OFFLINE": "1", "WANDB_MODE": "offline"}
QUICK = [
    "tracking=local", "training=none", "evaluation=base_only", "evaluation.systems=[bm25]",
    "evaluation.objective=bm25/ndcg@10", "evaluation.resamples=100",
]  # fmt: skip


def sweep(place: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    data = place / "a b"  # a name that a shell takes apart
    questions = [*write_questions(data), f"model.path={place / 'tiny'}"]
    return typed("-m", *questions, *QUICK, "hydra.sweep.dir=sweep", *overrides, cwd=place, environment=ENVIRONMENT)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in {".running.lock", "sweep.log", "multirun.yaml"}
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    folder = tmp_path_factory.mktemp("sweeps")
    shutil.copytree(tiny_model, folder / "tiny")
    done = sweep(folder, "dataset.seed=1,2")
    assert done.returncode == 0, done.stderr
    assert "Sweep: 1 of 2 jobs, about" in done.stdout
    return folder


@pytest.mark.slow
def test_a_finished_sweep_that_is_started_again_changes_nothing_and_is_a_success(place: Path) -> None:
    before = contents(place / "sweep")
    done = sweep(place, "dataset.seed=1,2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("is finished, and would be the same today: skipped") == 2
    assert contents(place / "sweep") == before
    kinds = [json.loads(line)["kind"] for line in (place / "sweep" / "tracking.jsonl").read_text().splitlines()]
    assert kinds.count("start") == 1


@pytest.mark.slow
def test_a_job_with_other_settings_is_refused_and_says_which(place: Path) -> None:
    before = contents(place / "sweep")
    done = sweep(place, "dataset.seed=1,3")
    assert done.returncode == 1
    assert "holds a run with other settings already (dataset.seed=2 there, 3 here)" in done.stderr
    assert "Traceback" not in done.stderr
    assert contents(place / "sweep") == before


@pytest.mark.slow
def test_each_job_names_its_own_command_and_that_command_gives_its_figures(place: Path) -> None:
    metrics = json.loads((place / "sweep" / "1" / "metrics.json").read_text(encoding="utf-8"))
    _, program, *words = shlex.split(metrics["experiment"]["command"])
    assert Path(program).name == "run.py"
    assert "dataset.seed=2" in words
    assert "-m" not in words
    done = typed(*words, "hydra.run.dir=again", cwd=place, environment=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    again = json.loads((place / "again" / "metrics.json").read_text(encoding="utf-8"))
    assert again["systems"] == metrics["systems"]


@pytest.mark.slow
def test_finished_jobs_run_again_where_what_they_were_made_from_has_changed_and_the_old_ones_are_kept(
    place: Path,
) -> None:
    before = contents(place / "sweep" / "0")
    # As if the first one had been made by other code, and the model of both had been another one.
    file = place / "sweep" / "0" / "made_from.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["made_from"] |= {"embft's code": "other", "the library torch": "0.1"}
    file.write_text(json.dumps(content), encoding="utf-8")
    card = place / "tiny" / "tokenizer_config.json"
    card.write_text(card.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    done = sweep(place, "dataset.seed=1,2")
    assert done.returncode == 0, done.stderr
    assert (
        "0 is finished, but was made from other things than now: embft's code, the library torch, the files of model."
        in (done.stdout)
    )
    assert "1 is finished, but was made from other things than now: the files of model." in done.stdout
    old = contents(place / "sweep" / ".outdated" / "0-1")
    assert {name for name in old if old[name] != before.get(name)} == {"made_from.json"}
    jobs = (place / "sweep" / "compare.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [line.split(",")[1] for line in jobs] == ["ok", "ok"]
    again = sweep(place, "dataset.seed=1,2")
    assert again.stdout.count("skipped") == 2


@pytest.mark.slow
def test_a_finished_job_is_refused_where_what_it_was_made_from_is_gone(place: Path) -> None:
    before = contents(place / "sweep")
    (place / "tiny").rename(place / "elsewhere")
    done = sweep(place, "dataset.seed=1,2")
    (place / "elsewhere").rename(place / "tiny")
    assert done.returncode == 1
    assert "what it was made from is not there any more: the files of model" in done.stderr
    assert contents(place / "sweep") == before


def test_progress_counts_skipped_jobs_as_done_but_not_as_work() -> None:
    assert progress(7, 60, 7, 7 * 14) == "7 of 60 jobs, about 12 min 22 s left"
    assert progress(7, 60, 2, 20) == "7 of 60 jobs, about 8 min 50 s left"
    assert progress(3, 3, 3, 9) == "3 of 3 jobs"
    assert progress(2, 4, 0, 1) == "2 of 4 jobs"
    assert progress(2, 0, 2, 9) == "2 jobs done"


def test_a_sweep_s_jobs_are_counted_from_the_command_line_and_from_trials() -> None:
    task = ["model=minilm,mpnet", "seed=range(1,4)", "training=none"]
    basic = {"_target_": "hydra._internal.core_plugins.basic_sweeper.BasicSweeper", "params": {"a": "1,2"}}
    hydra = {"sweeper": basic, "overrides": {"task": task}}
    assert sweep_log.count_jobs(OmegaConf.create({"hydra": hydra})) == 12
    assert sweep_log.count_jobs(OmegaConf.create({"hydra": {**hydra, "sweeper": {"n_trials": 20}}})) == 20
    assert sweep_log.count_jobs(OmegaConf.create({"hydra": {**hydra, "sweeper": {"_target_": "another.Sweeper"}}})) == 0


def test_the_log_counts_the_last_start_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBFT_SWEEP", "")
    assert sweep_log.end_job(tmp_path, 0, "ok") == ""
    for outcome in ("ok", "skipped"):
        sweep_log.begin(tmp_path, 2, "python run.py -m seed=1,2")
        assert sweep_log.end_job(tmp_path, 0, outcome).startswith("1 of 2 jobs")
    assert sweep_log.end_job(tmp_path, 1, "failed") == "2 of 2 jobs"


def test_a_job_of_a_machine_with_an_environment_of_its_own_finds_the_sweep_in_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBFT_SWEEP", "")
    sweep_log.begin(tmp_path, 3, "python run.py -m seed=1,2,3")
    monkeypatch.delenv("EMBFT_SWEEP")
    assert sweep_log.end_job(tmp_path, 0, "ok").startswith("1 of 3 jobs, about")
    assert sweep_log.outcomes(tmp_path) == ["ok"]
