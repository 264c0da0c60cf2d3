"""What a document's title before each chunk is worth: corpora of several documents, ranked with and without it.

    python benchmarks/bench_context.py --data DIR --clones DIR [--only NAME ...] [--tuned NAME ...] [--work DIR]
        [--window-chunks N]

DIR of --data holds nvidia-sec-10k, cisi and cacm; what is missing in --clones is cloned from GitHub
(benchmarks/context_corpora.py says what and how). BM25, the base model and their mixes rank each corpus whole, without titles and
with them. Those of --tuned are also run with the default settings, training and all, as a BEIR folder whose questions are all in
test; the Python reference also with headings. What is in --work is not worked out again. No setting is chosen here on the
questions that are reported.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from context_corpora import CORPORA, Corpus
from hydra import compose, initialize_config_dir
from report import machine, write_result

from embft.config import register
from embft.config.command_line import as_config
from embft.evaluation.dependence import Dependence
from embft.evaluation.metrics import dataset_scores
from embft.evaluation.significance import compare
from embft.records import RetrievalDataset
from embft.retrieval.bm25 import BM25Scorer
from embft.retrieval.scoring import FusedScorer, rank
from embft.steps.model import open_model
from embft.steps.workspace import Lab, Workspace

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = tuple(round(float(weight), 2) for weight in np.linspace(0, 1, 21))
FIXED = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
SYSTEMS = ("bm25", "base", "tuned", "fused")
PYTHON = "python"
Floats = npt.NDArray[np.float64]


def main() -> int:
    """Runs what is missing, writes results/context.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with nvidia-sec-10k, cisi and cacm")
    parser.add_argument("--clones", type=Path, help="folder of clones; what is missing is cloned from GitHub")
    parser.add_argument("--work", type=Path, default=Path("outputs/benchmarks/context"))
    parser.add_argument("--only", nargs="+", choices=list(CORPORA), default=list(CORPORA))
    parser.add_argument("--tuned", nargs="*", choices=[*CORPORA, PYTHON], default=[*CORPORA, PYTHON])
    parser.add_argument(
        "--window-chunks", type=int, help="chunks that tuning learns from, at most; the default's are 1600"
    )
    parser.add_argument("--parallel", type=int, default=1, help="runs at a time")
    options = parser.parse_args()
    if options.data is None or options.clones is None:
        print("Nothing to run: --data and --clones say where the corpora lie.")
        return 0
    work = options.work.absolute()
    for name in {*options.only, *options.tuned} - {PYTHON}:
        if not (work / "data" / f"{name}.title" / "qrels" / "test.tsv").is_file():
            prepare(name, CORPORA[name](options.data, options.clones), work)
    runs = {name: runs_of(name, work) for name in options.tuned}
    fewer = [f"training.window_chunks={options.window_chunks}"] if options.window_chunks else []
    commands = [(work / "runs" / run, [*given, *fewer]) for one in runs.values() for run, given in one.items()]
    with ThreadPoolExecutor(options.parallel) as pool:
        list(pool.map(lambda one: run_once(*one, work), commands))
    lines = [
        "# A title before each chunk",
        "",
        "all-MiniLM-L6-v2, default settings. Differences are paired, question by question, with 95% intervals that know which "
        "questions share chunks; bold where they exclude 0. Titles of CISI and CACM are their own; without, they are nowhere in "
        f"the text. {machine()}.",
        "",
        "| corpus | chunks | questions | system | nDCG@10 without | with title | difference, 95% |",
        "| --- | ---: | ---: | --- | ---: | ---: | --- |",
        *(line for name in options.only for line in untuned(name, work)),
        "",
        "With training (windows of the corpus ask for their neighbours):",
        "",
        "| corpus | chunks | questions | system | nDCG@10 without | with title | difference, 95% |",
        "| --- | ---: | ---: | --- | ---: | ---: | --- |",
        *(line for name, one in runs.items() for line in compared(name, list(one), work)),
        "",
        "What a fixed weight of base in the mix with BM25 loses against the best weight for the same questions, in points of "
        "nDCG@10:",
        "",
        f"| corpus | context | best weight | {' | '.join(f'{weight:g}' for weight in FIXED)} |",
        f"| --- | --- | ---: |{' ---: |' * len(FIXED)}",
        *(curve_line(name, context, work) for name in options.only for context in ("none", "title")),
    ]
    write_result("context", "\n".join(lines))
    return 0


def prepare(name: str, corpus: Corpus, work: Path) -> None:
    """Writes the folders of a corpus, without titles and with them."""
    for context in ("none", "title"):
        write_beir(corpus.dataset, work / "data" / f"{name}.{context}", titles=context == "title")


def runs_of(name: str, work: Path) -> dict[str, list[str]]:
    """The runs of a corpus by name, the first without context: their overrides."""
    if name == PYTHON:
        return {f"{name}.{context}": [f"corpus.context={context}"] for context in ("none", "title", "headings")}
    return {
        f"{name}.{context}": [
            "dataset=beir", f"dataset.path={work / 'data' / f'{name}.{context}'}", "dataset.train_on=all",
            f"corpus.context={context}",
        ]
        for context in ("none", "title")
    }  # fmt: skip


def write_beir(dataset: RetrievalDataset, folder: Path, *, titles: bool) -> None:
    """A dataset as a BEIR folder whose questions are all in test."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    rows: Mapping[str, list[dict[str, str]]] = {
        "corpus": [
            {"_id": key, "title": dataset.contexts.get(key, "") if titles else "", "text": text}
            for key, text in dataset.corpus.items()
        ],
        "queries": [{"_id": key, "text": text} for key, text in dataset.queries.items()],
    }
    for file, content in rows.items():
        lines = [json.dumps(row, ensure_ascii=False) for row in content]
        (folder / f"{file}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    judged = [f"{key}\t{chunk}\t1" for key, chunks in dataset.relevant_docs.items() for chunk in chunks]
    text = "\n".join(["query-id\tcorpus-id\tscore", *judged]) + "\n"
    (folder / "qrels" / "test.tsv").write_text(text, encoding="utf-8")


def read_beir(folder: Path) -> RetrievalDataset:
    """What `write_beir` wrote."""
    corpus, queries = (
        [json.loads(line) for line in (folder / f"{file}.jsonl").read_text(encoding="utf-8").splitlines()]
        for file in ("corpus", "queries")
    )
    relevant: dict[str, tuple[str, ...]] = {}
    for line in (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, chunk, _ = line.split("\t")
        relevant[query] = (*relevant.get(query, ()), chunk)
    return RetrievalDataset(
        {row["_id"]: row["text"] for row in queries},
        {row["_id"]: row["text"] for row in corpus},
        relevant,
        contexts={row["_id"]: row["title"] for row in corpus if row["title"]},
    )


def run_once(folder: Path, given: Sequence[str], work: Path) -> None:
    """One run, unless it is there."""
    if (folder / "metrics.json").is_file():
        return
    command = ["run.py", *given, "tracking=local", f"cache_dir={work / 'cache'}", f"hydra.run.dir={folder}"]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        print(f"{folder.name}: {done.stdout[-1500:]}{done.stderr[-1500:]}", file=sys.stderr)


def read_rows(folder: Path) -> dict[str, dict[str, Any]]:
    """per_query.jsonl by question."""
    lines = (folder / "per_query.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["question_id"]: row for row in map(json.loads, lines)}


def compared(name: str, runs: Sequence[str], work: Path) -> list[str]:
    """The table's lines of a corpus: each system without and with context."""
    folders = [work / "runs" / run for run in runs]
    if not all((folder / "metrics.json").is_file() for folder in folders):
        return []
    without, *others = [read_rows(folder) for folder in folders]
    chunks = json.loads((folders[0] / "metrics.json").read_text(encoding="utf-8"))["dataset"]["searched"]["test"]
    dependence = Dependence.of(list(without), {key: row["relevant"] for key, row in without.items()})
    lines = []
    for run, with_it in zip(runs[1:], others, strict=True):
        context = run.rpartition(".")[2]
        for system in SYSTEMS:
            if not all(system in rows[key]["systems"] for rows in (without, with_it) for key in without):
                continue
            values = [
                np.array([rows[key]["systems"][system]["ndcg@10"] for key in without]) for rows in (without, with_it)
            ]
            what = name if context == "title" else f"{name}, {context}"
            lines.append(line_of(what, chunks, system, (values[0], values[1]), dependence))
    return lines


def untuned(name: str, work: Path) -> list[str]:
    """The lines of a corpus by BM25, by the base model and by an even mix."""
    dataset = read_beir(work / "data" / f"{name}.none")
    without, with_titles = (mixes(name, context, work) for context in ("none", "title"))
    dependence = Dependence.of(list(dataset.queries), dataset.relevant_docs)
    return [
        line_of(name, len(dataset.corpus), system, (without[row], with_titles[row]), dependence)
        for system, row in (("bm25", 0), ("base", 20), ("even mix", 10))
    ]


def line_of(what: str, chunks: int, system: str, values: tuple[Floats, Floats], dependence: Dependence) -> str:
    """A line of the tables: nDCG@10 by question without and with context."""
    without, with_it = values
    found = compare(with_it, without, dependence)
    difference = f"{found.delta:+.3f} [{found.ci95[0]:+.3f}, {found.ci95[1]:+.3f}]"
    difference = f"**{difference}**" if found.ci95[0] > 0 or found.ci95[1] < 0 else difference
    return f"| {what} | {chunks:,} | {len(without):,} | {system} | {without.mean():.3f} | {with_it.mean():.3f} | {difference} |"


def mixes(name: str, context: str, work: Path) -> Floats:
    """`by_mixes` of a corpus, kept in --work."""
    path = work / "scores" / f"{name}.{context}.npy"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, by_mixes(read_beir(work / "data" / f"{name}.{context}"), work))
    found: Floats = np.load(path)
    return found


def curve_line(name: str, context: str, work: Path) -> str:
    """A line of the table of fixed weights."""
    curve = mixes(name, context, work).mean(axis=1)
    losses = " | ".join(f"{100 * (curve.max() - curve[WEIGHTS.index(weight)]):.1f}" for weight in FIXED)
    return f"| {name} | {context} | {WEIGHTS[int(curve.argmax())]:g} | {losses} |"


def by_mixes(dataset: RetrievalDataset, work: Path) -> Floats:
    """nDCG@10 of mixes of base and BM25, float64 [n_weights, n_questions]."""
    lab = _lab(work)
    dense = lab.base.scorers(dataset)["cosine"]
    lexical = BM25Scorer.of(lab.config.retrieval, dataset.indexed, list(dataset.queries.values()))
    rows = []
    for weight in WEIGHTS:
        ids = list(dataset.queries), list(dataset.corpus)
        scorer = FusedScorer(dense, lexical, weight)
        floor = None if weight else 0.0
        ranking = rank(scorer, *ids, system="fused", score_name="fused", depth=100, floor=floor)
        rows.append(dataset_scores(ranking, dataset)["ndcg@10"])
    return np.stack(rows)


@cache
def _lab(work: Path) -> Lab:
    register()
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        config = as_config(compose("config"))
    return open_model(Workspace(config, work / "cache"))


if __name__ == "__main__":
    sys.exit(main())
