"""A whole run with questions by an LLM, from the command line: its files, its budget, and where its key is not."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import pytest
from forks import typed
from loopback import Answer, serving

KEY = "sk-sentinel-0417-must-never-be-written"
TOPICS = ("assert", "break", "del", "exceptions", "for", "global", "lambda", "pass", "raise", "while")

pytestmark = pytest.mark.slow


def answer(passage: str, body: dict[str, Any]) -> Answer:
    words = body["messages"][0]["content"].split("<passage>")[-1].split()
    name = " ".join(words[5:9])
    return Answer(json.dumps([f"how does {name} work", f"According to the document, what is {name}?"]))


def run(url: str, model: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = (
        "corpus=files", "corpus.path=docs", "corpus.chunk_tokens=96", "questions=openai", f"questions.base_url={url}",
        f"model.path={model}", "questions.test.backend=openai", "questions.test.prompt=search", "corpus.passage_tokens=96",
        "training=none", "evaluation=base_only", "evaluation.resamples=200", *arguments,
    )  # fmt: skip
    secrets = {"OPENAI_API_KEY": KEY, "WANDB_API_KEY": KEY.rjust(40, "0"), "WANDB_MODE": "offline"}
    return typed(*command, cwd=cwd, environment={**os.environ, **secrets})


@pytest.mark.slow
def test_a_run_keeps_its_rejected_questions_reports_realism_and_hides_its_key(tmp_path: Path, tiny_model: Path) -> None:
    (tmp_path / "docs").mkdir()
    for name in TOPICS:
        (tmp_path / "docs" / f"{name}.txt").write_text(topics[name][:2500], encoding="utf-8")
    with serving(answer) as (url, log):
        dry = run(url, tiny_model, tmp_path, "questions.dry_run=true", "hydra.run.dir=dry")
        assert dry.returncode == 0, dry.stderr[-2000:]
        assert "requests to gpt-4o-mini" in dry.stdout
        assert (len(log), json.loads((tmp_path / "dry" / "status.json").read_text())["status"]) == (0, "dry run")
        capped = run(url, tiny_model, tmp_path, "questions.max_cost_usd=0.0005", "hydra.run.dir=capped")
        assert capped.returncode == 1
        assert "budget of questions is spent" in capped.stderr + capped.stdout
        assert "Traceback" not in capped.stderr
        paid = len(log)
        done = run(url, tiny_model, tmp_path, "hydra.run.dir=done")
        assert done.returncode == 0, done.stderr[-2000:]
        keys = [entry.key for entry in log]
    assert len(keys) == len(set(keys)) > paid > 0  # nothing was paid for twice over the three runs
    (rejected,) = (tmp_path / "outputs" / "cache" / "stages" / "held_back").glob("*/rejected.jsonl")
    rows = [json.loads(line) for line in rejected.read_text(encoding="utf-8").splitlines()]
    assert {"passage_dependent"} <= {row["reason"] for row in rows}
    data = json.loads((tmp_path / "done" / "metrics.json").read_text(encoding="utf-8"))["dataset"]
    assert data["held_back"]["rejected"]["passage_dependent"] > 5
    assert all(row["origin"] == "openai" and row["passage_dependent"] == 0 for row in data["realism"])
    assert "How real the questions are" in (tmp_path / "done" / "report.html").read_text(encoding="utf-8")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".wandb" for path in written)
    assert not [path for path in written if KEY.encode() in path.read_bytes()]
    assert KEY not in "".join(one.stdout + one.stderr for one in (dry, capped, done))
