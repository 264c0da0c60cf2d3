"""A training on two processes that is killed, all of it or one process, ends with the weights of one that was not."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pairs import Pair
from safetensors.numpy import load, save_file
from victims import Victim, killed, left_over, outcome, place

from embft.training.checkpoints import last_checkpoint

pytestmark = pytest.mark.slow

# With dropout the states of the random numbers decide about the weights, and each process has its own.
SETTINGS: dict[str, Any] = {"epochs": 2, "checkpoint_steps": 2, "dropout": 0.1}
ALL = ("agent", "0", "1")


PLAN = (
    (ALL, 1, "step", 4),
    (("0",), 1, "checkpoint", 1),
    (ALL, 1, "checkpoint", 2),
    (("1",), 0, "dev", 1),
    (("1",), 1, "step", 3),
    (("0",), 0, "final", 1),
)
"""Who is killed, and when: in which process's phase, after how many of them."""


def test_kills_of_both_processes_or_of_one_leave_no_trace_in_what_comes_out(models, tmp_path):
    unbroken, root = (place(models, tmp_path / name) for name in ("unbroken", "root"))
    spent = Pair(unbroken, SETTINGS).finish()
    dice = random.Random(3)
    for whom, rank, phase, entered in PLAN:
        order = tuple(dice.sample(whom, k=len(whom)))

        def blow(seconds: float, order=order, rank=rank, phase=phase, entered=entered) -> str | None:
            return Pair(root, SETTINGS).kill(order, rank, phase, entered, seconds)

        killed(root, blow, 0.9 * dice.random() * spent[rank, phase])
    Pair(root, SETTINGS).finish()
    assert outcome(root) == outcome(unbroken)
    assert not left_over(root)


def test_one_process_goes_on_from_what_two_have_left(models, tmp_path):
    settings = {**SETTINGS, "dropout": 0.0}
    alone, root = (place(models, tmp_path / name) for name in ("alone", "root"))
    Victim(alone, settings).finish()
    killed(root, lambda seconds: Pair(root, settings).kill(ALL, 0, "step", 14, seconds), 0.0)
    assert list(root.glob("cache/scratch/*/*/checkpoints/checkpoint-12"))
    Victim(root, settings).finish()
    (weights, report), (expected, _) = outcome(root), outcome(alone)
    assert report["processes"] == 1
    assert not left_over(root)
    found, wanted = load(weights), load(expected)
    assert all(np.allclose(found[name], wanted[name], atol=1e-4, rtol=0) for name in wanted)


FILES = ("trainer_state.json", "optimizer.pt", "scheduler.pt", "rng_state_0.pth", "rng_state_1.pth")


def write_checkpoint(folder: Path) -> Path:
    """All that a checkpoint of two processes has."""
    folder.mkdir(parents=True)
    save_file({"weight": np.zeros(1)}, folder / "trained.safetensors", metadata={"processes": "2"})
    for name in FILES:
        torch.save({}, folder / name)
    (folder / "trainer_state.json").write_text('{"global_step": 4}')
    return folder


@pytest.mark.parametrize("missing", ["trained.safetensors", *FILES])
def test_a_checkpoint_that_lacks_anything_of_any_process_is_none_and_is_cleared_away(tmp_path, missing):
    first, second = (write_checkpoint(tmp_path / f"checkpoint-{step}") for step in (8, 12))
    assert last_checkpoint(tmp_path) == second
    (second / missing).unlink()
    assert last_checkpoint(tmp_path) == first
    assert not second.exists()
