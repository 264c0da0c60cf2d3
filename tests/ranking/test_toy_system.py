"""A system of one's own: one file and one entry, and everything else knows it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from pydoc_data.topics import topics

import pytest
from forks import typed

TOPICS = ("assert", "break", "continue", "del", "for", "global", "if", "import", "nonlocal", "pass", "raise", "while")
ROOT = Path(__file__).parents[2]
RANKER = '''
"""The system ``toy``: the longer a chunk, the better."""

import numpy as np

from embft.evaluation.costs import SystemCosts
from embft.retrieval.scoring import TableScorer


class ToyRanker:
    def scorers(self, bench, split):
        dataset = bench.searched[split]
        lengths = np.array([len(text) for text in dataset.corpus.values()], np.float32)
        return {"toy": TableScorer(np.tile(lengths, (len(dataset.queries), 1)))}

    def floor(self, bench):
        return None

    def describe(self, facts):
        return "the longest chunk first"

    def costs(self, measured, rates):
        return SystemCosts(0, None, 0, None, 0.0, 12345, 0.1, 0.0)
'''
ENTRY = 'System("toy", "the toy", "embft.ranking.toy:ToyRanker", 9),'


@pytest.mark.slow
def test_a_system_is_one_file_and_one_entry(tmp_path):
    for name in ("embft", "configs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "run.py", tmp_path)
    (tmp_path / "embft" / "ranking" / "toy.py").write_text(RANKER, encoding="utf-8")
    systems = tmp_path / "embft" / "systems.py"
    text = systems.read_text(encoding="utf-8")
    mark = "SYSTEMS: tuple[System, ...] = (\n"
    assert mark in text
    systems.write_text(text.replace(mark, f"{mark}    {ENTRY}\n"), encoding="utf-8")
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in TOPICS:
        (docs / f"{name}.txt").write_text(topics[name][:2500], encoding="utf-8")
    rows = [
        {"question": "make a loop stop early", "evidence": "It terminates the nearest enclosing loop"},
        {"question": "change an outer variable inside a function", "evidence": "nearest enclosing scope"},
        {"question": "placeholder that does nothing", "evidence": "when it is executed, nothing happens"},
    ]
    (tmp_path / "human.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = typed(
        "corpus=files", "corpus.path=docs", "questions.human=human.jsonl", "tracking=local", "training=none",
        "evaluation=base_only", "evaluation.systems=[bm25,toy]", "evaluation.objective=toy/ndcg@10",
        "evaluation.resamples=200", "hydra.run.dir=run", "cache_dir=cache",
        cwd=tmp_path, environment={**os.environ, "HF_HUB_OFFLINE": "1"}, checkout=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    run = tmp_path / "run"
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["systems"]["toy"]["description"] == "the longest chunk first"
    assert {(row["system"], row["baseline"]) for row in metrics["comparisons"]} == {("toy", "bm25")}
    assert metrics["verdict"]["costs"]["toy"]["index_bytes"] == 12345
    assert "the longest chunk first" in (run / "report.html").read_text(encoding="utf-8")
    assert "toy" in (run / "report.md").read_text(encoding="utf-8")
    tracked = (run / "tracking.jsonl").read_text(encoding="utf-8")
    assert '"eval/toy/ndcg@10"' in tracked
    assert '"comparison/toy_vs_bm25/ndcg@10/delta"' in tracked
    assert "toy" in done.stdout
