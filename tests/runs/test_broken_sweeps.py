"""Sweeps of a dozen jobs by each launcher, with a bad one among them; sweeps that are killed and started again.

Ten kills of each: benchmarks/sweep_kills.py.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from forks import ROOT
from offline_wandb import told
from sweeps import BAD, Sweep, built_twice, differences, finished, outcomes, swept

pytestmark = pytest.mark.slow
JOBS = 12
LAUNCHERS = {"joblib": "hydra_joblib_launcher", "submitit_local": "hydra_submitit_launcher"}


def read_table(sweep: Path) -> list[dict[str, str]]:
    """compare.csv of a sweep."""
    return list(csv.DictReader((sweep / "compare.csv").read_text(encoding="utf-8").splitlines()))


def assert_the_bad_one_is_listed(done: subprocess.CompletedProcess[str], sweep: Path, jobs: int) -> None:
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert f"1 of {jobs} jobs did not finish:" in done.stdout
    assert (sweep / "compare.html").is_file()
    rows = read_table(sweep)
    assert [row["status"] for row in rows] == ["ok"] * (jobs - 1) + ["failed"]
    assert f"model.max_seq_length={BAD} is beyond the 64 positions" in rows[-1]["error"]
    assert built_twice(sweep) == []


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sweep that nothing disturbed: a dozen jobs, one after the other, one of them bad."""
    folder = tmp_path_factory.mktemp("s")
    done = Sweep(folder, "basic", swept("basic", JOBS, bad=True, place=folder)).wait()
    assert_the_bad_one_is_listed(done, folder / "basic", JOBS)
    return folder


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_launcher_gives_the_figures_of_jobs_one_after_the_other(place: Path, launcher: str) -> None:
    pytest.importorskip(f"hydra_plugins.{LAUNCHERS[launcher]}")
    # Each of submitit's jobs is a process that imports everything: fewer of them, with the bad one.
    jobs = JOBS if launcher == "joblib" else 3
    overrides = swept(launcher, jobs, bad=True, place=place)
    done = Sweep(place, launcher, overrides).wait()
    assert_the_bad_one_is_listed(done, place / launcher, jobs)
    whole, found = outcomes(place / "basic"), outcomes(place / launcher)
    for name in list(found)[:-1]:
        assert found[name][1] == whole[name][1]


def test_ray_gives_the_figures_of_jobs_one_after_the_other(place: Path) -> None:
    # Ray listens on every interface, and its launcher wants an older cloudpickle: a benchmark in a network of its own.
    pytest.importorskip("hydra_plugins.hydra_ray_launcher", reason="pip install 'embft[ray]'")
    if subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode:
        pytest.skip("network namespaces are not allowed here")
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "sweep_kills.py"),
        "--launcher",
        "ray",
        "--bad",
        "--kills",
        "1",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "equal: 11 jobs, one summary run each" in done.stdout


def test_a_sweep_that_was_killed_twice_equals_the_unbroken_one(place: Path) -> None:
    overrides = swept("basic", JOBS, bad=True, place=place)
    for ended in (2, 4):
        assert Sweep(place, "broken", overrides).kill(ended, 0.1)
    done = finished(place / "broken")
    assert done >= 6
    last = Sweep(place, "broken", overrides).wait()
    assert_the_bad_one_is_listed(last, place / "broken", JOBS)
    assert last.stdout.count("skipped") == done
    assert differences(place / "basic", place / "broken") == []


def test_optuna_s_best_of_twenty_trials_is_the_best_after_two_kills_as_well(place: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper", reason="pip install 'embft[optuna]'")
    overrides = swept("basic", 20, bad=True, place=place, optuna=True)
    whole = Sweep(place, "trials", overrides).wait()
    assert whole.returncode == 1
    assert "Traceback" not in whole.stderr + whole.stdout
    unbroken = outcomes(place / "trials")
    assert len(unbroken) == 20
    values = {name: outcome[1][2]["value"] for name, outcome in unbroken.items() if isinstance(outcome[1], list)}
    assert 0 < len(values) < 20
    for ended in (3, 6):
        assert Sweep(place, "killed", overrides).kill(ended, 0.1)
    # Trials of the bad value failed, and run again at each start: fewer than nine may have ended well.
    done = finished(place / "killed")
    assert done >= 3
    # With Weights & Biases at last, which is no other setting: finished trials stay as they are.
    last = Sweep(place, "killed", [*overrides, "tracking=wandb", "tracking.mode=offline"]).wait()
    assert last.returncode == 1
    assert last.stdout.count("skipped") == done
    for name, outcome in outcomes(place / "killed").items():
        assert outcome[1] == unbroken[name][1]
    best = max(values.values())
    results = (place / "killed" / "optimization_results.yaml").read_text(encoding="utf-8")
    assert f"best_value: {best}" in results
    rows = {Path(row["folder"]).name: row for row in read_table(place / "killed")}
    at = {name for name, value in values.items() if value == best}
    assert {name for name, row in rows.items() if row["base/ndcg@10/dev"] == str(best)} == at
    chosen = [line for line in last.stdout.splitlines() if "best on dev" in line]
    assert Path(chosen[0].split(": ")[1].split(". Test")[0]).name in at
    summary = told(place / "killed")
    assert summary["sweep/best_objective/objective"] == best
    assert summary["sweep/best_objective/job"] in at
    assert (summary["sweep/jobs"], summary["sweep/failed"]) == (20, 20 - len(values))
