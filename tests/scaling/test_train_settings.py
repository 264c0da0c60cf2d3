from __future__ import annotations

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from plain_config import plain_config

from embft.config import ScaleConfig, TrainingConfig, register
from embft.config.command_line import as_config
from embft.config.problems import problems
from embft.errors import ScaleError


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["scale.train=true"], "scale.train=true has other machines train, and scale=local has none"),
        (["scale=slurm", "scale.train=true", "training.device=cuda"], "scale.gpus=0 asks for none"),
        (["scale=slurm", "scale.train=true", "scale.train_processes=64"], "cannot be dealt out to 64 processes"),
        (["scale=slurm", "scale.train=true", "scale.executor=local", "scale.train_nodes=2"], "has this machine alone"),
    ],
)
def test_settings_that_cannot_work_are_refused(overrides, message):
    register()
    with initialize_config_dir(str(Path(__file__).parents[2] / "configs"), version_base="1.3"):
        config = as_config(compose("config", overrides=overrides))
    assert any(message in problem for problem in problems(config))


def test_a_run_under_torchrun_does_not_train_elsewhere_too(tmp_path, monkeypatch):
    from embft.training.elsewhere import open_elsewhere

    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    config = plain_config(scale=ScaleConfig(name="slurm", kind="slurm", train=True), training=TrainingConfig(name="x"))
    with pytest.raises(ScaleError, match=r"start run.py without torchrun"):
        open_elsewhere(config, tmp_path)
