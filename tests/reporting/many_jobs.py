"""A sweep of many jobs out of the files of one real run, each with settings, figures and questions' scores of its own."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

RATES, MODELS = ("1e-5", "2e-5", "5e-5", "1e-4"), ("minilm", "bge_small", "bge_base")
COMMAND = "python run.py -m 'model=minilm,bge_small' 'corpus.path=my documents/*.pdf' training.learning_rate=1e-5,2e-5"
GAIN = {"1e-5": -0.03, "2e-5": 0.0, "5e-5": 0.02, "1e-4": -0.01}
"""What each learning rate adds to the figures."""


def make_sweep(source: Path, target: Path, count: int) -> Path:
    """Makes the jobs 0, 1, ... below ``target``, in a grid of models, rates, epochs and seeds with a whitening at random.

    Args:
        source: The folder of a finished run.
    """
    dice = random.Random(7)
    metrics, status = (
        json.loads((source / name).read_text(encoding="utf-8")) for name in ("metrics.json", "status.json")
    )
    rows = [json.loads(line) for line in (source / "per_query.jsonl").read_text(encoding="utf-8").splitlines()]
    report = (source / "report.html").read_text(encoding="utf-8")
    for at in range(count):
        rate, model, whitening = RATES[at % 4], MODELS[at // 4 % 3], f"{dice.random():.3f}"
        gain = GAIN[rate] + 0.02 * MODELS.index(model) + 0.01 * float(whitening) + dice.gauss(0, 0.005)
        folder = target / str(at)
        folder.mkdir(parents=True)
        overrides = [f"model={model}", f"training.learning_rate={rate}", f"training.epochs={1 + at // 12 % 3}"]
        overrides += [f"training.whitening={whitening}", f"seed={at // 36}"]
        own = {**status, "overrides": overrides, "command": COMMAND}
        (folder / "status.json").write_text(json.dumps(own), encoding="utf-8")
        (folder / "metrics.json").write_text(json.dumps(_moved(metrics, gain, dice)), encoding="utf-8")
        text = "".join(json.dumps(_scored(row, gain, dice)) + "\n" for row in rows)
        (folder / "per_query.jsonl").write_text(text, encoding="utf-8")
        (folder / "report.html").write_text(report, encoding="utf-8")
    (target / "multirun.yaml").write_text("hydra: {}\n", encoding="utf-8")
    (target / "sweep.log").write_text(f"2026-01-02 03:04:05  {count} jobs: {COMMAND}\n", encoding="utf-8")
    return target


def _moved(metrics: dict[str, Any], gain: float, dice: random.Random) -> dict[str, Any]:
    made = json.loads(json.dumps(metrics))
    for name, system in made["systems"].items():
        if name == "bm25":
            continue
        for figures, noise in ((system, 0.0), (system["dev"], dice.gauss(0, 0.004))):
            figures |= {
                key: _within(value + gain + noise) for key, value in figures.items() if isinstance(value, float)
            }
        for ends in (system["intervals"], system["dev_intervals"]):
            ends |= {key: [_within(end + gain) for end in pair] for key, pair in ends.items()}
    for timing in made["timings"].values():
        timing["built_seconds"] = dice.uniform(1, 40)
    return made


def _scored(row: dict[str, Any], gain: float, dice: random.Random) -> dict[str, Any]:
    made = json.loads(json.dumps(row))
    for name, scores in made["systems"].items():
        if name != "bm25":
            scores["ndcg@10"] = _within(scores["ndcg@10"] + gain + dice.gauss(0, 0.1))
    return made


def _within(value: float) -> float:
    return min(1.0, max(0.0, value))
