"""What a sweep would do, and what lies in the cache."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from embft.commands import cache, plan
from embft.config import register
from embft.config.composing import as_config, config_tree
from embft.steps.planning import plan_stages

CONFIGS = Path(__file__).parents[2] / "configs"


def planned(*rows: list[str]) -> dict[str, tuple[int, int]]:
    register()
    tree = config_tree(CONFIGS, "config")
    plans = plan_stages([as_config(tree.compose(row).experiment) for row in rows])
    return {one.stage: (one.jobs, one.results) for one in plans}


def test_jobs_share_the_stages_before_the_first_setting_that_differs() -> None:
    stages = planned(*([f"training.epochs={epochs}"] for epochs in (1, 2, 3)))
    assert stages["dataset"] == stages["questions"] == stages["audits"] == (3, 1)
    assert stages["training"] == stages["ranking"] == (3, 3)
    chunks = planned(["corpus.chunk_tokens=64"], ["corpus.chunk_tokens=128"])
    assert chunks["reading"] == chunks["held_back"] == (2, 1)
    assert chunks["corpus"] == chunks["training"] == (2, 2)


def test_several_seeds_are_several_trainings_and_jobs_with_seeds_in_common_share_them() -> None:
    assert planned(["seed=1", "training.seeds=3"], ["seed=2", "training.seeds=3"])["training"] == (2, 4)
    assert planned(["training=none", "evaluation=base_only"], [])["training"] == (1, 1)


def test_a_plan_lists_jobs_and_says_what_no_earlier_result_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert plan.main(["-m", "training.epochs=1,2", "seed=1,2", "tracking=local"]) == 0
    words = capsys.readouterr().out
    assert words.startswith("4 jobs\n  0: training.epochs=1 seed=1\n")
    assert "No earlier result in outputs/cache says how long these take" in words
    assert "Money: no LLM is asked to write questions." in words
    assert plan.main(["-m", "training.epoch=1,2"]) == 2
    assert "training.epochs" in capsys.readouterr().err


@pytest.fixture
def place(tmp_path: Path, finished: Path) -> Path:
    shutil.copytree(finished, tmp_path / "runs" / "one")
    made = json.loads((finished / "made_from.json").read_text(encoding="utf-8"))
    for stage, keys in made["stages"].items():
        for key in keys:  # others may have run with the same cache
            shutil.copytree(
                finished.parent / "cache" / "stages" / stage / key, tmp_path / "cache" / "stages" / stage / key
            )
    return tmp_path


def result_of(place: Path, stage: str) -> Path:
    """The one result of a stage."""
    [folder] = (place / "cache" / "stages" / stage).iterdir()
    return folder


def called(place: Path, *words: str) -> int:
    return cache.main(["--cache", str(place / "cache"), "--runs", str(place / "runs"), *words])


@pytest.mark.slow
def test_the_cache_lists_what_runs_use_and_prunes_the_rest_alone(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(place, "list") == 0
    [training] = [line.split() for line in capsys.readouterr().out.splitlines() if "training" in line]
    assert (training[1], training[-1]) == ("1", "1")
    unused = place / "cache" / "stages" / "ranking" / "0123456789abcdef"
    shutil.copytree(result_of(place, "dataset"), unused)
    os.utime(unused, (0, 0))
    assert called(place, "prune") == 0
    assert "Would be deleted: 1 of" in capsys.readouterr().out
    assert unused.is_dir()
    assert called(place, "prune", "--yes") == 0
    assert not unused.exists()
    assert called(place, "verify") == 0


def test_damage_is_found_and_nothing_is_pruned_where_no_run_is_known(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (result_of(place, "dataset") / "test.json").open("a") as file:
        file.write(" ")
    assert called(place, "verify") == 1
    assert "test.json does not hold what was written" in capsys.readouterr().out
    assert cache.main(["--cache", str(place / "cache"), "--runs", str(place / "cache"), "prune", "--yes"]) == 2
    assert "so all would go" in capsys.readouterr().err
    assert cache.main(["--cache", str(place), "list"]) == 2


def test_why_names_the_settings_that_differ_from_the_closest_earlier_result(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from embft.files import digest, read_json, write_json

    own = result_of(place, "training")
    record = read_json(own / "stage.json")
    record["settings"]["training.epochs"] = 7
    key = digest({name: value for name, value in record.items() if name not in {"seconds", "files"}})
    shutil.copytree(own, own.with_name(key))
    write_json(own.with_name(key) / "stage.json", record)
    os.utime(own.with_name(key), (0, 0))
    assert called(place, "why", str(place / "runs" / "one")) == 0
    words = capsys.readouterr().out
    assert f"training {own.name}: differs from {key} in training.epochs=1, was 7" in words
    assert "was the first of its stage" in words
    assert called(place, "why", str(place)) == 2


def test_work_that_was_left_over_is_listed_and_goes_unless_somebody_is_at_it(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = time.time()
    old, new, held = "0123456789abcdef", "write-0123456789abcdef", "training-0123456789abcdef"
    # What is no such work, in a place that was named by mistake, stays.
    others = {"photos": "a.jpg", "0123456789abcdee": "a.jpg", "model": "work.json", "0123456789abcde": "order.json"}
    ages = {old: 9.0, new: 1.0, held: 9.0, **dict.fromkeys(others, 9.0)}
    shards = place / "cache" / "shards"
    for name, days in ages.items():
        file = shards / name / others.get(name, "order.json" if name == held else "work.json")
        (file.parent / "model").mkdir(parents=True)
        file.write_bytes(b"{" * 2000)
        for path in (file, file.parent / "model", file.parent):
            os.utime(path, (now - days * 86_400,) * 2)
    (shards / f"{held}.lock").write_text("some machine")
    assert called(place, "list") == 0
    listed = capsys.readouterr().out
    assert f"{shards / old}: 2.0 kB, work on other machines whose last sign of life was 9.0 days" in listed
    assert not any(f"{shards / name}:" in listed for name in others)
    assert called(place, "prune") == 0
    words = capsys.readouterr().out
    assert f"{shards / old}: 2.0 kB" in words
    assert "Would be deleted: work on other machines in 1 of 1 folders, 2.0 kB." in words
    assert called(place, "prune", "--yes") == 0
    assert {path.name for path in shards.iterdir()} == {held, f"{held}.lock", new, *others}
    assert called(place, "prune", "--older-than", "0", "--yes") == 0
    words = capsys.readouterr().out
    assert f"{held} is left: somebody was at it" in words
    assert "Deleted: work on other machines in 1 of 2 folders, 2.0 kB." in words
    os.utime(shards / f"{held}.lock", (now - 7200,) * 2)
    assert called(place, "prune", "--older-than", "0", "--yes") == 0
    assert {path.name for path in shards.iterdir()} == {*others}
