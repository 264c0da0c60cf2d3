"""A whole run with a judge: the price first, then both readings in every form of the report, and nothing asked twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from judge_server import judging
from judged_world import dataset, truth

ROOT = Path(__file__).parents[2]


def beir_folder(folder: Path) -> Path:
    world = dataset()
    (folder / "qrels").mkdir(parents=True)
    for name, texts in (("corpus", world.corpus), ("queries", world.queries)):
        rows = [json.dumps({"_id": key, "text": text}) for key, text in texts.items()]
        (folder / f"{name}.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    rows = ["query-id\tcorpus-id\tscore"]
    rows += [f"{key}\t{ids[0]}\t1\n{key}\tother0\t0" for key, ids in world.relevant_docs.items()]
    (folder / "qrels" / "test.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def run(tmp_path, name, *overrides):
    command = [
        sys.executable, "run.py", "dataset=beir", f"dataset.path={tmp_path / 'beir'}", "training=none", "evaluation=base_only",
        "evaluation.systems=[bm25,base]", "evaluation.objective=base/ndcg@10", "evaluation.resamples=200", "tracking=local",
        f"cache_dir={tmp_path / 'cache'}", f"hydra.run.dir={tmp_path / name}", *overrides,
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.slow
def test_a_run_with_a_judge_says_the_price_then_both_readings(tmp_path):
    beir_folder(tmp_path / "beir")
    with judging(truth) as (url, log):
        judge = [
            "evaluation.judge=llm", f"evaluation.judging.base_url={url}", "evaluation.judging.api_key_env=null",
            "evaluation.judging.model=gpt-4o-mini", "evaluation.judging.first=3", "evaluation.judging.check=20",
        ]  # fmt: skip
        dry = run(tmp_path, "dry", *judge, "evaluation.judging.dry_run=true")
        assert dry.returncode == 0, dry.stdout + dry.stderr
        assert "chunks in the pool have no judgement" in dry.stdout
        assert "$" in dry.stdout
        assert not log
        done = run(tmp_path, "run", *judge)
        assert done.returncode == 0, done.stdout + done.stderr
        asked = len(log)
        assert asked == len(set(log))
        again = run(tmp_path, "again", *judge)
        assert again.returncode == 0
        assert len(log) == asked
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    report = metrics["judging"]
    assert report["judge"] == "gpt-4o-mini"
    assert report["graded"] == report["unjudged"]
    assert report["usd"] > 0
    assert report["agreement"]["kappa"] == pytest.approx(1.0)
    for system in ("bm25", "base"):
        assert 0 < metrics["systems"][system]["judged@3"] < 1
        assert report["systems"][system]["judged_with_pool"] == 1.0
        assert report["with_pool"]["systems"][system]["means"]["ndcg@10"] != metrics["systems"][system]["ndcg@10"]
    assert metrics["verdict"]["with_pool"] in {"bm25", "base", "cannot_tell"}
    for name in ("report.html", "report.md"):
        text = (tmp_path / "run" / name).read_text(encoding="utf-8")
        assert "Chunks that nobody judged" in text
        assert "with the pool" in text
        assert "Cohen" in text


@pytest.mark.slow
def test_people_s_judgements_are_a_judge_too_and_a_wrong_name_is_refused(tmp_path):
    beir_folder(tmp_path / "beir")
    rows = [
        {"question": f"what is number {n}?", "chunk_id": f"hidden{n}", "grade": 3, "judge": "ann", "action": n}
        for n in range(40)
    ]
    file = tmp_path / "labels.log.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    wrong = run(tmp_path, "wrong", "evaluation.judge=lmm")
    assert wrong.returncode == 2
    assert "neither none nor llm, nor a file of judgements. Did you mean 'llm'?" in wrong.stdout + wrong.stderr
    done = run(tmp_path, "run", f"evaluation.judge={file}")
    assert done.returncode == 0, done.stdout + done.stderr
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["judging"]["kind"] == "people"
    assert metrics["judging"]["notes"][0].startswith("labels.log.jsonl: 40 judgements by ann")
