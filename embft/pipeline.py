"""One experiment, from documents to a verdict. This module alone knows the order of the stages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from embft.config import ExperimentConfig
from embft.config.problems import problems
from embft.errors import ConfigError
from embft.runs.folder import RunFolder
from embft.runs.processes import launch_problems
from embft.stages import StageCache, StageResult

logger = logging.getLogger(__name__)

STAGES = ("corpus", "questions", "dataset", "training", "ranking", "evaluation", "report")


def run_experiment(
    config: ExperimentConfig,
    folder: Path,
    *,
    command: str = "",
    group: str | None = None,
    choices: Mapping[str, str] | None = None,
) -> float:
    """Runs one experiment and writes everything about it to ``folder``.

    Args:
        config: What to do.
        folder: The run folder; must not hold another run.
        command: The command line, for the report.
        group: Name of the sweep that this run belongs to.
        choices: The config file chosen in each group, for the report.

    Returns:
        The objective, a dev metric: what a sweeper may optimise.

    Raises:
        EmbftError: A mistake that the user can mend. It is in ``status.json`` too.
    """
    found = [*problems(config), *launch_problems(config.training)]
    if found:
        raise ConfigError(found)
    for chatty in ("sentence_transformers", "transformers", "httpx", "httpx2", "datasets"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    run = RunFolder(folder, config, command=command, choices=choices or {})
    with run.recording() as status:
        return _run(config, run, status, group)


def _run(config: ExperimentConfig, run: RunFolder, enter: Callable[[str], None], group: str | None) -> float:
    # Heavy parts are imported once the configuration is known to be right.
    from embft.steps.audits import audit_dataset, refuse_leaks, say_audits
    from embft.steps.corpus import make_corpus
    from embft.steps.costs import measure_costs
    from embft.steps.dataset import given_corpus, make_dataset
    from embft.steps.evaluation import evaluate
    from embft.steps.general import check_general, measure_general
    from embft.steps.model import open_model
    from embft.steps.questions import estimate_run, make_questions
    from embft.steps.ranking import rank_systems
    from embft.steps.report import write_report
    from embft.steps.seeds import measure_seeds
    from embft.steps.tuned_model import make_tuned_model
    from embft.tracking import open_tracker

    cache_dir = Path(config.cache_dir).expanduser().absolute()
    stages = StageCache(cache_dir)
    timings: dict[str, dict[str, Any]] = {}

    def note(name: str, result: StageResult[Any]) -> None:
        timings[name] = {
            "seconds": round(result.seconds, 3),
            "cached": result.cached,
            "built_seconds": result.built_seconds,
        }
        logger.info("%-10s %6.1f s%s", name, result.seconds, "  (cached)" if result.cached else "")

    if config.questions.dry_run:
        enter("corpus")
        read = make_corpus(stages, config.corpus, cache_dir)
        enter("questions")
        print(estimate_run(config.questions, read, cache_dir, config.seed, run.folder))
        run.outcome = "dry run"
        return float("nan")

    # The model first: a model that cannot be had is known before any work.
    enter("model")
    base = open_model(config.model, config.retrieval, config.training.device, cache_dir)
    with open_tracker(config.tracking, folder=run.folder, name=run.name, group=group, settings=run.settings) as tracker:
        if config.evaluation.general is not None:
            enter("evaluation")
            check_general(config.evaluation.general)
        corpus = questions = None
        if config.dataset.kind == "generated":
            enter("corpus")
            corpus = make_corpus(stages, config.corpus, cache_dir)
            note("corpus", corpus)
            enter("questions")
            questions = make_questions(stages, config.questions, corpus, cache_dir, config.seed)
            note("questions", questions)
        elif config.training.enabled and (asked_about := given_corpus(stages, config.dataset, config.seed)):
            enter("questions")
            own = replace(config.questions, human=None)
            questions = make_questions(stages, own, asked_about, cache_dir, config.seed)
            note("questions", questions)
        enter("dataset")
        dataset = make_dataset(stages, config.dataset, corpus, questions, config.seed, config.training.enabled)
        note("dataset", dataset)
        run.copy_dataset(dataset.folder)

        tuned = None
        enter("audits")
        audits = audit_dataset(
            stages,
            config.model,
            dataset,
            corpus,
            questions.value.report["unmapped"] if questions else [],
            base,
            config.evaluation.confidence,
        )
        say_audits(audits.value)
        refuse_leaks(audits.value, config.dataset.leaks == "allow")
        if config.training.enabled:
            enter("training")
            tuned = make_tuned_model(stages, config.training, dataset, base, config.seed, tracker.log)
            note("training", tuned)
            run.copy_model(tuned.value.folder)
        enter("ranking")
        systems = config.evaluation.systems
        rankings = rank_systems(
            stages, systems, dataset, base, tuned, config.evaluation.openai, config.training.select_by
        )
        note("ranking", rankings)
        seeds, spent = measure_seeds(
            stages, config.training, config.evaluation.metrics, dataset, base, tuned, config.seed
        )
        if seeds is not None:
            timings["seeds"] = spent
        enter("evaluation")
        evaluated = evaluate(stages, config.evaluation, dataset, audits, rankings, config.seed)
        general = measure_general(stages, config.evaluation, base, tuned, config.seed)
        costs = measure_costs(stages, config.evaluation.systems, dataset, base, config.seed)
        note("evaluation", evaluated)
        enter("report")
        return write_report(
            config,
            run,
            tracker,
            base.encoder.name,
            corpus,
            questions,
            dataset,
            audits.value,
            tuned,
            rankings,
            evaluated,
            costs.value,
            general,
            seeds,
            timings,
        )
