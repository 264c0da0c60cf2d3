"""Train, dev and test: which passage goes where, so that none stands in two splits.

Human questions, where there are any, are dev and test; then generated questions train on the chunks that no human asked
about. Without human questions, blocks of neighbouring pages (or whole documents) are dealt out, because neighbours share
sentences and topics.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence

from embft.config import DatasetConfig
from embft.errors import DatasetError
from embft.records import Chunk, Question, RetrievalDataset

_FEWEST_BLOCKS = 20


def deal_out(
    passages: Sequence[Chunk], questions: Sequence[Question], config: DatasetConfig, *, by_questions: bool
) -> dict[str, str]:
    """Says for each passage whether it is train's, dev's or test's.

    Args:
        passages: In reading order.
        questions: About them; passages that share one stay together.
        config: ``split``, ``block_pages``, ``train_pages``, fractions (of passages; of questions by questions) and ``seed``.
        by_questions: Dev and test are what these questions are about, and nothing else; otherwise blocks of pages, or whole
            documents.

    Raises:
        DatasetError: The corpus has too few documents for ``dataset.split=documents``.
    """
    if by_questions:
        return _split_by_human_questions(passages, questions, config, config.seed)
    return _split_by_units(passages, questions, config, config.seed)


def carve_dev(train: RetrievalDataset, fraction: float, seed: int) -> tuple[RetrievalDataset, RetrievalDataset]:
    """Takes a share of a train set's chunks, with their questions, for dev.

    Questions that share a chunk stay together. Returns (train, dev).
    """
    groups = linked_groups(train.relevant_docs.values())
    asked = sorted({chunk_id for ids in train.relevant_docs.values() for chunk_id in ids})
    units: dict[Hashable, list[str]] = defaultdict(list)
    for chunk_id in asked:
        units[groups[chunk_id]].append(chunk_id)
    chosen: set[str] = set()
    for unit in _shuffled(units, seed):
        if len(chosen) >= round(fraction * len(asked)):
            break
        chosen.update(units[unit])

    def part(keep_dev: bool) -> RetrievalDataset:
        corpus = {key: text for key, text in train.corpus.items() if (key in chosen) == keep_dev}
        own = [key for key in train.queries if (train.relevant_docs[key][0] in chosen) == keep_dev]
        return train.with_questions(own, corpus)

    return part(False), part(True)


def linked_groups(chunk_sets: Iterable[Sequence[str]]) -> dict[str, str]:
    """Maps each chunk to its group: chunks that share a question are in one group (union-find)."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for ids in chunk_sets:
        for other in ids:
            parent[root(other)] = root(ids[0])
    return {key: root(key) for key in parent}


def _split_by_human_questions(
    chunks: Sequence[Chunk], human: Sequence[Question], config: DatasetConfig, seed: int
) -> dict[str, str]:
    """Dev and test are what people asked about, by groups of chunks that share questions; the rest trains."""
    group_of = linked_groups(question.chunk_ids for question in human)
    questions_in = Counter(group_of[question.chunk_ids[0]] for question in human)
    dev_share = config.dev_fraction / ((config.dev_fraction + config.test_fraction) or 1.0)
    dev: set[str] = set()
    taken = 0
    for group in _shuffled(questions_in, seed):
        if taken >= round(dev_share * len(human)):
            break
        dev.add(group)
        taken += questions_in[group]
    return {
        chunk.id: "train" if chunk.id not in group_of else "dev" if group_of[chunk.id] in dev else "test"
        for chunk in chunks
    }


def _split_by_units(
    chunks: Sequence[Chunk], questions: Sequence[Question], config: DatasetConfig, seed: int
) -> dict[str, str]:
    """Deals out blocks of pages, or documents; units that share a question stay together."""
    unit_of = _units(chunks, config)
    linked = linked_groups([str(unit_of[chunk_id]) for chunk_id in question.chunk_ids] for question in questions)
    unit_of = {key: linked.get(str(unit), str(unit)) for key, unit in unit_of.items()}
    sizes = Counter(unit_of.values())
    split_of_unit: dict[Hashable, str] = {}
    test_target = round(config.test_fraction * len(chunks))
    if config.split == "article":
        after = {unit_of[chunk.id] for chunk in chunks if chunk.page is not None and chunk.page > config.train_pages}
        split_of_unit = dict.fromkeys(after, "test")
        test_target = 0
    dev_target = round(config.dev_fraction * (len(chunks) - sum(sizes[unit] for unit in split_of_unit)))
    room = {"test": test_target, "dev": dev_target}
    for unit in _shuffled(sizes, seed):
        if unit in split_of_unit:
            continue
        home = next((name for name, left in room.items() if left > 0), "train")
        split_of_unit[unit] = home
        if home in room:
            room[home] -= sizes[unit]
    return {chunk.id: split_of_unit[unit_of[chunk.id]] for chunk in chunks}


def _units(chunks: Sequence[Chunk], config: DatasetConfig) -> dict[str, Hashable]:
    if config.split == "documents":
        documents = {chunk.document for chunk in chunks}
        if len(documents) < 3:
            raise DatasetError(
                f"dataset.split=documents needs at least 3 documents, the corpus has {len(documents)}: "
                "use dataset.split=blocks."
            )
        return {chunk.id: chunk.document for chunk in chunks}
    position: Counter[str] = Counter()
    places: dict[str, tuple[str, bool, int]] = {}
    for chunk in chunks:
        is_after = config.split == "article" and chunk.page is not None and chunk.page > config.train_pages
        if chunk.page is None:
            place = position[chunk.document]
            position[chunk.document] += 1
        else:
            # A block never spans the article's cut: page train_pages + 1 is the first of test. (The article's own code
            # left that page out of both.)
            place = chunk.page - 1 - (config.train_pages if is_after else 0)
        places[chunk.id] = (chunk.document, is_after, place)
    # A small corpus is cut finer, or the first blocks dealt would take all of it.
    block = max(1, min(config.block_pages, len(set(places.values())) // _FEWEST_BLOCKS))
    return {key: (document, is_after, place // block) for key, (document, is_after, place) in places.items()}


def _shuffled(units: Mapping[str, object] | Mapping[Hashable, object], seed: int) -> list[str]:
    order = sorted(str(unit) for unit in units)
    random.Random(seed).shuffle(order)
    return order
