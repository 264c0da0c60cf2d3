"""A training that is killed, at whatever moment, ends with the weights of one that was not."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tiny import make_base
from victims import CONTEXT, PHASES, Victim

KILLS = 20
SETTINGS: dict[str, Any] = {"epochs": 3, "checkpoint_steps": 2}


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """A folder with the base model alone: made in another process, so that this one needs no torch."""
    folder = tmp_path_factory.mktemp("models")
    process = CONTEXT.Process(target=make_base, args=(folder,))
    process.start()
    process.join()
    assert process.exitcode == 0
    return folder


def place(models: Path, folder: Path) -> Path:
    """A folder with the base model and an empty cache."""
    shutil.copytree(models / "base", folder / "base")
    return folder


def outcome(root: Path) -> tuple[bytes, dict[str, Any]]:
    """Weights and report of the only training; what tells of time and interruptions is left out."""
    [weights] = (root / "cache" / "stages" / "training").glob("*/model/model.safetensors")
    report = json.loads((weights.parents[1] / "training.json").read_text(encoding="utf-8"))
    for name in ("seconds", "resumed"):
        del report[name]
    return weights.read_bytes(), report


def finished(root: Path) -> bool:
    """Whether the stage's result is in its place."""
    return any((root / "cache" / "stages" / "training").glob("[!.]*/stage.json"))


def left_over(root: Path) -> list[Path]:
    """What a stage should not leave: scratch, and half results."""
    stages = root / "cache" / "stages" / "training"
    return [*(root / "cache" / "scratch").glob("*/*"), *(path for path in stages.glob(".*") if path.is_dir())]


def kill(root: Path, settings: dict[str, Any], phase: str, entered: int, wait: float) -> str:
    """Kills a training before its end, and again from the same state where it was too quick for that."""
    before = root.with_name("before")
    shutil.rmtree(before, ignore_errors=True)
    shutil.copytree(root, before)
    for _ in range(8):
        died_in = Victim(root, settings).kill(phase, entered, wait)
        if died_in is not None and not finished(root):
            return died_in
        shutil.rmtree(root)
        shutil.copytree(before, root)
        wait /= 2
    raise AssertionError(f"no kill in {phase}")


def test_twenty_kills_in_one_training_leave_no_trace_in_what_comes_out(models, tmp_path):
    unbroken = place(models, tmp_path / "unbroken")
    spent = Victim(unbroken, SETTINGS).finish()
    dice = random.Random(20)
    plan = [*dice.sample(PHASES[:3], k=16, counts=(6, 5, 5)), *["final"] * 4]
    root = place(models, tmp_path / "root")
    died = Counter(
        kill(root, SETTINGS, phase, dice.randint(1, 3) if phase == "step" else 1, 0.9 * dice.random() * spent[phase])
        for phase in plan
    )
    assert sum(died.values()) == KILLS
    assert all(died[phase] >= 2 for phase in PHASES), died
    Victim(root, SETTINGS).finish()
    assert outcome(root) == outcome(unbroken)
    assert not left_over(root)


@pytest.mark.parametrize("change", [{"dropout": 0.1}, {"frozen_share": 0.4}, {"part": "lora"}, {"mini_batch": 3}])
def test_so_it_is_with_dropout_remembered_layers_low_rank_updates_and_pieces(models, tmp_path, change):
    if "part" in change:
        pytest.importorskip("peft")
    settings = {**SETTINGS, "epochs": 2, **change}
    unbroken, root = (place(models, tmp_path / name) for name in ("unbroken", "root"))
    Victim(unbroken, settings).finish()
    kill(root, settings, "step", 7, 0.0)
    kill(root, settings, "dev", 1, 0.001)
    Victim(root, settings).finish()
    assert outcome(root) == outcome(unbroken)
