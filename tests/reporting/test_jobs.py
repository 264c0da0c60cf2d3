from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest
from made_run import make_metrics, write_job
from rich.console import Console

from embft.errors import RunError
from embft.reporting.choosing import best_on_dev, by_dev
from embft.reporting.compare import print_comparison, write_csv
from embft.reporting.jobs import checked_system, collect, differing, names_of, short_keys
from embft.run_lock import take_lock


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Three runs that finished (the second best on dev), one that failed, one that died before embft began."""
    folder = tmp_path / "sweeps" / "first"
    for at, (rate, shift) in enumerate((("2e-5", 0.0), ("5e-5", 0.03), ("1e-4", 0.01))):
        write_job(folder / str(at), make_metrics(shift=shift), overrides=["seed=1", f"training.learning_rate={rate}"])
    error = {"type": "ConfigError", "message": "1 problem in the configuration:\n  - model has no path.\n  - more"}
    write_job(
        folder / "10", status="failed", stage="model", error=error, overrides=["seed=1", "model=bge"], seconds=0.4
    )
    (folder / "11" / ".hydra").mkdir(parents=True)
    (folder / "11" / ".hydra" / "overrides.yaml").write_text("- seed=1\n- model=${other}\n", encoding="utf-8")
    return folder


def shown(folder: Path, width: int = 160, **options: object) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    print_comparison([folder], console=console, **options)  # type: ignore[arg-type]
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_jobs_come_in_the_order_of_their_numbers(sweep: Path) -> None:
    jobs = collect([sweep])
    assert [job.folder.name for job in jobs] == ["0", "1", "2", "10", "11"]
    assert [job.status for job in jobs] == ["ok", "ok", "ok", "failed", "not started"]
    assert jobs[4].settings == {"seed": "1", "model": "${other}"}


def test_a_run_given_twice_counts_once(sweep: Path) -> None:
    assert len(collect([sweep, sweep / "0", sweep.parent])) == 5


def test_a_failed_job_says_its_stage_and_the_first_thing_wrong(sweep: Path) -> None:
    assert collect([sweep])[3].error == "model: 1 problem in the configuration: model has no path."


def test_only_settings_that_differ_are_shown(sweep: Path) -> None:
    assert differing(collect([sweep])) == ["training.learning_rate", "model"]


def test_keys_are_shortened_as_long_as_they_stay_apart() -> None:
    assert short_keys(["training.learning_rate", "model.name", "corpus.name", "seed"]) == [
        "learning_rate",
        "model.name",
        "corpus.name",
        "seed",
    ]


def test_where_the_cache_lies_is_no_difference(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_job(tmp_path / name, make_metrics(), overrides=[f"cache_dir={name}"])
    assert differing(collect([tmp_path])) == []


def test_dev_chooses_the_best_job_and_the_order(sweep: Path) -> None:
    jobs = collect([sweep])
    best = best_on_dev(jobs, "ndcg@10", "tuned")
    assert best is not None
    assert best.folder.name == "1"
    assert [job.folder.name for job in by_dev(jobs, "ndcg@10", "tuned")] == ["1", "2", "0", "10", "11"]


def test_one_job_alone_is_not_called_best(sweep: Path) -> None:
    assert best_on_dev(collect([sweep / "0"]), "ndcg@10", "tuned") is None


def test_a_difference_is_mirrored_where_the_run_compared_the_other_way_round(sweep: Path) -> None:
    job = collect([sweep])[0]
    delta, low, high = job.difference("tuned", "base", "ndcg@10") or (0, 0, 0)
    assert job.difference("base", "tuned", "ndcg@10") == (-delta, -high, -low)
    assert low < delta < high


@pytest.mark.parametrize(
    ("name", "words"), [("frist", "does not exist.*Did you mean 'first'"), ("first/0/status.json", "is a file")]
)
def test_a_wrong_path_is_named(sweep: Path, name: str, words: str) -> None:
    with pytest.raises(RunError, match=words):
        collect([sweep.parent / name])


def test_a_folder_without_runs_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds no run"):
        collect([tmp_path])


def test_an_unknown_system_is_named_with_the_choices(sweep: Path) -> None:
    with pytest.raises(RunError, match=r"Did you mean 'tuned'.*Choices: bm25, base, tuned, fused"):
        checked_system("tunned", collect([sweep]), "--system")


def test_a_job_that_says_running_and_holds_no_lock_was_killed(tmp_path: Path) -> None:
    # Its process number is another one's by now; the machine may be another one too.
    write_job(tmp_path / "alive", status="running", stage="training", pid=os.getpid())
    write_job(tmp_path / "dead", status="running", stage="training", pid=os.getpid())
    lock = take_lock(tmp_path / "alive")
    assert lock is not None
    alive, dead = collect([tmp_path])
    lock.release()
    assert (alive.status, dead.status) == ("running", "failed")
    assert dead.error == "training: was killed, or its machine went down"


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}"])
def test_damaged_files_do_not_stop_the_comparison(tmp_path: Path, damage: str) -> None:
    (write_job(tmp_path / "metrics") / "metrics.json").write_text(damage, encoding="utf-8")
    (write_job(tmp_path / "status", make_metrics()) / "status.json").write_text(damage, encoding="utf-8")
    jobs = collect([tmp_path])
    assert [job.metrics for job in jobs] == [None, None]
    assert "damaged" in jobs[0].error
    assert "2 of 2 jobs did not finish" in shown(tmp_path)


def test_jobs_of_two_sweeps_keep_apart(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_job(tmp_path / name / "0", make_metrics())
    assert names_of(collect([tmp_path])) == ["a/0", "b/0"]


def test_the_table_shows_settings_figures_and_failures(sweep: Path) -> None:
    text = shown(sweep, 200)
    assert ".740 [.690, .790]" in text
    assert "+5.0 [+1.5, +8.5]" in text
    assert "5e-5" in text
    assert "1 *" in text
    assert f"* best on dev (tuned, nDCG@10): {sweep / '1'}." in text
    assert "2 of 5 jobs did not finish:" in text
    assert f"{sweep / '10'}: failed, model: 1 problem" in text
    assert "not started" in text


@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_a_narrow_terminal_gets_fewer_columns_but_whole_figures(sweep: Path, width: int) -> None:
    lines = shown(sweep, width).split("* best on dev")[0].splitlines()
    assert max(map(len, lines)) <= width
    assert any("+5.0 [+1.5, +8.5]" in line for line in lines)
    assert any("5e-5" in line for line in lines)


def test_a_sweep_whose_jobs_all_failed_has_a_table(tmp_path: Path) -> None:
    write_job(
        tmp_path / "0", status="failed", stage="model", error={"type": "ModelError", "message": "is not available"}
    )
    assert "model: is not available" in shown(tmp_path)


def test_runs_without_a_tuned_model_are_compared_by_what_they_have(tmp_path: Path) -> None:
    for at in range(2):
        write_job(tmp_path / str(at), make_metrics(["bm25", "base"], shift=at / 10))
    assert "best on dev (base, nDCG@10)" in shown(tmp_path)


def test_the_csv_has_every_figure_unrounded(sweep: Path, tmp_path: Path) -> None:
    write_csv(tmp_path / "all.csv", collect([sweep]))
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5
    assert float(rows[1]["tuned/ndcg@10"]) == pytest.approx(0.74)
    assert float(rows[1]["tuned/ndcg@10/minus_base"]) == pytest.approx(0.05)
    assert rows[3]["tuned/ndcg@10"] == ""
    assert rows[3]["error"].startswith("model: ")
