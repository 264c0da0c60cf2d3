"""What goes wrong in a training ends it with a word on what to change; what only looks wrong does not."""

from __future__ import annotations

import errno
import math
import random
import shutil
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tiny import make_base, make_splits, train

from embft.errors import TrainingError
from embft.reporting.markdown import training_sentence
from embft.training.guards import check_course, check_disk, check_number, used_up
from embft.training.loss import ByChunkLoss
from embft.training.trainee import Trainee


@pytest.fixture
def root(tmp_path) -> Path:
    make_base(tmp_path)
    return tmp_path


def weights(found) -> bytes:
    return (found.folder / "model" / "model.safetensors").read_bytes()


def failing_at(step: int, error: BaseException, monkeypatch) -> None:
    """Lets the loss of one step raise an error."""
    calls: list[int] = []
    forward = ByChunkLoss.forward

    def fails(self, features, labels):
        calls.append(1)
        if len(calls) == step:
            raise error
        return forward(self, features, labels)

    monkeypatch.setattr(ByChunkLoss, "forward", fails)


def test_a_loss_that_is_not_a_number_stops_the_training_and_nothing_comes_out(root):
    with pytest.raises(TrainingError, match=r"became nan at step \d.*lower training.learning_rate"):
        train(root, learning_rate=1e38)
    assert not list((root / "cache" / "stages").rglob("*.safetensors"))


def test_a_gradient_that_is_not_a_number_is_a_lost_training_except_where_a_scaler_leaves_out_the_step():
    with pytest.raises(TrainingError, match="gradient's length became inf at step 3"):
        check_number({"loss": 1.0, "grad_norm": math.inf}, 3, "bf16")
    check_number({"loss": 1.0, "grad_norm": math.inf}, 3, "fp16")
    check_number({"loss": 1.0}, 3, "fp32")


@pytest.mark.parametrize("learning_rate", [0.3, 1.0, 3.0])
def test_a_training_that_falls_apart_is_stopped(root, learning_rate):
    with pytest.raises(TrainingError, match=r"The loss diverges.*guessing gives 1.39.*Lower training.learning_rate"):
        train(root, learning_rate=learning_rate, epochs=6, warmup_ratio=0.4)


@pytest.mark.parametrize("level", [0.02, 0.5, 1.5, 2.7, 4.0])
def test_a_loss_that_only_swings_is_not_stopped(level):
    """Around any level, below guessing (2.77) or above, some steps three times as high as others."""
    for seed in range(200):
        dice = random.Random(seed)
        losses = [level * dice.lognormvariate(0, 0.4) * (1 - 0.3 * at / 60) for at in range(60)]
        for length in range(len(losses)):
            check_course(losses[:length], math.log(16))


@pytest.mark.slow
def test_patience_ends_the_training_and_a_kill_after_its_end_changes_nothing(root, tmp_path_factory, monkeypatch):
    settings = {"epochs": 40, "patience": 2, "learning_rate": 1e-2, "splits": make_splits(train=16)}
    other = tmp_path_factory.mktemp("other")
    shutil.copytree(root / "base", other / "base")
    found = train(other, **settings)
    report = found.value.report
    assert report.last_epoch < 40
    assert report.best_epoch == report.last_epoch - 2
    assert len(report.history) == report.last_epoch + 1
    assert f"It stopped after epoch {report.last_epoch}: on dev none was better" in training_sentence(report)

    def killed(self, output, prompts):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Trainee, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            train(root, **settings)
    failing_at(1, AssertionError("it went on training"), monkeypatch)
    again = train(root, **settings)
    assert again.value.report.history == report.history
    assert weights(again) == weights(found)


def test_patience_counts_epochs_without_a_better_one():
    def log(*values):
        return [{"loss": 1.0}, *({"x": value} for value in values)]

    assert not used_up(log(1, 2, 2), "x", 2)
    assert used_up(log(1, 2, 2, 1), "x", 2)
    assert not used_up(log(1, 2, 1, 3), "x", 2)
    assert not used_up(log(3, 2, 1, 0), "x", 0)


def test_fewer_chunks_than_a_step_takes_are_trained_on_and_one_is_refused(root, caplog):
    found = train(root, splits=make_splits(train=3), batch_size=16, epochs=1)
    assert found.value.report.steps == 1
    base = (root / "base" / "model.safetensors").read_bytes()
    assert weights(found) != base
    assert "training.batch_size=16 is more than the 3 chunks" in caplog.text
    with pytest.raises(TrainingError, match="at least 2 chunks, there are 1"):
        train(root, splits=make_splits(train=1), seed=2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 999 bytes."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 999 bytes."),
    ],
)
def test_want_of_memory_names_the_settings_to_change_and_the_next_start_goes_on(root, monkeypatch, error):
    with monkeypatch.context() as patch:
        failing_at(6, error, patch)
        with pytest.raises(TrainingError) as told:
            train(root, checkpoint_steps=2)
    for words in ("training.mini_batch=16", "gradient_checkpointing=true", "training.batch_size=2", "max_seq_length"):
        assert words in str(told.value)
    assert train(root, checkpoint_steps=2).value.report.resumed


def test_other_errors_stay_as_they_are(root, monkeypatch):
    failing_at(2, RuntimeError("shapes do not fit"), monkeypatch)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        train(root)


def test_too_little_room_is_told_before_the_first_step(root, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**6, 10**6 - 1000, 1000))
    failing_at(1, AssertionError("it began"), monkeypatch)
    with pytest.raises(TrainingError, match=r"needs up to 0\.\d MB.*has 0.0 MB free.*cache_dir=DIR"):
        train(root)


def test_a_mean_of_weights_takes_more_room(tmp_path, monkeypatch):
    model = torch.nn.Linear(
        100, 100, bias=False
    )  # 40 kB: three checkpoints and the model are 400 kB, with a mean 520 kB
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=450_000))
    check_disk(model, tmp_path)
    with pytest.raises(TrainingError, match=r"needs up to 0\.5 MB"):
        check_disk(model, tmp_path, averaged=True)


def test_a_disk_that_fills_up_is_told_too(root, monkeypatch):
    failing_at(3, OSError(errno.ENOSPC, "No space left on device"), monkeypatch)
    with pytest.raises(TrainingError, match=r"disk of .* is full.*continues from the last whole checkpoint"):
        train(root)
