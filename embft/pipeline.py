"""One experiment, from documents to a verdict. This module alone knows the order of the stages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from embft.config import ExperimentConfig
from embft.config.problems import problems
from embft.config.untrained import leave_out_tuned
from embft.errors import ConfigError
from embft.records import HELD_OUT_FOLDER, MODEL_FOLDER
from embft.runs.folder import RunFolder
from embft.runs.made_from import MadeFrom
from embft.training.processes import launch_problems

if TYPE_CHECKING:
    from embft.results import Timing
    from embft.stages import StageResult

logger = logging.getLogger(__name__)
T = TypeVar("T")

STAGES = (
    "reading", "corpus", "held_back", "questions", "context", "dataset", "training", "ranking", "judging", "evaluation",
    "report",
)  # fmt: skip


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
    config = leave_out_tuned(config)
    messages = [*problems(config), *launch_problems(config.training)]
    if messages:
        raise ConfigError(messages)
    for chatty in ("sentence_transformers", "transformers", "httpx", "httpx2", "datasets"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    run = RunFolder(folder, config, command=command, choices=choices or {})
    with run.recording() as enter:
        return _run(config, run, enter, group)


def origins(config: ExperimentConfig, cache_dir: Path) -> Mapping[str, str]:
    """What an experiment would be made from now, see `embft.steps.origins.origins_of`."""
    from embft.steps.origins import origins_of

    return origins_of(config, cache_dir)


def _run(config: ExperimentConfig, run: RunFolder, begin: Callable[[str], None], group: str | None) -> float:
    # Heavy parts are imported once the configuration is known to be right.
    from embft.evaluation.answers import around_of
    from embft.steps.audits import audit_dataset, log_power, refuse_leaks
    from embft.steps.context import add_contexts
    from embft.steps.context_choice import context_kind
    from embft.steps.corpus import make_corpus
    from embft.steps.costs import measure_costs
    from embft.steps.dataset import given_corpus, make_dataset
    from embft.steps.estimate import estimate_run
    from embft.steps.evaluation import evaluate
    from embft.steps.general import check_general, measure_general
    from embft.steps.held_back import hold_back_questions
    from embft.steps.judging import estimate_judging, judge_pool
    from embft.steps.model import open_model
    from embft.steps.questions import make_questions
    from embft.steps.ranking import check_reranker, rank_systems
    from embft.steps.reading import read_corpus_documents
    from embft.steps.refit import refit_model
    from embft.steps.report import Stages, make_outcome, write_report
    from embft.steps.search import write_search
    from embft.steps.seeds import measure_seeds
    from embft.steps.tuning import tune_model
    from embft.steps.workspace import Workspace
    from embft.tracking import open_tracker

    workspace = Workspace(config, Path(config.cache_dir).expanduser().absolute())
    timings, made_from = _Timings(), MadeFrom(run.folder)

    def enter(stage: str) -> None:
        begin(stage)
        made_from.note(workspace.used)

    if config.questions.dry_run:
        enter("corpus")
        documents = read_corpus_documents(workspace)
        chunks = make_corpus(workspace, documents)
        enter("questions")
        print(estimate_run(workspace, documents, chunks, run.folder))
        run.outcome = "dry run"
        return float("nan")

    # The model first: a model that is not available is known before any work.
    enter("model")
    lab = open_model(workspace)
    check_reranker(lab)
    # Before anything is read: what changes while the run is in progress is then known to be different.
    made_from.begin(origins(config, lab.cache_dir))
    with open_tracker(config.tracking, folder=run.folder, name=run.name, group=group, settings=run.tracked) as tracker:
        if config.evaluation.general is not None:
            enter("evaluation")
            check_general(config.evaluation.general)

        corpus = asked = questions = context_choice = None
        if config.dataset.kind == "generated":
            enter("corpus")
            reading = timings.note("reading", read_corpus_documents(lab))
            corpus = timings.note("corpus", make_corpus(lab, reading))
            enter("questions")
            asked = timings.note("held_back", hold_back_questions(lab, reading, corpus))
            questions = timings.note("questions", make_questions(lab, corpus, asked))
            if config.questions.stands_in:
                logger.warning("%s", config.questions.stands_in)
            kind, context_choice = context_kind(lab, corpus, asked, questions)
            bare, corpus = corpus, add_contexts(lab, corpus, kind)
            if corpus is not bare:
                timings.note("context", corpus)
        elif config.training.enabled and (given := given_corpus(lab)) is not None:
            enter("questions")
            questions = timings.note("questions", make_questions(lab, given, None))

        enter("dataset")
        dataset = timings.note("dataset", make_dataset(lab, corpus, asked, questions))
        run.copy_dataset(dataset.folder)

        enter("audits")
        audits = audit_dataset(lab, dataset, corpus, asked)
        log_power(audits.value)
        refuse_leaks(audits.value, config.dataset.leaks == "allow")

        tuned = None
        if config.training.enabled:
            enter("training")
            tuned = timings.note("training", tune_model(lab, dataset, tracker.log))
            run.copy_model(tuned.value.folder, HELD_OUT_FOLDER if config.training.refit else MODEL_FOLDER)

        around = around_of(corpus.value.chunks, config.retrieval.expand) if corpus else {}
        enter("ranking")
        rankings = timings.note("ranking", rank_systems(lab, dataset, tuned))
        seeds = None
        if (spread := measure_seeds(lab, dataset, tuned, around)) is not None:
            seeds, timings.by_stage["seeds"] = spread

        judged = None
        if config.evaluation.judge != "none":
            enter("judging")
            if config.evaluation.judging.dry_run:
                print(estimate_judging(lab, dataset, rankings))
                run.outcome = "dry run"
                return float("nan")
            judged = timings.note("judging", judge_pool(lab, dataset, rankings))

        enter("evaluation")
        evaluated = evaluate(lab, dataset, audits, rankings, around, judged)
        general = measure_general(lab, tuned)
        measured = measure_costs(lab, dataset)
        timings.note("evaluation", evaluated)

        refitted = None
        if tuned is not None and config.training.refit:
            enter("refit")
            if (refitted := refit_model(lab, dataset, questions, tuned, asked)) is not None:
                timings.note("refit", refitted)
            run.copy_model((refitted or tuned).value.folder)

        enter("report")
        stages = Stages(
            corpus.value if corpus else None,
            asked.value if asked else None,
            questions.value if questions else None,
            dataset.value,
            audits.value,
            tuned.value if tuned else None,
            rankings.value,
            evaluated.value,
            measured.value,
            general,
            seeds,
            lab.base.encoder.notes,
            refitted.value if refitted else None,
            judged.value if judged else None,
            context_choice,
        )
        outcome = make_outcome(config, run, lab.base.encoder.name, stages, timings.by_stage)
        write_report(outcome, run, tracker)
        # Last: whoever finds search.json may serve the run.
        write_search(outcome, dataset.value.splits.searched("test"), run.folder, lab.base)
        return outcome.objective


class _Timings:
    """What each stage took, logged as it ends."""

    def __init__(self) -> None:
        self.by_stage: dict[str, Timing] = {}

    def note(self, name: str, result: StageResult[T]) -> StageResult[T]:
        """Notes a stage's time and gives its result back."""
        from embft.results import Timing

        self.by_stage[name] = Timing(round(result.seconds, 3), result.cached, result.built_seconds)
        logger.info("%-10s %6.1f s%s", name, result.seconds, "  (cached)" if result.cached else "")
        return result
