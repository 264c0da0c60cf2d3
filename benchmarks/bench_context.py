"""What a document's title before each chunk is worth: corpora of several documents, ranked with and without it.

    python benchmarks/bench_context.py --data DIR --clones DIR [--only NAME ...] [--dense NAME ...] [--work DIR]

DIR of --data holds nvidia-sec-10k, cisi and cacm; what is missing in --clones is cloned from GitHub
(benchmarks/context_corpora.py says what and how). BM25 ranks each corpus whole. --dense names those of which a sample (so many
chunks that two embeddings are a matter of minutes on a busy machine) is ranked by all-MiniLM-L6-v2 too, and by mixes of both.
Scores are kept in --work and not worked out twice. No setting is chosen here on the questions that are reported.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from context_corpora import CORPORA, SAMPLES
from hydra import compose, initialize_config_dir
from report import machine, write_result

from embft.config import RetrievalConfig, register
from embft.config.command_line import as_config
from embft.evaluation.dependence import Dependence
from embft.evaluation.metrics import dataset_scores
from embft.evaluation.significance import compare
from embft.records import RetrievalDataset
from embft.retrieval.bm25 import BM25Scorer
from embft.retrieval.scoring import FusedScorer, Scorer, rank
from embft.steps.model import open_model
from embft.steps.workspace import Lab, Workspace

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = tuple(round(float(weight), 2) for weight in np.linspace(0, 1, 21))
SHOWN = (("bm25", 0), ("base", 20), ("even mix", 10), ("70% base", 14))
FIXED = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
Floats = npt.NDArray[np.float64]


def main() -> int:
    """Ranks what is missing, writes results/context.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with nvidia-sec-10k, cisi and cacm")
    parser.add_argument("--clones", type=Path, help="folder of clones; what is missing is cloned from GitHub")
    parser.add_argument("--work", type=Path, default=Path("outputs/benchmarks/context"))
    parser.add_argument("--only", nargs="+", choices=list(CORPORA), default=list(CORPORA))
    parser.add_argument("--dense", nargs="*", choices=list(CORPORA), default=list(CORPORA))
    options = parser.parse_args()
    if options.data is None or options.clones is None:
        print("Nothing to run: --data and --clones say where the corpora lie.")
        return 0
    whole, samples = [], []
    for name in options.only:
        whole += compared(name, CORPORA[name](options.data, options.clones).dataset, options.work, SHOWN[:1], by_words)
    for name in options.dense:
        sample = SAMPLES[name](options.data, options.clones).dataset
        samples += compared(f"{name}.sample", sample, options.work, SHOWN, lambda one: by_mixes(one, options.work))
    head = [
        "| corpus | chunks | questions | system | nDCG@10 without | with title | difference, 95% | hit rate@5 without | with "
        "title |",
        "| --- | ---: | ---: | --- | ---: | ---: | --- | ---: | ---: |",
    ]
    lines = [
        "# A title before each chunk",
        "",
        f"all-MiniLM-L6-v2 untuned, windows of 96 tokens of which a title takes its part; {machine()}. Differences are paired, "
        "question by question, with 95% intervals that know which questions share chunks. Titles of CISI and CACM are their own; "
        "without, they are nowhere in the text.",
        "",
        "BM25 over each corpus:",
        "",
        *head,
        *whole,
        "",
        "Samples:",
        "",
        *head,
        *samples,
        "",
        "What a fixed weight of base in the mix loses against the best weight for the same questions, in points of nDCG@10:",
        "",
        f"| corpus | context | best weight | {' | '.join(f'{weight:g}' for weight in FIXED)} |",
        f"| --- | --- | ---: |{' ---: |' * len(FIXED)}",
        *(regret_line(name, context, options.work) for name in options.dense for context in ("none", "title")),
    ]
    write_result("context", "\n".join(lines))
    return 0


def compared(
    name: str,
    dataset: RetrievalDataset,
    work: Path,
    shown: Sequence[tuple[str, int]],
    score: Callable[[RetrievalDataset], Mapping[str, Floats]],
) -> list[str]:
    """The table's lines of a corpus: each system without and with titles."""
    scores = []
    for context, contexts in (("none", {}), ("title", dataset.contexts)):
        path = work / "scores" / f"{name}.{context}.npz"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(path, **score(replace(dataset, contexts=contexts)))
            print(name, context, flush=True)
        with np.load(path) as file:
            scores.append({key: file[key] for key in ("nd", "hit")})
    dependence = Dependence.of(list(dataset.queries), dataset.relevant_docs)
    lines = []
    for system, row in shown:
        without, with_titles = ({key: one[key][row] for key in ("nd", "hit")} for one in scores)
        found = compare(with_titles["nd"], without["nd"], dependence)
        difference = f"{found.delta:+.3f} [{found.ci95[0]:+.3f}, {found.ci95[1]:+.3f}]"
        difference = f"**{difference}**" if found.ci95[0] > 0 or found.ci95[1] < 0 else difference
        lines.append(
            f"| {name.split('.')[0]} | {len(dataset.corpus):,} | {len(dataset.queries):,} | {system} "
            f"| {without['nd'].mean():.3f} | "
            f"{with_titles['nd'].mean():.3f} | {difference} | {without['hit'].mean():.3f} | {with_titles['hit'].mean():.3f} |"
        )
    return lines


def regret_line(name: str, context: str, work: Path) -> str:
    """A line of the table of fixed weights."""
    with np.load(work / "scores" / f"{name}.sample.{context}.npz") as file:
        curve = file["nd"].mean(axis=1)
    losses = " | ".join(f"{100 * (curve.max() - curve[WEIGHTS.index(weight)]):.1f}" for weight in FIXED)
    return f"| {name} | {context} | {WEIGHTS[int(curve.argmax())]:g} | {losses} |"


def by_words(dataset: RetrievalDataset) -> dict[str, Floats]:
    """BM25 alone: nDCG@10 (``nd``) and hit rate@5 (``hit``), float64 [1, n_questions]."""
    lexical = BM25Scorer.of(RetrievalConfig(name="windows"), dataset.indexed, list(dataset.queries.values()))
    return _scored(dataset, [(lexical, 0.0)])


def by_mixes(dataset: RetrievalDataset, work: Path) -> dict[str, Floats]:
    """The same by mixes of base and BM25, float64 [n_weights, n_questions]."""
    lab = _lab(work)
    dense = lab.base.scorers(dataset)["cosine"]
    lexical = BM25Scorer.of(lab.config.retrieval, dataset.indexed, list(dataset.queries.values()))
    return _scored(dataset, [(FusedScorer(dense, lexical, weight), None if weight else 0.0) for weight in WEIGHTS])


@cache
def _lab(work: Path) -> Lab:
    register()
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        config = as_config(compose("config", overrides=["retrieval.precision=auto"]))
    return open_model(Workspace(config, (work / "cache").absolute()))


def _scored(dataset: RetrievalDataset, scorers: Sequence[tuple[Scorer, float | None]]) -> dict[str, Floats]:
    rows = []
    for scorer, floor in scorers:
        ids = list(dataset.queries), list(dataset.corpus)
        ranking = rank(scorer, *ids, system="fused", score_name="fused", depth=100, floor=floor)
        rows.append(dataset_scores(ranking, dataset))
    return {short: np.stack([row[name] for row in rows]) for short, name in (("nd", "ndcg@10"), ("hit", "accuracy@5"))}


if __name__ == "__main__":
    sys.exit(main())
