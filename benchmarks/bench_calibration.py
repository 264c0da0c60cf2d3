"""Do 95% intervals hold the truth in 95 of 100 cases, where questions share relevant chunks?

    python benchmarks/bench_calibration.py [--judged DIR...] [--trials N]

Scores of two systems are simulated on questions that share chunks in known ways (simulated_questions.py), with none, half or
all of the latent variance coming from the chunks; then intervals of embft are held against the true means. --judged names
BEIR folders whose real judgements are structures too (CISI, CACM). About three minutes with 2,000 trials a cell.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from report import write_result
from simulated_questions import (
    Kind,
    Structure,
    cranfield_like,
    easy_hit,
    gaussian,
    giant,
    hit,
    judged,
    ndcg_of_many,
    ndcg_of_one,
    relevant_docs,
    scores_of_two,
    siblings,
    true_mean,
)

from embft.evaluation.dependence import Dependence
from embft.evaluation.significance import compare, mean_interval

SIZES = (20, 50, 200, 1000)
SHARES = (0.0, 0.5, 1.0)
STRUCTURES = 20
"""Structures drawn a cell; the trials are spread over them."""
NULLS = (
    Kind("normal", gaussian),
    Kind("nDCG, one relevant", ndcg_of_one),
    Kind("nDCG, many relevant", ndcg_of_many),
    Kind("nDCG, similar systems", ndcg_of_one, own=0.05),
    Kind("hit rate", hit),
    Kind("hit rate, similar systems", hit, own=0.05),
)
BETTER = (
    Kind("nDCG, one relevant", ndcg_of_one, shift=0.5),
    Kind("hit rate", hit, shift=0.7),
)
MEANS = (
    Kind("nDCG, one relevant", ndcg_of_one),
    Kind("nDCG, many relevant", ndcg_of_many),
    Kind("hit rate", hit),
    Kind("hit rate of 92%", easy_hit),
)
Draw = Callable[[int, np.random.Generator], Structure]


def main() -> int:
    """Simulates every cell, writes results/calibration.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judged", type=Path, nargs="+", default=[], metavar="DIR")
    parser.add_argument("--trials", type=int, default=2000)
    options = parser.parse_args()
    draws: dict[str, Draw] = {"siblings": siblings, "Cranfield-like": cranfield_like, "one component": giant}
    draws |= {folder.name.upper(): judged(folder) for folder in options.judged}
    tables: dict[str, list[str]] = {"nulls": [], "better": [], "means": []}
    for name, draw in draws.items():
        for size in SIZES:
            cells = coverage(draw, size, options.trials)
            head = f"| {name} | {size:,} | "
            for table, lines in tables.items():
                lines.append(head + " | ".join(cells[table]) + " |")
                print(table, lines[-1], flush=True)
    body = [
        "# Do intervals hold what they promise?",
        "",
        f"Share of 95% intervals that hold the true value, {options.trials:,} trials a cell (standard error "
        f"{(0.05 * 0.95 / options.trials) ** 0.5:.3f}), with 0, a half and all of the latent variance coming from the chunks. "
        "What an interval of a difference without truth in it misses, the test rejects: the p-value is the same estimate.",
        "",
        "- siblings: one relevant chunk a question, one to three questions a chunk",
        "- Cranfield-like: 2 to 15 relevant chunks of 1,400 a question",
        "- one component: a median of 30 relevant chunks of 1,460 a question, so that all questions are linked",
        "- CISI, CACM: their real judgements; for more questions than they have, mixtures of theirs",
        "",
        "Differences of two equally good systems (`1 - cell` is the share of true nulls that are rejected at 5%):",
        "",
        header([kind.name for kind in NULLS] + ["normal, as if independent"]),
        *tables["nulls"],
        "",
        "Differences where the first system is better (draws in which no question differs left out: their interval is [0, 0]):",
        "",
        header([kind.name for kind in BETTER]),
        *tables["better"],
        "",
        "Means of one system:",
        "",
        header([kind.name for kind in MEANS]),
        *tables["means"],
    ]
    write_result("calibration", "\n".join(body))
    return 0


def header(columns: list[str]) -> str:
    """The two first lines of a table."""
    return f"| structure | questions | {' | '.join(columns)} |\n| --- | ---: |" + " --- |" * len(columns)


def coverage(draw: Draw, size: int, trials: int) -> dict[str, list[str]]:
    """Cells of one line in each table."""
    shares: dict[tuple[str, str], list[list[bool]]] = {}
    for number in range(STRUCTURES):
        random = np.random.default_rng([size, number])
        structure = draw(size, random)
        relevant = relevant_docs(structure)
        dependence, alone = Dependence.of(list(relevant), relevant), Dependence.none(size)
        for place, share in enumerate(SHARES):
            for table, kinds in (("nulls", NULLS), ("better", BETTER), ("means", MEANS)):
                for kind in kinds:
                    one, other = scores_of_two(structure, kind, share, trials // STRUCTURES, random)
                    truth = true_mean(kind.score, kind.shift)
                    pairs = [(table, kind.name, dependence)]
                    if kind.score is gaussian:
                        pairs.append((table, "independent", alone))
                    for *key, used in pairs:
                        cell = shares.setdefault((key[0], key[1]), [[] for _ in SHARES])[place]
                        if table == "means":
                            cell += [holds(mean_interval(row, used), truth) for row in one]
                            continue
                        difference = truth - true_mean(kind.score, 0.0)
                        cell += [
                            holds(compare(a, b, used).ci95, difference)
                            for a, b in zip(one, other, strict=True)
                            if table == "nulls" or (a != b).any()
                        ]
    cells: dict[str, list[str]] = {}
    for table in ("nulls", "better", "means"):
        names = [name for where, name in shares if where == table and name != "independent"]
        if table == "nulls":
            names.append("independent")
        cells[table] = [
            ", ".join(f"{np.mean(held):.3f}".removeprefix("0") for held in shares[table, name]) for name in names
        ]
    return cells


def holds(interval: tuple[float, float], truth: float) -> bool:
    """Whether an interval holds a value."""
    return interval[0] <= truth <= interval[1]


if __name__ == "__main__":
    sys.exit(main())
