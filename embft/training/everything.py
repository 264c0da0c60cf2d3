"""All that there is to train on: what a model is trained on again before it is shipped, once it has been judged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from embft.config.training import TrainingConfig
from embft.records import Question, RetrievalDataset, Splits
from embft.training.report import TrainingReport


def everything(splits: Splits, questions: Iterable[Question]) -> Splits:
    """One train split of all questions and all chunks; dev and test are empty.

    Args:
        splits: As the judged model had them.
        questions: That were generated: of those cut out of a passage, their sentence is known.
    """
    parts = (splits.train, splits.dev, splits.test)
    corpus = dict(splits.distractors)
    for part in parts:
        corpus.update(part.corpus)
    train = RetrievalDataset(
        {key: text for part in parts for key, text in part.queries.items()},
        dict(sorted(corpus.items())),
        {key: ids for part in parts for key, ids in part.relevant_docs.items()},
        {key: grades for part in parts for key, grades in part.grades.items()},
        {key: ids for part in parts for key, ids in part.excluded.items()},
        contexts=splits.train.contexts,
    )
    cut_out = {
        one.id: one.evidence
        for one in questions
        if one.origin == "extractive" and one.evidence and one.id in train.queries
    }
    nothing = RetrievalDataset({}, {}, {})
    return replace(splits, train=train, dev=nothing, test=nothing, sources={**splits.sources, **cut_out})


def same_recipe(config: TrainingConfig, judged: TrainingReport) -> TrainingConfig:
    """The recipe as the judged model had it in the end, where dev and the questions decided: dev is trained on now.

    As many epochs as the kept one took; windows, or questions; a whitening that dev refused stays out.
    """
    whitened = judged.whitening is not None and judged.whitening.left_out is None
    return replace(
        config,
        epochs=judged.best_epoch,
        patience=0,
        # An adapter learns from questions whatever this says.
        learn_from=config.learn_from if config.part == "adapter" else judged.learned_from,
        whitening=judged.whitening.strength if whitened and judged.whitening else 0.0,
    )
