"""Which weight the fusion takes where there are no dev questions, and towards which weight few dev questions are pulled.

    python benchmarks/bench_fusion_prior.py --runs FOLDER... [--cache DIR]

Each run folder has questions over a corpus (``dataset/``) whose vectors are in the cache. Its dev and test questions together are
ranked by mixes of base and BM25 at 21 weights. Regret is nDCG@10, in points, below the best weight for the same questions: for a
weight fixed beforehand, and for one that embft chooses on a draw of dev questions and that is judged on those not drawn, with its
prior centred at several weights. Every run counts the same.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from report import write_result

from embft.config import register
from embft.config.command_line import as_config
from embft.dataset.formats import read_llama_index
from embft.evaluation.bootstrap import bagged_best
from embft.evaluation.dependence import Dependence
from embft.evaluation.metrics import dataset_scores
from embft.files import read_json
from embft.records import RetrievalDataset
from embft.retrieval.bm25 import BM25Scorer
from embft.retrieval.scoring import FusedScorer, rank
from embft.steps.model import open_model
from embft.steps.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
Floats = npt.NDArray[np.float64]
WEIGHTS = tuple(round(float(weight), 2) for weight in np.linspace(0, 1, 21))
FIXED = (0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 1.0)
CENTRES = (0.5, 0.6, 0.65, 0.7)
SIZES = (15, 30, 100)
DRAWS = 60
_RESAMPLES = 300


def main() -> int:
    """Ranks, draws, writes results/fusion_prior.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, nargs="+", default=[], metavar="FOLDER")
    parser.add_argument(
        "--cache", type=Path, default=ROOT / "outputs" / "cache", help="where the runs' vectors are kept"
    )
    options = parser.parse_args()
    if not options.runs:
        print("Nothing to run: --runs names folders of runs, each with its dataset.")
        return 0
    register()
    measured = {folder.name: scores_of(folder, options.cache) for folder in options.runs}
    curves = {name: scores.mean(axis=1) for name, (scores, _) in measured.items()}
    lines = [
        "# The prior of the fusion's weight",
        "",
        "nDCG@10 of BM25, base and an even mix, the best weight of base, and the regret of a fixed weight in points:",
        "",
        f"| run | questions | BM25 | base | even | best weight | {' | '.join(f'{weight:g}' for weight in FIXED)} |",
        f"| --- | ---: | ---: | ---: | ---: | ---: |{' ---: |' * len(FIXED)}",
        *(
            f"| {name} | {measured[name][0].shape[1]} | {curve[0]:.3f} | {curve[-1]:.3f} | {curve[10]:.3f} | "
            f"{WEIGHTS[int(curve.argmax())]:g} | {' | '.join(f'{regret:.1f}' for regret in fixed(curve))} |"
            for name, curve in curves.items()
        ),
        _row("mean", [fixed(curve) for curve in curves.values()], np.mean),
        _row("worst", [fixed(curve) for curve in curves.values()], np.max),
        "",
        f"Weights chosen on so many dev questions ({DRAWS} draws), judged on the others; mean regret and that of the worst run:",
        "",
        f"| prior centred at | {' | '.join(f'{size} questions' for size in SIZES)} |",
        f"| --- |{' --- |' * len(SIZES)}",
        *(
            f"| {centre:g} | {' | '.join(_cell([chosen(*one, centre, size) for one in measured.values()]) for size in SIZES)} |"
            for centre in CENTRES
        ),
    ]
    write_result("fusion_prior", "\n".join(lines))
    return 0


def scores_of(folder: Path, cache: Path) -> tuple[Floats, Dependence]:
    """nDCG@10 of a run's dev and test questions at each weight, float64 [n_weights, n_questions], and what they share."""
    given = OmegaConf.load(folder / "config.yaml")
    overrides = [f"retrieval.precision={given.retrieval.precision}", f"cache_dir={cache.absolute()}"]
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        config = as_config(compose("config", overrides=overrides))
    lab = open_model(Workspace(config, cache.absolute()))
    parts = {name: read_llama_index(folder / "dataset" / f"{name}.json") for name in ("train", "dev", "test")}
    corpus = {**read_json(folder / "dataset" / "distractors.json")}
    for part in parts.values():
        corpus.update(part.corpus)
    contexts = json.loads((folder / "dataset" / "contexts.json").read_text(encoding="utf-8"))
    asked = RetrievalDataset(
        {**parts["dev"].queries, **parts["test"].queries},
        dict(sorted(corpus.items())),
        {**parts["dev"].relevant_docs, **parts["test"].relevant_docs},
        contexts=contexts,
    )
    dense = lab.base.scorers(asked)["cosine"]
    lexical = BM25Scorer.of(config.retrieval, asked.indexed, list(asked.queries.values()))
    rows = []
    for weight in WEIGHTS:
        ranking = rank(
            FusedScorer(dense, lexical, weight), list(asked.queries), list(asked.corpus), system="fused", score_name="fused",
            depth=100, floor=0.0 if weight == 0 else None,
        )  # fmt: skip
        rows.append(dataset_scores(ranking, asked)["ndcg@10"])
    print(folder.name, flush=True)
    return np.stack(rows), Dependence.of(list(asked.queries), asked.relevant_docs)


def fixed(curve: Floats) -> list[float]:
    """Points that each fixed weight is below the best."""
    return [100 * float(curve.max() - curve[WEIGHTS.index(weight)]) for weight in FIXED]


def chosen(scores: Floats, dependence: Dependence, centre: float, size: int) -> float:
    """Mean regret of weights chosen on draws of questions with a prior centred there."""
    if scores.shape[1] < 2 * size:
        return float("nan")
    random = np.random.default_rng(size)
    handicaps = ((np.array(WEIGHTS) - centre) / max(centre, 1 - centre)) ** 2
    regrets = []
    for _ in range(DRAWS):
        order = random.permutation(scores.shape[1])
        drawn, others = np.sort(order[:size]), order[size:]
        best = bagged_best(scores[:, drawn], dependence.restricted(drawn), handicaps, _RESAMPLES)
        means = scores[:, others].mean(axis=1)
        regrets.append(100 * float(means.max() - means[best]))
    return float(np.mean(regrets))


def _row(name: str, rows: Sequence[Sequence[float]], summary: object) -> str:
    values = summary(np.array(rows), axis=0)  # type: ignore[operator]
    return f"| {name} | | | | | | {' | '.join(f'{value:.1f}' for value in values)} |"


def _cell(regrets: Sequence[float]) -> str:
    known = [regret for regret in regrets if not np.isnan(regret)]
    return f"{np.mean(known):.2f}, {max(known):.1f} ({len(known)} runs)" if known else "–"


if __name__ == "__main__":
    sys.exit(main())
