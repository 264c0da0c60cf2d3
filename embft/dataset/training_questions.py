"""Training questions for a dataset that came without: which of its documents they may be about, and where they go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from embft.config import DatasetConfig
from embft.dataset.leaks import without_leaks
from embft.dataset.splitting import carve_dev
from embft.records import Chunk, Page, Question, RetrievalDataset, Splits


def training_chunks(splits: Splits, config: DatasetConfig) -> tuple[list[Page], list[Chunk]]:
    """The documents that training questions may be about, each a page and a chunk under its own id.

    With ``dataset.train_on=unasked`` those that no dev or test question is about; with ``all`` every one.
    """
    corpus = {**splits.distractors, **splits.train.corpus, **splits.dev.corpus, **splits.test.corpus}
    relevant = {key for part in (splits.dev, splits.test) for ids in part.relevant_docs.values() for key in ids}
    texts = {
        key: text
        for key, text in sorted(corpus.items())
        if text.strip() and (config.train_on == "all" or key not in relevant)
    }
    pages = [Page(key, None, text) for key, text in texts.items()]
    return pages, [Chunk(page.document, page.text, page.document, None, 0, len(page.text)) for page in pages]


def with_training_questions(
    splits: Splits, questions: Sequence[Question], config: DatasetConfig, seed: int
) -> tuple[Splits, dict[str, int]]:
    """The splits with these questions to train on; a share of them is dev where there are no dev questions.

    Args:
        splits: Without train questions.
        questions: About chunks of `training_chunks`.
        config: ``train_on``, ``dev_fraction``.
        seed: Decides which chunks' questions are dev.

    Returns:
        The splits, and how many questions were left out by reason.
    """
    chunks = {chunk.id: chunk.text for chunk in training_chunks(splits, config)[1]}
    train = RetrievalDataset(
        {question.id: question.text for question in questions},
        chunks,
        {question.id: question.chunk_ids for question in questions},
    )
    dev = splits.dev
    if not dev.queries:
        train, dev = carve_dev(train, config.dev_fraction, seed)
    known = {*train.queries, *dev.queries}
    chunk_ids = {*train.corpus, *dev.corpus}
    shares = config.train_on == "all"
    joined = replace(
        splits,
        train=train,
        dev=dev,
        # What is trained on is no test's own any more, but is searched all the same.
        test=splits.test if shares else _less(splits.test, chunk_ids),
        distractors={key: text for key, text in splits.distractors.items() if key not in chunk_ids},
        origins={**splits.origins, **{one.id: one.origin for one in questions if one.id in known}},
        sources={
            one.id: one.evidence
            for one in questions
            if one.id in train.queries and one.origin == "extractive" and one.evidence
        },
        shares_chunks=shares,
    ).with_contexts(splits.test.contexts)
    kept, leaking = without_leaks(joined)
    return kept, {"generated questions that would give test questions away": leaking} if leaking else {}


def _less(part: RetrievalDataset, taken: set[str]) -> RetrievalDataset:
    return part.with_questions(part.queries, {key: text for key, text in part.corpus.items() if key not in taken})
