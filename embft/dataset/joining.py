"""Questions and chunks to train, dev and test: dev and test are fixed, training takes what they leave."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from embft.config import DatasetConfig
from embft.dataset.holding_back import HELD, HeldBack
from embft.errors import DatasetError
from embft.records import Chunk, Question, RetrievalDataset, Splits

UNANSWERED = "questions whose evidence stands in no chunk"


def homes_of(chunks: Sequence[Chunk], held: HeldBack) -> dict[str, str]:
    """The split of each chunk: test where it holds some of what test holds back, or else dev, or else train.

    Args:
        held: With the chunks that answer its questions.
    """
    home = {chunk.id: "train" for chunk in chunks}
    for name in HELD:  # test last: where a chunk holds some of both, it is test's
        asked = {chunk_id for question in held.questions.get(name, ()) for chunk_id in question.chunk_ids}
        ends: dict[tuple[str, int | None], list[tuple[int, int]]] = defaultdict(list)
        for place in held.stretches.get(name, ()):
            ends[place.document, place.page].append((place.start, place.end))
        for stretches in ends.values():
            stretches.sort()
        for chunk in chunks:
            if chunk.id in asked or _overlaps(chunk, ends.get((chunk.document, chunk.page), ())):
                home[chunk.id] = name
    return home


def split_questions(
    chunks: Sequence[Chunk],
    held: HeldBack,
    generated: Sequence[Question],
    config: DatasetConfig,
    *,
    training: bool = True,
) -> tuple[Splits, dict[str, int]]:
    """Puts chunks and questions into train, dev and test.

    Args:
        chunks: Every chunk of the corpus, in reading order.
        held: Dev and test questions, with the chunks that answer them.
        generated: Questions to train on, wherever they are about.
        config: ``candidates``, ``train_on``.
        training: False where nothing is trained: then train may be empty.

    Returns:
        The splits, and how many questions were left out by reason.

    Raises:
        DatasetError: A split would be empty.
    """
    home = homes_of(chunks, held)
    left_out: Counter[str] = Counter(held.left_out)
    shares = held.by_people and config.train_on == "all"
    parts: dict[str, list[Question]] = {"train": []}
    for name in HELD:
        parts[name] = [question for question in held.questions[name] if question.chunk_ids]
        left_out[UNANSWERED] += len(held.questions[name]) - len(parts[name])
    for question in generated:
        homes = {home[chunk_id] for chunk_id in question.chunk_ids}
        if shares or homes == {"train"}:  # all: what one does before shipping; no question of the test is seen
            parts["train"].append(question)
        elif len(homes) > 1:
            left_out["questions about chunks of several splits"] += 1
        elif held.by_people:
            left_out["generated questions about chunks that a person asked about"] += 1
    relevant = {name: {key for one in parts[name] for key in one.chunk_ids} for name in HELD}
    datasets = {
        name: _dataset(
            asked,
            {
                chunk.id: chunk.text
                for chunk in chunks
                if home[chunk.id] == name or (shares and name == "train") or chunk.id in relevant.get(name, ())
            },
        )
        for name, asked in parts.items()
    }
    everywhere = Splits.EVERYTHING
    splits = Splits(
        datasets["train"],
        datasets["dev"],
        datasets["test"],
        distractors={},
        searches={name: everywhere if config.candidates == "all" else (name,) for name in HELD},
        origins={question.id: question.origin for asked in parts.values() for question in asked},
        sources={q.id: q.evidence for q in parts["train"] if q.origin == "extractive" and q.evidence},
        counts={question.id: question.count for asked in parts.values() for question in asked if question.count > 1},
        keeps_dev=True,
        shares_chunks=shares,
    ).with_contexts({chunk.id: chunk.context for chunk in chunks if chunk.context})
    _refuse_empty(splits, held.by_people, training)
    return splits, {reason: count for reason, count in left_out.items() if count}


def _overlaps(chunk: Chunk, stretches: Sequence[tuple[int, int]]) -> bool:
    """Whether a chunk shares text with one of the stretches, which are sorted and apart."""
    at = bisect_left(stretches, (chunk.end, 0))  # those before it start within the chunk or earlier
    return at > 0 and stretches[at - 1][1] > chunk.start


def _dataset(asked: Sequence[Question], corpus: Mapping[str, str]) -> RetrievalDataset:
    grades = {
        question.id: {key: grade for key, grade in zip(question.chunk_ids, question.grades, strict=True) if grade > 1}
        for question in asked
        if question.grades
    }
    return RetrievalDataset(
        {question.id: question.text for question in asked},
        corpus,
        {question.id: question.chunk_ids for question in asked},
        {key: own for key, own in grades.items() if own},
    )


def _refuse_empty(splits: Splits, human: bool, training: bool) -> None:
    empty = [name for name in RetrievalDataset.SPLITS if not getattr(splits, name).queries]
    if "test" not in empty and not (training and "train" in empty):
        return
    remedy = (
        "ask fewer questions about the same chunks, or give a larger corpus"
        if human
        else "give more documents, or lower dataset.block_pages, or change dataset.dev_fraction and dataset.test_fraction"
    )
    raise DatasetError(
        f"The split leaves {' and '.join(empty)} without questions "
        f"({len(splits.train.corpus)} train, {len(splits.dev.corpus)} dev, {len(splits.test.corpus)} test chunks): {remedy}."
    )
