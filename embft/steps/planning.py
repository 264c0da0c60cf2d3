"""Which stages the jobs of a sweep share, worked out from their settings before anything is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from embft.config import ExperimentConfig
from embft.config.held_back_writer import held_back_writer
from embft.config.untrained import leave_out_tuned
from embft.files import digest
from embft.steps.held_back import writes_held_back
from embft.steps.keys import settings_of


@dataclass(frozen=True)
class StagePlan:
    """A stage of a sweep.

    Attributes:
        stage: Its name.
        jobs: How many jobs need it.
        results: How many different results of it they need; a job with several trainings needs several.
    """

    stage: str
    jobs: int
    results: int


def plan_stages(configs: Sequence[ExperimentConfig]) -> list[StagePlan]:
    """How many results of each stage the jobs need, in the order of the stages.

    Two jobs share a result where all settings before it are equal. The results that the cache has already are not looked for.
    """
    needed: dict[str, list[set[str]]] = {}
    for config in configs:
        for stage, signatures in signatures_of(config).items():
            needed.setdefault(stage, []).append(signatures)
    return [StagePlan(stage, len(every), len(set().union(*every))) for stage, every in needed.items()]


def signatures_of(config: ExperimentConfig) -> dict[str, set[str]]:
    """By stage: a digest of all settings that decide its result, files by their names."""
    config = leave_out_tuned(config)
    training, model = config.training, config.model
    named = digest([model.kind, model.id, model.revision, model.path, model.package, asdict(model.endpoint)])
    stages: dict[str, set[str]] = {}

    def add(stage: str, *before: object) -> str:
        signature = digest([settings_of(stage, config), list(before)])
        stages.setdefault(stage, set()).add(signature)
        return signature

    dataset = _dataset(config, add)
    audits = add("audits", dataset, named)
    tuned: list[str] = []
    if training.enabled:
        seeds = range(config.seed, config.seed + training.seeds)
        tuned = [add("training", dataset, named, training.device, seed) for seed in seeds]
        if training.refit:
            add("training", dataset, named, training.device, config.seed, "refit")
    ranking = add("ranking", dataset, named, tuned[:1])
    add("evaluation", ranking, audits, config.seed)
    add("costs", dataset, named, config.seed)
    return stages


def _dataset(config: ExperimentConfig, add: Callable[..., str]) -> str:
    """The signature of the dataset, after those of the stages before it."""
    corpus, questions, dataset, trains = config.corpus, config.questions, config.dataset, config.training.enabled
    asks_llm = questions.backend != "extractive"
    if dataset.kind != "generated":
        files = [dataset.train, dataset.dev, dataset.test, dataset.path]
        return add("dataset", files, trains, corpus.context)
    reading = add("reading", corpus.path, corpus.url, corpus.sha256)
    chunks = add("corpus", reading)
    writer: Mapping[str, object] = asdict(held_back_writer(config)) if writes_held_back(config) else {}
    named = chunks if corpus.kind == "chunks" else None
    held = add("held_back", reading, questions.human, dataset.test_from, corpus.passage_tokens, writer, named)
    asked = add("questions", chunks, held, config.seed, trains) if asks_llm else add("questions", chunks)
    texts = chunks
    if corpus.context == "llm":
        texts = add("context", chunks, questions.backend, questions.model, questions.base_url)
    return add("dataset", texts, corpus.context, held, asked, trains)
