"""Stage ``context_choice``: whether titles stand before the chunks, where ``corpus.context=auto`` leaves it to dev."""

from __future__ import annotations

import logging
from pathlib import Path

from embft import typed_json
from embft.corpus.context import ContextChoice, UntriedTitles, titles_differ
from embft.evaluation.bootstrap import prospects_of
from embft.evaluation.dependence import Dependence
from embft.evaluation.metrics import dataset_scores
from embft.evaluation.names import NOT_FROM_PASSAGES
from embft.ranking.bench import Bench
from embft.results import Asked, Corpus, QuestionSet
from embft.retrieval.excluding import without_excluded
from embft.stages import StageResult
from embft.steps.context import add_contexts
from embft.steps.dataset import make_dataset
from embft.steps.workspace import Lab

logger = logging.getLogger(__name__)
KINDS = ("none", "title")
"""What is tried; of equal ones the first is taken."""


def context_kind(
    lab: Lab, corpus: StageResult[Corpus], asked: StageResult[Asked], questions: StageResult[QuestionSet]
) -> tuple[str, ContextChoice | UntriedTitles | None]:
    """What ``corpus.context`` stands for; with ``auto``, what dev chose, or why it could not.

    In some collections titles help much, in others they do harm (benchmarks/results/context.md), so nothing but questions about
    these documents can tell. Where titles tell documents apart and people asked the dev questions, the base model ranks them with
    and without titles. Titles are taken if without them the expected loss is above ``evaluation.margin``. A paid API is not asked
    twice for this, and where no system has a model there is nothing to choose.
    """
    kind, systems = lab.config.corpus.context, lab.config.evaluation.systems
    if kind != "auto":
        return kind, None
    if lab.config.model.kind != "weights":
        return _untried("a paid API would be asked twice for it. corpus.context=title puts them there.")
    if not {"base", "tuned", "fused"}.intersection(systems):
        return _untried("evaluation.systems names no system with a model.")
    if not titles_differ(corpus.value.pages):
        return _untried("fewer than two documents have titles of their own.")
    datasets = {name: make_dataset(lab, add_contexts(lab, corpus, name), asked, questions) for name in KINDS}
    if not NOT_FROM_PASSAGES.intersection(datasets["none"].value.report.origins["dev"]):
        return _untried("no dev questions were asked by people, and those written from a chunk ask for what it says.")
    margin = lab.config.evaluation.margin

    def build(folder: Path, scratch: Path) -> None:
        metric, retrieval = lab.base.retrieval.fusion_metric, lab.base.retrieval
        scores = {}
        for name, dataset in datasets.items():
            dev = dataset.value.splits.searched("dev")
            ranking = Bench(retrieval, lab.config.evaluation, {"dev": dev}, lab.base, None).rank("base", "dev")
            scores[name] = dataset_scores(without_excluded(next(iter(ranking.values())), dev), dev)[metric]
        losses = prospects_of(scores, Dependence.of(list(dev.queries), dev.relevant_docs)).expected_loss
        chosen = "title" if losses["none"] > max(margin, losses["title"]) else "none"
        means = {name: round(float(values.mean()), 6) for name, values in scores.items()}
        typed_json.save(folder / "choice.json", ContextChoice(chosen, metric, len(dev.queries), means, losses))

    def load(folder: Path) -> ContextChoice:
        return typed_json.load(ContextChoice, folder / "choice.json")

    inputs = [*(dataset.key for dataset in datasets.values()), lab.base.encoder.fingerprint]
    choice = lab.run("context_choice", build, load, inputs=inputs, values={"margin": margin}).value
    logger.info("%s", choice.sentence)
    return choice.kind, choice


def _untried(reason: str) -> tuple[str, UntriedTitles]:
    choice = UntriedTitles(reason)
    logger.info("%s", choice.sentence)
    return choice.kind, choice
