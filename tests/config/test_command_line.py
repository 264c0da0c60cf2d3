"""What is typed before any work: questions about the configuration, mistakes, a command typed again after a failure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from pydoc_data.topics import topics

import pytest
from forks import typed

from embft.config import register
from embft.config.command_line import command_line_problems

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "HF_HUB_OFFLINE": "1"}


@pytest.mark.slow
def test_a_mistake_comes_without_a_traceback_and_its_folder_takes_the_next_try(tmp_path):
    command = ["corpus.path=docs", "tracking=local", "hydra.run.dir=outputs/mine"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *command],
        cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "docs" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    status = tmp_path / "outputs" / "mine" / "status.json"
    assert json.loads(status.read_text())["status"] == "failed"

    (tmp_path / "docs").mkdir()
    for name in ("assert", "break", "del", "for", "global", "if", "import", "lambda", "raise", "try", "while", "with"):
        (tmp_path / "docs" / f"{name}.txt").write_text(topics[name][:1500], encoding="utf-8")
    quick = [
        "training.enabled=false", "evaluation.systems=[bm25,base]", "evaluation.objective=base/ndcg@10",
        "evaluation.resamples=100",
    ]  # fmt: skip
    again = typed(*command, *quick, cwd=tmp_path, environment=ENVIRONMENT)
    assert again.returncode == 0, again.stdout[-2000:]
    assert json.loads(status.read_text())["status"] == "ok"


@pytest.mark.parametrize("arguments", [["--help"], ["--cfg", "job"], ["--info", "defaults"]])
def test_questions_about_the_configuration_load_no_heavy_library(arguments):
    code = (
        "import runpy, sys; sys.argv = ['run.py', *sys.argv[1:]]\n"
        f"try: runpy.run_path({str(ROOT / 'run.py')!r}, run_name='__main__')\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'wandb', 'openai'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip()


def test_a_key_of_an_earlier_version_is_told_its_new_name():
    register()
    (problem,) = command_line_problems(["dataset.allow_leaks=true"], ROOT / "configs")
    assert "dataset.leaks" in problem
