"""Stage ``refit``: the model that ships, trained by the judged one's recipe on everything."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from embft.files import digest
from embft.results import Asked, Dataset, QuestionSet, Tuned
from embft.source_code import code_of
from embft.stages import StageResult
from embft.steps.tuning import tune_model
from embft.steps.workspace import Lab
from embft.training.everything import everything, same_recipe

logger = logging.getLogger(__name__)


def refit_model(
    lab: Lab,
    dataset: StageResult[Dataset],
    questions: StageResult[QuestionSet] | None,
    tuned: StageResult[Tuned] | None,
    asked: StageResult[Asked] | None = None,
) -> StageResult[Tuned] | None:
    """Trains the tuned model once more, on train, dev and test questions and all chunks.

    It is a training of the cache like any other, with a key of its own: it continues where it was killed, and jobs of a sweep
    share it.

    Args:
        questions: Where some were generated.
        tuned: The model that was judged.
        asked: Dev and test questions, where a corpus was asked about.

    Returns:
        None where ``training.refit`` is off, nothing was tuned, or dev showed that tuning does harm.
    """
    training = lab.config.training
    if not training.refit or tuned is None:
        return None
    judged = tuned.value.report
    if judged.kept_base:
        logger.warning(
            "training.refit: on dev tuning did harm, so the base model is kept as it is: there is nothing to refit."
        )
        return None
    generated = [*questions.value.questions] if questions else []
    # Those of dev and test that were cut out of a passage have a sentence to hide too.
    held = [question for part in asked.value.held.questions.values() for question in part] if asked else []
    whole = everything(dataset.value.splits, [*generated, *held])
    counted = "" if judged.learned_from == "windows" else f"{len(whole.train.queries):,} questions and "
    logger.info(
        "Training the model that ships: the judged one's recipe on all %s%s chunks.",
        counted, f"{len(whole.train.corpus):,}",
    )  # fmt: skip
    # No build imports what joins the splits, so its code is named here.
    code = code_of(everything.__module__).digest
    key = digest(["everything", code, dataset.key, questions.key if questions else ""])
    recipe = replace(lab, config=replace(lab.config, training=same_recipe(training, judged)))
    return tune_model(recipe, replace(dataset, key=key, value=replace(dataset.value, splits=whole)), _ignore)


def _ignore(values: Mapping[str, float], step: int | None) -> None:
    """The tracker shows the curve of the judged model's training."""
