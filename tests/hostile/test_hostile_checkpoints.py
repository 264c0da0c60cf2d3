"""Damaged checkpoints: what comes out is that of a clean cache, with a warning that names the file."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cache_damage import Case, Damage, become_file, cut, each, overwrite, put, within

CHECKPOINT: list[tuple[str, Damage]] = [
    ("half of its weights", within("trained.safetensors", cut(0.5))),
    ("weights of zeros", within("trained.safetensors", overwrite(0.5, bytes(64)))),
    ("half of its optimizer", within("optimizer.pt", cut(0.5))),
    ("no optimizer", within("optimizer.pt", Path.unlink)),
    ("a schedule of noise", within("scheduler.pt", put(b"noise"))),
    ("no random numbers", within("rng_state.pth", Path.unlink)),
    ("half of its state", within("trainer_state.json", cut(0.5))),
    ("a state of a list", within("trainer_state.json", put(b"[]"))),
    ("digests of noise", within("digests.json", put(b"{"))),
    ("a file in its place", become_file),
]
CASES = [Case("checkpoints", *row) for row in CHECKPOINT]


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A training that was stopped after its second epoch, and the weights it would have ended with."""
    from tiny import train

    root = tmp_path_factory.mktemp("training")
    train(root, epochs=3)
    [weights] = (root / "cache" / "stages" / "training").glob("*/model/model.safetensors")
    expected = weights.read_bytes()
    shutil.rmtree(root / "cache" / "stages" / "training")

    def stop(values: Any, step: int | None) -> None:
        if step is not None and step > 20:
            raise RuntimeError("stopped")

    with suppress(RuntimeError):
        train(root, epochs=3, log=stop)
    assert len(list(root.glob("cache/scratch/training/*/checkpoints/checkpoint-*"))) == 2
    return root, expected


@pytest.mark.slow
@each(CASES)
def test_a_damaged_checkpoint_gives_way_to_an_older_one(
    case: Case, interrupted: tuple[Path, bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from embft.training.checkpoints import last_checkpoint

    [checkpoints] = interrupted[0].glob("cache/scratch/training/*/checkpoints")
    mine = tmp_path / "checkpoints"
    shutil.copytree(checkpoints, mine)
    older, newer = sorted(mine.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    state = json.loads((older / "trainer_state.json").read_text())
    assert last_checkpoint(mine) == newer
    assert caplog.text == ""
    case.damage(newer)
    assert last_checkpoint(mine) == older
    assert str(newer) in caplog.text
    assert state["global_step"] > 0
    case.damage(older)
    assert last_checkpoint(mine) is None
    assert "starts anew" in caplog.text


def test_a_training_whose_best_or_last_checkpoint_is_damaged_ends_with_the_same_weights(
    interrupted: tuple[Path, bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from tiny import train

    for which in (0, 1):
        root = tmp_path / str(which)
        shutil.copytree(interrupted[0], root)
        places = list(root.glob("cache/scratch/training/*/checkpoints/checkpoint-*"))
        places.sort(key=lambda path: int(path.name.rpartition("-")[2]))
        os.truncate(places[which] / "trained.safetensors", 99)
        train(root, epochs=3)
        [weights] = (root / "cache" / "stages" / "training").glob("*/model/model.safetensors")
        assert weights.read_bytes() == interrupted[1]
        assert places[which].name in caplog.text
        caplog.clear()
