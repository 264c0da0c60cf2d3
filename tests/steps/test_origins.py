"""What a run was made from: every file that it reads from outside is looked at."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from forks import in_fork
from hydra import compose, initialize_config_dir

from embft.config import register
from embft.config.composing import CONFIG_DIR, as_config
from embft.config.untrained import leave_out_tuned
from embft.steps.origins import MISSING, origins_of

# Notes each file that Python opens to read. What is read by Rust or C is digested by Python first.
WATCHED = """
import json, os, runpy, sys
opened = set()
sys.addaudithook(lambda event, given: opened.add(str(given[0])) if event == "open" and given[1] in {"r", "rb"} else None)
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    with open("opened.json", "w") as file:
        json.dump(sorted(os.path.abspath(path) for path in opened), file)
"""
ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_change_of_any_file_that_a_run_reads_is_noticed(tmp_path: Path, tiny_model: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "docs").mkdir(parents=True)
    for number in range(8):
        text = f"# Part {number}\n\n" + " ".join(f"Invoice {number}{k} is paid by department {k}." for k in range(30))
        (outside / "docs" / f"{number}.md").write_text(text, encoding="utf-8")
    rows = [
        {"question": f"who pays invoice {n}7?", "evidence": f"Invoice {n}7 is paid by department 7."} for n in range(8)
    ]
    (outside / "asked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    shutil.copytree(tiny_model, outside / "model")
    overrides = [
        "tracking=local", "training=none", "evaluation=base_only", f"corpus.path={outside / 'docs'}",
        "corpus=files", f"questions.human={outside / 'asked.jsonl'}", f"model.path={outside / 'model'}",
    ]  # fmt: skip
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HOME": str(tmp_path / "home")}
    done = in_fork(
        WATCHED, str(ROOT / "run.py"), *overrides, "hydra.run.dir=run", cwd=tmp_path, environment=environment
    )
    assert done.returncode == 0, done.stderr
    opened = [Path(path) for path in json.loads((tmp_path / "opened.json").read_text(encoding="utf-8"))]
    read = [path for path in opened if path.is_relative_to(outside) and path.is_file()]
    assert len(read) >= 8 + 1 + 4
    register()
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        config = leave_out_tuned(as_config(compose("config", overrides=overrides)))
    noted = json.loads((tmp_path / "run" / "made_from.json").read_text(encoding="utf-8"))
    now = origins_of(config, tmp_path / "cache")
    assert noted["made_from"] == now
    assert {"reading", "dataset", "ranking"} <= noted["stages"].keys()
    assert MISSING not in now.values()
    for path in read:
        content = path.read_bytes()
        path.write_bytes(content + b"\n{}\n")
        assert origins_of(config, tmp_path / "cache") != now, path
        path.write_bytes(content)
