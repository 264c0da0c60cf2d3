"""Hydra's launchers and sweepers with embft's defaults."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from embft.config import register
from embft.config.command_line import command_line_problems
from embft.config.composing import CONFIG_DIR

PACKAGES = {
    "launcher/joblib": ("hydra_joblib_launcher", "joblib"),
    "launcher/ray": ("hydra_ray_launcher", "ray"),
    "launcher/submitit": ("hydra_submitit_launcher", "slurm"),
    "launcher/submitit_local": ("hydra_submitit_launcher", "slurm"),
    "sweeper/optuna": ("hydra_optuna_sweeper", "optuna"),
}
SAMPLERS = ("random", "tpe")


def is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(f"hydra_plugins.{package}") is not None
    except ModuleNotFoundError:
        return False


def test_each_file_has_its_package_here() -> None:
    files = sorted(Path(CONFIG_DIR, "hydra").rglob("*.yaml"))
    assert sorted(f"{path.parent.name}/{path.stem}" for path in files) == sorted(
        [*PACKAGES, *(f"sampler/{name}" for name in SAMPLERS)]
    )


@pytest.mark.parametrize("name", PACKAGES)
def test_a_launcher_or_sweeper_composes_or_says_which_extra_it_comes_with(name: str) -> None:
    register()
    package, extra = PACKAGES[name]
    choice = f"hydra/{name.replace('/', '=')}"
    problems = command_line_problems([choice, "seed=1,2"], CONFIG_DIR)
    if not is_installed(package):
        assert problems == [f"{choice} is not installed. It comes with pip install 'embft[{extra}]'."]
        return
    assert problems == []
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"), warnings.catch_warnings():
        warnings.simplefilter("error")
        composed = compose("config", overrides=[choice, "hydra.sweep.dir=there"], return_hydra_config=True)
    assert package in composed.hydra[name.partition("/")[0]]._target_


def test_optuna_maximises_and_outlives_failures() -> None:
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper", reason="pip install 'embft[optuna]'")
    register()
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        composed = compose("config", overrides=["hydra/sweeper=optuna"], return_hydra_config=True)
    sweeper = composed.hydra.sweeper
    assert (str(sweeper.direction), sweeper.max_failure_rate, sweeper.n_jobs) == ("maximize", 1.0, 1)
