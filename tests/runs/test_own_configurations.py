"""Sweeps with model and experiment files of one's own, found by ``--config-dir`` or ``hydra.searchpath``, in any process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from forks import typed
from sweeps import ENVIRONMENT, outcomes, swept


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s")


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["basic", "joblib"])
@pytest.mark.parametrize("found", ["--config-dir", "hydra.searchpath"])
def test_a_folder_of_one_s_own_configurations_is_searched_in_every_process(
    place: Path, launcher: str, found: str
) -> None:
    if launcher == "joblib":
        pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    own = place / "own"
    for folder in ("model", "experiment"):
        (own / folder).mkdir(parents=True, exist_ok=True)
    (own / "model" / "mine.yaml").write_text(
        f"defaults: [schema]\nname: mine\npath: {place / 'tiny'}\nlanguage: en\n", encoding="utf-8"
    )
    (own / "experiment" / "short.yaml").write_text(
        "# @package _global_\nmodel: {max_seq_length: 12}\n", encoding="utf-8"
    )
    overrides = [one for one in swept(launcher, 1, bad=False, place=place) if not one.startswith("model.")]
    where = ["--config-dir", "own"] if found == "--config-dir" else [f"hydra.searchpath=[file://{own}]"]
    name = f"{launcher}{found.strip('-')}"
    words = ["-m", *overrides, "model=mine", "experiment=short", "seed=1,2", *where, f"hydra.sweep.dir={place / name}"]
    done = typed(*words, f"cache_dir={place / 'own.cache'}", cwd=place, environment=ENVIRONMENT)
    if launcher == "joblib" and found == "hydra.searchpath":
        assert done.returncode == 2
        assert "hydra.searchpath does not reach the processes of hydra/launcher=joblib" in done.stderr
        assert not (place / name / "0").exists()
        return
    assert done.returncode == 0, done.stdout + done.stderr
    found_there = outcomes(place / name)
    assert len(found_there) == 2
    for folder in ("0", "1"):
        config = (place / name / folder / "config.yaml").read_text(encoding="utf-8")
        assert "name: mine" in config
        assert "max_seq_length: 12" in config
        metrics = json.loads((place / name / folder / "metrics.json").read_text(encoding="utf-8"))
        assert metrics["experiment"]["choices"]["model"] == "mine"
        assert where[-1] in metrics["experiment"]["command"].replace("'", "").replace("--config-dir=own", "own")
