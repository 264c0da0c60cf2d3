"""What is lost by deciding on few questions: rules for what to ship, by regret.

    python benchmarks/bench_regret.py --runs FOLDER...

From each run (any folder with a per_query.jsonl) 300 draws of 30, 50, 100 and 200 questions are taken, and each rule decides on
what was drawn. Its regret is the nDCG@10 on all questions of the run of the best system, less that of the chosen one, in points;
its cost is the chosen system's rank from the cheapest to the dearest (bm25, base, tuned, fused). Every run counts the same.

The runs of the table come from bench_people.py, and from `dataset=llama_index` on the article's data with retrieval=windows,
truncate and late. About two minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from report import write_result

from embft.evaluation.bootstrap import prospects_of
from embft.evaluation.dependence import Dependence
from embft.evaluation.figures import Prospects
from embft.evaluation.significance import compare
from embft.evaluation.verdict import MARGIN, cheapest_within
from embft.systems import SYSTEM_NAMES, cost_rank

Floats = npt.NDArray[np.float64]
SIZES = (30, 50, 100, 200)
DRAWS = 300
METRIC = "ndcg@10"
_WEIGHTS = 1000
"""Draws of weights for each decision: a tenth of a point is not what this is about."""


@dataclass(frozen=True)
class Run:
    """One run's scores by question.

    Attributes:
        scores: By system, from the cheapest to the dearest: float64 [n_questions].
        dependence: Of all its questions.
    """

    name: str
    scores: dict[str, Floats]
    dependence: Dependence

    @classmethod
    def of(cls, folder: Path) -> Run:
        """Reads a run's folder."""
        rows = [json.loads(line) for line in (folder / "per_query.jsonl").read_text(encoding="utf-8").splitlines()]
        systems = sorted(rows[0]["systems"], key=cost_rank)
        scores = {name: np.array([row["systems"][name][METRIC] for row in rows]) for name in systems}
        relevant = {row["question_id"]: row["relevant"] for row in rows}
        return cls(folder.name, scores, Dependence.of(list(relevant), relevant))

    @property
    def questions(self) -> int:
        """How many it has."""
        return len(self.dependence)

    def regret(self, choice: str) -> float:
        """Points that a choice loses on all questions."""
        means = {name: float(values.mean()) for name, values in self.scores.items()}
        return 100 * (max(means.values()) - means[choice])


@dataclass(frozen=True)
class Drawn:
    """What a rule sees: systems from the cheapest on."""

    scores: dict[str, Floats]
    dependence: Dependence
    prospects: Prospects

    @property
    def best(self) -> str:
        """The highest mean; of equal ones the cheapest."""
        return max(self.scores, key=lambda name: float(self.scores[name].mean()))

    def below_best(self, name: str) -> tuple[float, float]:
        """The interval of a system less the best."""
        return compare(self.scores[name], self.scores[self.best], self.dependence).ci95


def could_be_zero(drawn: Drawn) -> str:
    """The cheapest system whose difference to the best could be zero: embft's rule until version 0.6."""
    return next(name for name in drawn.scores if name == drawn.best or drawn.below_best(name)[1] >= 0)


def not_worse(drawn: Drawn, bound: float = 0.02) -> str:
    """The cheapest system that is shown not to be worse than the best by so much, else the best."""
    return next(name for name in drawn.scores if name == drawn.best or drawn.below_best(name)[0] > -bound)


def priced(drawn: Drawn, step: float) -> str:
    """The least sum of expected loss and a price for each step of cost."""
    loss = drawn.prospects.expected_loss
    return min(drawn.scores, key=lambda name: loss[name] + step * cost_rank(name))


def near_least(drawn: Drawn, margin: float) -> str:
    """The cheapest system whose expected loss is within a margin of the least."""
    loss = drawn.prospects.expected_loss
    return next(name for name in drawn.scores if loss[name] <= min(loss.values()) + margin)


def within(drawn: Drawn, margin: float) -> str:
    """The rule that embft follows."""
    return cheapest_within(drawn.prospects.expected_loss, margin)


DEFAULT = "**the cheapest whose expected loss is within one point, else the least (embft's default)**"
RULES: dict[str, Callable[[Drawn], str]] = {
    "the cheapest whose difference to the best could be zero": could_be_zero,
    "the best mean": lambda drawn: drawn.best,
    "the cheapest shown not to be worse by 2 points, else the best mean": not_worse,
    "the cheapest whose expected loss is within half a point of the least": lambda drawn: near_least(drawn, 0.005),
    "the cheapest whose expected loss is within one point of the least": lambda drawn: near_least(drawn, 0.01),
    "the cheapest whose expected loss is within half a point, else the least": lambda drawn: within(drawn, 0.005),
    DEFAULT: lambda drawn: within(drawn, MARGIN),
    "the cheapest whose expected loss is within two points, else the least": lambda drawn: within(drawn, 0.02),
    "the least of expected loss and a quarter of a point a step of cost": lambda drawn: priced(drawn, 0.0025),
    "the least of expected loss and half a point a step of cost": lambda drawn: priced(drawn, 0.005),
}
SHOWN = {"could be zero": next(iter(RULES)), "best mean": "the best mean", "the default": DEFAULT}


def main() -> int:
    """Draws, decides, writes results/regret.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, nargs="+", default=[], metavar="FOLDER")
    options = parser.parse_args()
    if not options.runs:
        print("Nothing to run: --runs names folders of runs, each with a per_query.jsonl.")
        return 0
    runs = [Run.of(folder) for folder in options.runs]
    choices = {(run.name, size): decisions(run, size) for size in SIZES for run in runs if run.questions > size}
    fitting = {size: [run for run in runs if run.questions > size] for size in SIZES}
    lines = [
        "# What is lost by deciding on few questions",
        "",
        f"{DRAWS} draws from each run; regret in points of nDCG@10, mean and 95th percentile over all draws, and the mean cost "
        "rank of what was chosen (0 BM25, 1 base, 2 tuned, 3 fused). Runs that have no more questions than are drawn sit out.",
        "",
        "| rule | " + " | ".join(f"{size} questions ({len(fitting[size])} runs)" for size in SIZES) + " |",
        "| --- |" + " --- |" * len(SIZES),
    ]
    for rule in RULES:
        cells = [cell(rule, [(run, choices[run.name, size][rule]) for run in fitting[size]]) for size in SIZES]
        lines.append(f"| {rule} | {' | '.join(cells)} |")
    lines += [
        "",
        "Mean regret at 50 questions by run, and nDCG@10 on all of its questions:",
        "",
        f"| run | questions | {', '.join(SYSTEM_NAMES[:4])} | {' | '.join(SHOWN)} |",
        "| --- | ---: | --- |" + " ---: |" * len(SHOWN),
        *(run_line(run, choices[run.name, 50]) for run in fitting[50]),
    ]
    write_result("regret", "\n".join(lines))
    return 0


def decisions(run: Run, size: int) -> dict[str, list[str]]:
    """What each rule chooses in each draw."""
    random = np.random.default_rng(size)
    chosen: dict[str, list[str]] = {rule: [] for rule in RULES}
    for number in range(DRAWS):
        where = np.sort(random.permutation(run.questions)[:size])
        scores = {name: values[where] for name, values in run.scores.items()}
        dependence = run.dependence.restricted(where)
        drawn = Drawn(scores, dependence, prospects_of(scores, dependence, _WEIGHTS, number))
        for rule, choose in RULES.items():
            chosen[rule].append(choose(drawn))
    return chosen


def cell(rule: str, chosen: Sequence[tuple[Run, Sequence[str]]]) -> str:
    """Mean regret, its 95th percentile and the mean cost of a rule at one size."""
    regrets = [run.regret(choice) for run, choices in chosen for choice in choices]
    costs = [cost_rank(choice) for _, choices in chosen for choice in choices]
    if not regrets:
        return "–"
    return f"{np.mean(regrets):.2f}, {np.quantile(regrets, 0.95):.1f}, {np.mean(costs):.2f}"


def run_line(run: Run, chosen: Mapping[str, Sequence[str]]) -> str:
    """A line of the second table."""
    means = ", ".join(f"{run.scores[name].mean():.3f}" if name in run.scores else "–" for name in SYSTEM_NAMES[:4])
    regrets = [np.mean([run.regret(choice) for choice in chosen[rule]]) for rule in SHOWN.values()]
    return f"| {run.name} | {run.questions:,} | {means} | {' | '.join(f'{regret:.2f}' for regret in regrets)} |"


if __name__ == "__main__":
    sys.exit(main())
