"""Runs one experiment, or with -m a sweep of them. `python run.py --help` shows what can be set."""

from __future__ import annotations

import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig

from embft.config import register
from embft.pipeline import run_experiment
from embft.runs.command import run_command
from embft.runs.job import run_job
from embft.training.processes import run_distributed

CONFIG_DIR = Path(__file__).parent / "configs"

register()


@hydra.main(version_base="1.3", config_path="configs", config_name="config")
def job(composed: DictConfig) -> float:
    """One experiment; returns its objective to the sweeper."""
    return run_job(composed, run_experiment)


def main() -> int:
    """Runs what the command line asks for. Returns the exit status."""
    return run_command(job, CONFIG_DIR)


if __name__ == "__main__":
    sys.exit(run_distributed(main))
