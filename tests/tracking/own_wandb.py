"""wandb without the developer's own, and what an offline run of it holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embft.config import TrackingConfig
from embft.tracking import wandb_run

SENTINEL = "5e47131e5e47131e5e47131e5e47131e5e47131e"


@pytest.fixture(autouse=True)
def own_wandb(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """wandb without the developer's key, settings, server or home, set up afresh for each test."""
    import wandb

    wandb.teardown()
    wandb_run._outages.clear()
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("NETRC", str(home / "netrc"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(home / "config"))
    monkeypatch.setenv("WANDB_DATA_DIR", str(home / "data"))
    monkeypatch.setenv("WANDB_CACHE_DIR", str(home / "cache"))
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setenv("WANDB_INIT_TIMEOUT", "1")
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    yield
    wandb.teardown()


def wandb_config(mode: str = "offline", **options: Any) -> TrackingConfig:
    return TrackingConfig(name="wandb", backend="wandb", mode=mode, **options)


def offline_runs(folder: Path) -> list[Path]:
    return sorted((folder / "wandb").glob("offline-run-*"))


def inspect(folder: Path) -> dict[str, Any]:
    """The one offline run below the folder, as wandb's own command reads it back."""
    [run] = offline_runs(folder)
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--summary", "--json", str(run)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def records(folder: Path, kind: str) -> list[dict[str, Any]]:
    [run] = offline_runs(folder)
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(run)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [json.loads(line) for line in printed.splitlines()]
    return [row[kind] for row in rows if row["type"] == kind]
