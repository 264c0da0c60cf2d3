"""What a document's title, or title and headings, before each chunk is worth: corpora of several documents.

    python benchmarks/bench_context.py --data DIR --clones DIR [--only NAME ...] [--tuned NAME ...] [--work DIR]

DIR of --data holds nvidia-sec-10k, cisi and cacm; what is missing in --clones is cloned from GitHub
(benchmarks/context_corpora.py says what and how). Larger corpora are sampled, so that every one is embedded twice in minutes.
The Python reference is read by embft itself, with headings too. Dev chose the weight of each fusion; all figures are of test.
--tuned names corpora whose train questions tune the model, once without and once with titles. Runs are kept in --work and not
repeated.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from context_corpora import CORPORA
from report import machine, write_result

from embft.evaluation.dependence import Dependence
from embft.evaluation.significance import compare

ROOT = Path(__file__).resolve().parents[1]
METRICS = ("hit_rate@5", "ndcg@10")
PYTHON = "python_reference"
SYSTEMS = ("bm25", "base", "fused", "tuned")
Floats = npt.NDArray[np.float64]


def main() -> int:
    """Runs what is missing, writes results/context.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with nvidia-sec-10k, cisi and cacm")
    parser.add_argument("--clones", type=Path, help="folder of clones; what is missing is cloned from GitHub")
    parser.add_argument("--work", type=Path, default=Path("outputs/benchmarks/context"))
    parser.add_argument("--only", nargs="+", choices=[PYTHON, *CORPORA], default=[PYTHON, *CORPORA])
    parser.add_argument("--tuned", nargs="+", choices=[PYTHON, *CORPORA], default=[])
    options = parser.parse_args()
    if options.data is None or options.clones is None:
        print("Nothing to run: --data and --clones say where the corpora lie.")
        return 0
    work = options.work.absolute()
    rows, means = [], []
    for name in options.only:
        contexts = ("none", "title", "headings") if name == PYTHON else ("none", "title")
        overrides = prepared(name, options.data.absolute(), options.clones.absolute(), work)
        runs = {context: run_of(work, name, context, overrides[context], tunes=False) for context in contexts}
        rows += [line for context in contexts for line in lines_of(name, context, runs, ("bm25", "base", "fused"))]
        means.append(runs)
        if name in options.tuned:
            tuned = {context: run_of(work, name, context, overrides[context], tunes=True) for context in contexts[:2]}
            rows += [line for context in contexts[:2] for line in lines_of(name, context, tuned, ("tuned",))]
    lines = [
        "# A title before each chunk",
        "",
        f"all-MiniLM-L6-v2, windows of 96 tokens of which the context takes its part. {machine()}. Differences are "
        "paired, question by question, with 95% intervals that know which questions share chunks; bold: the interval leaves "
        "out zero.",
        "",
        "| corpus | system | context | hit rate@5 | nDCG@10 | nDCG@10 less none's, 95% | hit rate@5 less none's |",
        "| --- | --- | --- | ---: | ---: | --- | --- |",
        *rows,
        "",
        "Mean over corpora of what titles change, in nDCG@10 (± one standard error of the mean; on how many it is above zero):",
        "",
        *(f"- {system}: {mean_change(means, system)}" for system in ("bm25", "base", "fused")),
    ]
    write_result("context", "\n".join(lines))
    return 0


def prepared(name: str, data: Path, clones: Path, work: Path) -> dict[str, list[str]]:
    """By context, the overrides that read a corpus with it."""
    if name == PYTHON:
        return {context: [f"corpus.context={context}"] for context in ("none", "title", "headings")}
    corpus = CORPORA[name](data, clones)
    titles = {key: " ".join(title.split()) for key, title in corpus.titles.items() if title.strip()}
    overrides = {}
    for context, contexts in (("none", {}), ("title", titles)):
        folder = work / "data" / f"{name}.{context}"
        corpus.write(folder, contexts)
        overrides[context] = [
            "dataset=llama_index", *(f"dataset.{split}={folder / f'{split}.json'}" for split in ("train", "dev", "test")),
            "dataset.candidates=all", "dataset.leaks=allow", "retrieval.precision=auto",
        ]  # fmt: skip
    return overrides


def run_of(work: Path, name: str, context: str, overrides: Sequence[str], *, tunes: bool) -> Path:
    """The folder of a run; one that is there is not run again."""
    folder = work / f"{name}.{context}{'.tuned' if tunes else ''}"
    if not (folder / "metrics.json").is_file():
        untuned = ["training=none", "evaluation=base_only", "evaluation.systems=[bm25,base,fused]"]
        command = [
            "run.py", *overrides, *([] if tunes else untuned), "evaluation.resamples=1000", "tracking=local",
            f"cache_dir={work / 'cache'}", f"hydra.run.dir={folder}",
        ]  # fmt: skip
        subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        print(folder.name, flush=True)
    return folder


def lines_of(name: str, context: str, runs: Mapping[str, Path], systems: Sequence[str]) -> list[str]:
    """The table's lines of a corpus with one context."""
    lines = []
    for system in systems:
        values = {metric: scores(runs[context], system, metric) for metric in METRICS}
        cells = [f"{values[metric].mean():.3f}" for metric in METRICS]
        changes = ["", ""]
        if context != "none":
            changes = [change(runs[context], runs["none"], system, metric) for metric in reversed(METRICS)]
        lines.append(
            f"| {name} ({len(values['ndcg@10'])} questions) | {system} | {context} | {' | '.join([*cells, *changes])} |"
        )
    return lines


def change(run: Path, other: Path, system: str, metric: str) -> str:
    """A paired difference with its interval."""
    row = compare(scores(run, system, metric), scores(other, system, metric), dependence_of(run))
    text = f"{row.delta:+.3f} [{row.ci95[0]:+.3f}, {row.ci95[1]:+.3f}]"
    return f"**{text}**" if row.ci95[0] > 0 or row.ci95[1] < 0 else text


def mean_change(runs: Sequence[Mapping[str, Path]], system: str) -> str:
    """The mean over corpora, each counting the same."""
    deltas = [
        float((scores(one["title"], system, "ndcg@10") - scores(one["none"], system, "ndcg@10")).mean()) for one in runs
    ]
    error = np.std(deltas, ddof=1) / np.sqrt(len(deltas)) if len(deltas) > 1 else float("nan")
    return f"{np.mean(deltas):+.3f} ± {error:.3f} ({sum(delta > 0 for delta in deltas)} of {len(deltas)})"


def scores(folder: Path, system: str, metric: str) -> Floats:
    """A metric by question, questions in the order of their ids: float64 [n_questions]."""
    return np.array([row["systems"][system][metric] for row in _rows(folder)])


def dependence_of(folder: Path) -> Dependence:
    """What a run's questions share."""
    relevant = {row["question_id"]: row["relevant"] for row in _rows(folder)}
    return Dependence.of(list(relevant), relevant)


def _rows(folder: Path) -> list[dict[str, object]]:
    text = (folder / "per_query.jsonl").read_text(encoding="utf-8")
    return sorted(map(json.loads, text.splitlines()), key=lambda row: row["question_id"])


if __name__ == "__main__":
    sys.exit(main())
