"""Every system on judged collections: BM25, vectors, tokens, their fusions, and the fusion reordered.

    python benchmarks/bench_rerankers.py --data DIR --clones DIR [--only NAME ...] [--work DIR]

Nothing is tuned: all-MiniLM-L6-v2 as it comes; for CMRC 2018, in Chinese, multilingual-e5-small (`make e5`). Weights are
chosen on dev. CISI and CACM have no dev questions, so every other question is one. DIR of --data holds the folders cisi, cacm and
nvidia-sec-10k; DIR of --clones clones of COVID-QA and CMRC 2018, which are made there where they are missing. A run that is there
is not run again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench_covid_qa import prepare
from bench_people import Places, cmrc_2018
from report import machine, write_result

ROOT = Path(__file__).resolve().parents[1]
METRICS = ("hit_rate@5", "ndcg@10")
VARIANTS = {
    "default": ["evaluation.systems=[bm25,base,fused,reranked]"],
    "alone": ["evaluation.systems=[base,fused,reranked]", "evaluation.reranker.weight=1"],
    "three": ["evaluation.systems=[base,fused]", "retrieval.fuse=[bm25,dense,late]"],
    "late": ["evaluation.systems=[base]", "retrieval=late"],
}
ROWS = (
    ("default", "bm25", "BM25"),
    ("default", "base", "base"),
    ("late", "base", "base, one vector per token"),
    ("default", "fused", "fused: BM25, base"),
    ("three", "fused", "fused: BM25, base, tokens"),
    ("alone", "reranked", "first 100 of fused by tokens alone"),
    ("default", "reranked", "first 100 of fused by tokens, mixed"),
)


def main() -> int:
    """Runs every collection, writes results/rerankers.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of cisi, cacm and nvidia-sec-10k")
    parser.add_argument("--clones", type=Path, help="folder of clones")
    parser.add_argument("--work", type=Path, default=Path("outputs/benchmarks/rerankers"))
    parser.add_argument("--only", nargs="*", default=["python", "10-K", "CISI", "CACM", "COVID-QA", "CMRC"])
    parser.add_argument(
        "--parallel", type=int, default=1, help="collections at a time; 1 where milliseconds are to be compared"
    )
    options = parser.parse_args()
    work = options.work.absolute()
    lines = [
        "# Rerankers, and a fusion of three",
        "",
        "all-MiniLM-L6-v2 as it comes; weights chosen on dev; intervals of 95%. Tokens: one vector per token, MaxSim. "
        f"{machine()}.",
        "",
        "| questions | system | hit rate@5 | nDCG@10 | ms a question | its weights |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]

    def collected(name: str) -> list[str]:
        overrides = collection(name, options.data.absolute(), options.clones, work)
        runs = {variant: run_of(name, variant, overrides, work) for variant in VARIANTS}
        return rows_of(name, {variant: run for variant, run in runs.items() if run is not None})

    with ThreadPoolExecutor(options.parallel) as pool:
        lines += [line for rows in pool.map(collected, options.only) for line in rows]
    write_result("rerankers", "\n".join(lines))
    return 0


def collection(name: str, data: Path, clones: Path | None, work: Path) -> list[str]:
    """The overrides that read a collection."""
    if name == "python":
        return ["corpus=python_reference"]
    if name == "10-K":
        folder = data / "nvidia-sec-10k"
        return [
            "dataset=llama_index",
            f"dataset.train={folder / 'train_dataset.json'}",
            f"dataset.test={folder / 'val_dataset.json'}",
        ]
    if name == "CMRC":
        if clones is None:
            raise SystemExit("CMRC needs --clones DIR.")
        return cmrc_2018(Places(data, clones.absolute(), work))
    if name == "COVID-QA":
        if not (work / "covid" / "questions.jsonl").is_file():
            if clones is None:
                raise SystemExit("COVID-QA needs --clones DIR.")
            prepare(clones.absolute(), work / "covid")
        articles, questions = work / "covid" / "articles", work / "covid" / "questions.jsonl"
        return ["corpus=files", f"corpus.path={articles}", f"questions.human={questions}"]
    return ["dataset=beir", f"dataset.path={halved(data / name.lower(), work / name.lower())}"]


def halved(source: Path, folder: Path) -> Path:
    """A BEIR folder with every other judged question in dev."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    for file in ("corpus.jsonl", "queries.jsonl"):
        (folder / file).write_bytes((source / file).read_bytes())
    head, *rows = (source / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()
    order = {key: place for place, key in enumerate(dict.fromkeys(row.split("\t")[0] for row in rows))}
    for split, rest in (("dev", 1), ("test", 0)):
        kept = [row for row in rows if order[row.split("\t")[0]] % 2 == rest]
        (folder / "qrels" / f"{split}.tsv").write_text("\n".join([head, *kept]) + "\n", encoding="utf-8")
    return folder


def run_of(name: str, variant: str, overrides: Sequence[str], work: Path) -> dict[str, Any] | None:
    """metrics.json of one run; None where it failed."""
    folder = work / f"{name}-{variant}"
    if not (folder / "metrics.json").is_file():
        command = [
            "run.py", *overrides, "training=none", "evaluation=base_only", "evaluation.objective=base/ndcg@10",
            "retrieval.precision=auto", "tracking=local", f"cache_dir={work / 'cache'}", f"hydra.run.dir={folder}",
            *VARIANTS[variant],
        ]  # fmt: skip
        done = subprocess.run([sys.executable, *command], cwd=ROOT, check=False, capture_output=True, text=True)
        if done.returncode:
            print(f"{name}, {variant}: {done.stdout[-2000:]}{done.stderr[-2000:]}", file=sys.stderr)
            return None
    metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return metrics


def rows_of(name: str, runs: dict[str, dict[str, Any]]) -> list[str]:
    """A collection's lines."""
    lines = []
    for variant, system, what in ROWS:
        if variant not in runs:
            continue
        metrics = runs[variant]
        asked = (
            f"{name}, {metrics['dataset']['questions']['test']:,} of {metrics['dataset']['searched']['test']:,} chunks"
        )
        figures, costs = metrics["systems"][system], metrics["verdict"]["costs"][system]
        cells = [
            f"{figures[metric]:.3f} [{figures['intervals'][metric][0]:.3f}, {figures['intervals'][metric][1]:.3f}]"
            for metric in METRICS
        ]
        took = "" if costs["query_ms"] is None else f"{costs['query_ms']:.0f}"
        lines.append(
            f"| {'' if lines else asked} | {what} | {' | '.join(cells)} | {took} | {weights(metrics, system)} |"
        )
    return lines


def weights(metrics: dict[str, Any], system: str) -> str:
    """What dev chose, and how many dev questions there were."""
    fusion, reranking = metrics["fusion"], metrics["reranking"]
    if system == "reranked" and reranking:
        return f"{reranking['weight']:.2f} tokens"
    if system == "fused" and fusion:
        late = f", {fusion['late']:.2f} tokens" if fusion["late"] else ""
        return f"{fusion['weight']:.2f} base{late}"
    return ""


if __name__ == "__main__":
    sys.exit(main())
