from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from made_run import make_metrics, make_row_lines, write_job
from omegaconf import OmegaConf

from embft.config import TrackingConfig
from embft.errors import RunError
from embft.reporting.jobs import collect, named
from embft.reporting.levels import levels_of
from embft.reporting.paired import pair_jobs
from embft.reporting.summary import sweep_summary, sweep_table
from embft.runs.sweep_end import SweepFolders, finish_sweeps

SYSTEMS = ("bm25", "base", "tuned", "fused")


def add_job(folder: Path, shift: float, better: float = 0.0, questions: int = 60, **settings: object) -> Path:
    """A job whose tuned system scores ``better`` on every third question."""
    write_job(folder, make_metrics(shift=shift), overrides=[f"{key}={value}" for key, value in settings.items()])
    rows = make_row_lines(SYSTEMS, questions)
    for at, row in enumerate(rows):
        row["systems"]["tuned"]["ndcg@10"] = 0.5 + (better if at % 3 == 0 else 0) + random.Random(at).random() / 100
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "per_query.jsonl").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    folder = tmp_path / "sweep"
    add_job(folder / "0", 0.0, lr="1e-5", epochs=1)
    add_job(folder / "1", 0.03, 0.3, lr="2e-5", epochs=1)
    add_job(folder / "2", 0.01, 0.0, lr="2e-5", epochs=2)
    add_job(folder / "3", 0.02, 0.3, lr="1e-5", epochs=2, questions=50)
    write_job(folder / "4", status="failed", stage="model", error={"type": "X", "message": "no"}, overrides=["lr=9"])
    return folder


def test_jobs_are_compared_to_a_chosen_one_question_by_question(sweep: Path) -> None:
    [paired] = pair_jobs(collect([sweep]), "tuned", "ndcg@10")
    assert paired.places == (0, 1, 2)  # the fourth asked other questions, the fifth failed
    others = paired.against(0)
    assert others.keys() == {1, 2}
    better, same = others[1], others[2]
    assert better.delta == pytest.approx(0.1)
    assert better.ci95[0] > 0
    assert better.p_holm == pytest.approx(2 * better.p_value)  # two jobs are compared
    assert (same.delta, same.p_holm) == (0, 1)


def test_a_job_is_chosen_by_the_name_that_the_table_shows(sweep: Path) -> None:
    assert named(collect([sweep]), "2", "--against").folder.name == "2"
    for wrong in ("4", "nine"):
        with pytest.raises(RunError, match=r"no finished job has this name.*Choices: 0, 1, 2, 3"):
            named(collect([sweep]), wrong, "--against")


def test_the_best_of_each_setting_is_chosen_on_dev(sweep: Path) -> None:
    levels = levels_of(collect([sweep]), "ndcg@10", "tuned")
    rows = [(level.key, level.value, len(level.jobs), str(level.best)) for level in levels]
    assert rows == [("lr", "1e-5", 2, "3"), ("lr", "2e-5", 2, "1"), ("epochs", "1", 2, "1"), ("epochs", "2", 2, "3")]


def test_the_summary_run_says_what_dev_chose_and_what_failed(sweep: Path) -> None:
    jobs = collect([sweep])
    summary = sweep_summary(jobs, "ndcg@10")
    assert (summary["sweep/jobs"], summary["sweep/failed"], summary["sweep/best/job"]) == (5, 1, "1")
    assert summary["sweep/best/eval/tuned/ndcg@10"] == pytest.approx(0.74)
    assert summary["sweep/best/lr"] == "2e-5"
    columns, rows = sweep_table(jobs, "ndcg@10")
    assert all(len(row) == len(columns) for row in rows)
    assert rows[4][:3] == ["4", "failed", "9"]


def test_the_end_of_a_sweep_writes_page_table_and_summary_run_and_nothing_twice(sweep: Path, capsys) -> None:
    tracking = OmegaConf.structured(TrackingConfig(name="local", backend="local"))
    config = OmegaConf.create({"hydra": {"sweep": {"dir": str(sweep)}}, "evaluation": {"primary": "ndcg@10"}})
    config.tracking = tracking
    SweepFolders().on_multirun_start(config)
    finish_sweeps()
    assert "5 runs by nDCG@10" in (sweep / "compare.html").read_text(encoding="utf-8")
    assert (sweep / "compare.csv").read_text(encoding="utf-8").count("\n") == 6
    kinds = [json.loads(line)["kind"] for line in (sweep / "tracking.jsonl").read_text().splitlines()]
    assert kinds == ["start", "summary", "table", "file", "finish"]
    assert "1 of 5 jobs did not finish" in capsys.readouterr().out
    finish_sweeps()
    assert capsys.readouterr().out == ""


def test_a_sweep_that_died_before_its_first_job_is_no_second_error(tmp_path: Path, capsys) -> None:
    config = OmegaConf.create(
        {"hydra": {"sweep": {"dir": str(tmp_path / "none")}}, "evaluation": {"primary": "map@100"}}
    )
    config.tracking = OmegaConf.structured(TrackingConfig(name="local", backend="local"))
    SweepFolders().on_multirun_start(config)
    finish_sweeps()
    assert capsys.readouterr().out == ""
