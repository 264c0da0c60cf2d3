"""Nine published datasets about other documents: what each system has on them, and what a recipe changes.

    python benchmarks/bench_corpora.py --clones DIR [--engine] [--recipe NAME "OVERRIDE ..."]... [--only uber food]

Every corpus counts the same in a mean, however many questions it has. The standard error beside a difference is that of this
mean, over groups of questions that share chunks; nothing is resampled. Defaults of embft that a single test set is too small
to decide are decided here (dev/LOG.md). Runs are kept in --work by the name of their recipe: after a change of embft
take another folder. --engine lets the article's own toolkit fine-tune on each corpus too; its checkpoint is chosen on the test
questions, as the article has it. Without --clones there is nothing to run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from bench_training import ARTICLE, base_model, watched
from published_runs import RUNS, PublishedRun, prepare
from report import machine, write_result

ROOT = Path(__file__).resolve().parents[1]
TRUNCATED = {
    name: f"retrieval=truncate dataset.dev_fraction=0 training={name} training.epochs=2"
    for name in ("default", "article")
}
SYSTEMS = ("bm25", "base", "tuned", "fused")
METRICS = ("hit_rate@5", "ndcg@10")
Floats = npt.NDArray[np.float64]


def main() -> int:
    """Runs every recipe on every corpus, writes results/corpora.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clones", type=Path, help="folder of clones; what is missing is cloned from GitHub")
    parser.add_argument("--work", type=Path, default=Path("outputs/benchmarks/corpora"))
    parser.add_argument("--recipe", nargs=2, action="append", default=[], metavar=("NAME", "OVERRIDES"))
    parser.add_argument("--engine", action="store_true", help="about a minute a hundred train questions")
    parser.add_argument("--only", nargs="+", choices=[run.name for run in RUNS])
    options = parser.parse_args()
    if options.clones is None:
        print("Nothing to run: --clones says where the repositories of benchmarks/published_runs.py lie, or shall lie.")
        return 0
    runs = [run for run in RUNS if not options.only or run.name in options.only]
    work, clones = options.work.absolute(), options.clones.absolute()
    recipes = [("default", ""), *options.recipe]
    found = {name: [run_of(name, overrides.split(), run, clones, work) for run in runs] for name, overrides in recipes}
    truncated, article = (
        [run_of(f"truncated_{name}", overrides.split(), run, clones, work) for run in runs]
        for name, overrides in TRUNCATED.items()
    )
    lines = [
        "# Published corpora",
        "",
        "Published datasets of questions that an LLM wrote for others about documents of their own "
        "(benchmarks/published_runs.py); all-MiniLM-L6-v2. " + machine() + ".",
        "",
        "nDCG@10 with the default recipe:",
        "",
        "| corpus | train questions | test questions | " + " | ".join(SYSTEMS) + " | fused, share of tuned |",
        "| --- | ---: | ---: |" + " ---: |" * (len(SYSTEMS) + 1),
        *(default_row(run, one) for run, one in zip(runs, found["default"], strict=True)),
        "",
        "Means over corpora, hit rate@5 / nDCG@10, and what each recipe changes in nDCG@10 (± one standard error; on how many "
        "corpora it is higher):",
        "",
        "| recipe | " + " | ".join(SYSTEMS) + " |",
        "| --- |" + " --- |" * len(SYSTEMS),
        *(mean_row(name, one, found["default"]) for name, one in found.items()),
        "",
        "Against the base model, by nDCG@10:",
        "",
        *(f"- {system}: {against(found['default'], found['default'], system, 'base')}" for system in SYSTEMS if system != "base"),
        f"- fused against bm25: {against(found['default'], found['default'], 'fused', 'bm25')}",
        f"- fused against tuned: {against(found['default'], found['default'], 'fused', 'tuned')}",
        "",
        f"Truncated chunks, nDCG@10: base {mean(truncated, 'base'):.3f}, tuned with `{TRUNCATED['default']}` "
        f"{mean(truncated, 'tuned'):.3f}, with the article's settings (`{TRUNCATED['article']}`) {mean(article, 'tuned'):.3f}; "
        f"the first against the second {against(truncated, article, 'tuned', 'tuned')}, "
        f"and against base {against(truncated, truncated, 'tuned', 'base')}.",
    ]  # fmt: skip
    if options.engine:
        engine = [engine_of(run, clones, work) for run in runs]
        lines += [
            "",
            f"The article's engine itself, its checkpoint chosen on the test questions: {mean(engine, 'base'):.3f}; embft's "
            f"`{TRUNCATED['default']}` against it {against(truncated, engine, 'tuned', 'base')}.",
        ]
    write_result("corpora", "\n".join(lines))
    return 0


def run_of(recipe: str, overrides: Sequence[str], run: PublishedRun, clones: Path, work: Path) -> Path:
    """The folder of a recipe's run on a corpus; a run that is there is not run again."""
    folder = work / recipe / run.name
    if not (folder / "metrics.json").is_file():
        train, test = prepare(run, clones, work / "data")
        command = [
            "run.py", "dataset=llama_index", f"dataset.train={train}", f"dataset.test={test}",
            "retrieval.precision=auto", "evaluation.resamples=100", "tracking=local", f"cache_dir={work / 'cache'}",
            f"hydra.run.dir={folder}", *overrides,
        ]  # fmt: skip
        subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        print(f"{recipe} {run.name}", flush=True)
    return folder


def engine_of(run: PublishedRun, clones: Path, work: Path) -> Path:
    """The folder of a run that judges, as ``base``, what the article's engine makes of the base model."""
    folder = work / "engine" / run.name
    if not (folder / "metrics.json").is_file():
        if not ARTICLE.exists():
            subprocess.run([str(ROOT / "benchmarks" / "setup_article_engine.sh")], check=True)
        train, test = prepare(run, clones, work / "data")
        model = work / "engine" / f"{run.name}.model"
        command = [
            ARTICLE, ROOT / "benchmarks" / "article_engine.py", "--train", train, "--val", test,
            "--model", base_model(), "--out", model,
        ]  # fmt: skip
        watched([str(part) for part in command], None)
        judged = ["retrieval=truncate", "training=none", "evaluation=base_only", f"model.path={model}"]
        run_of("engine", judged, run, clones, work)
    return folder


def default_row(run: PublishedRun, folder: Path) -> str:
    """A line of the first table."""
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    values = " | ".join(f"{metrics['systems'][system]['ndcg@10']:.3f}" for system in SYSTEMS)
    asked = metrics["dataset"]["questions"]
    return f"| {run.name} | {asked['train']} | {asked['test']} | {values} | {metrics['fusion']['weight']:.0%} |"


def mean(folders: Sequence[Path], system: str, metric: str = "ndcg@10") -> float:
    """A metric's mean over corpora."""
    return float(np.mean([scores(folder, system, metric)[0].mean() for folder in folders]))


def mean_row(name: str, folders: Sequence[Path], reference: Sequence[Path]) -> str:
    """A line of the second table."""
    cells = []
    for system in SYSTEMS:
        cell = " / ".join(f"{mean(folders, system, metric):.3f}" for metric in METRICS)
        change = against(folders, reference, system, system)
        cells.append(cell if change.startswith("+0.000 ± 0.000") else f"{cell}, {change}")
    return f"| {name} | " + " | ".join(cells) + " |"


def against(folders: Sequence[Path], others: Sequence[Path], system: str, baseline: str) -> str:
    """The mean difference over corpora in nDCG@10, its standard error, and where it is above zero."""
    deltas, variances = [], []
    for mine, other in zip(folders, others, strict=True):
        values, groups = scores(mine, system, "ndcg@10")
        difference = values - scores(other, baseline, "ndcg@10")[0]
        sums: dict[str, float] = defaultdict(float)
        for group, value in zip(groups, difference - difference.mean(), strict=True):
            sums[group] += value
        deltas.append(float(difference.mean()))
        variances.append(sum(value**2 for value in sums.values()) / len(difference) ** 2)
    error = np.sqrt(sum(variances)) / len(deltas)
    return f"{np.mean(deltas):+.3f} ± {error:.3f} ({sum(delta > 0 for delta in deltas)} of {len(deltas)})"


def scores(folder: Path, system: str, metric: str) -> tuple[Floats, list[str]]:
    """A metric by question, and the chunks that each question is about."""
    rows = [json.loads(line) for line in (folder / "per_query.jsonl").read_text(encoding="utf-8").splitlines()]
    return np.array([row["systems"][system][metric] for row in rows]), [" ".join(row["relevant"]) for row in rows]


if __name__ == "__main__":
    sys.exit(main())
