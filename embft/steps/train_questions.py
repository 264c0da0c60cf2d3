"""Which of the train questions are trained on."""

from __future__ import annotations

import logging

from embft.config_training import TrainingConfig
from embft.dataset.truncation import hidden_evidence, sights_of
from embft.records import RetrievalDataset, Splits
from embft.steps.embedding import Embedder

logger = logging.getLogger(__name__)


def questions_to_train_on(config: TrainingConfig, splits: Splits, base: Embedder) -> RetrievalDataset:
    """The train questions, without those about text that truncation hides from the model.

    Their positive would be a beginning that does not answer them. In cross-validation on the 10-K half of the questions, those
    that are left, taught more than all of them (docs/experiments.md). The corpus stays whole.
    """
    train = splits.train
    if config.train_unread or base.retrieval.mode != "truncate" or base.encoder.usable_tokens() is None:
        return train
    sights = sights_of(train.corpus, base.encoder.token_spans, base.encoder.read_ends(list(train.corpus.values())))
    hidden = hidden_evidence(train, sights)
    kept = {key: text for key, text in train.queries.items() if key not in hidden}
    if len({train.relevant_docs[key][0] for key in kept}) < 2:
        logger.warning("Nearly all train questions ask about text that truncation hides; all are trained on.")
        return train
    if hidden:
        logger.info(
            "%d of %d train questions ask about text that truncation hides, and are left out.",
            len(hidden), len(train.queries),
        )  # fmt: skip
    return RetrievalDataset(kept, train.corpus, {key: train.relevant_docs[key] for key in kept})
