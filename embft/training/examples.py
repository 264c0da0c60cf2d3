"""Training examples: one a chunk, with all its questions and the passages that answer them."""

from __future__ import annotations

import hashlib
import logging
import random
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embft.embedded_text import own_text
from embft.records import Passages, RetrievalDataset
from embft.retrieval.bm25 import BM25Scorer
from embft.retrieval.scoring import min_max

Vectors = npt.NDArray[np.float32]
logger = logging.getLogger(__name__)

_SHORTEST = 80
"""Characters of a passage that must be left once sentences are hidden."""


@dataclass(frozen=True)
class ChunkExample:
    """A chunk's questions and what they should find.

    Attributes:
        chunk_id: The chunk.
        questions: Texts; each has one target.
        passages: The chunk's text, or those of its windows that a question is about; then hard negatives, if any.
        chunks: For each passage, the chunk that it is from.
        targets: For each question, the position in ``passages`` of its positive.
        relevant: For each question, every chunk that answers it; none of them is ever its negative.
    """

    chunk_id: str
    questions: tuple[str, ...]
    passages: tuple[str, ...]
    chunks: tuple[str, ...]
    targets: tuple[int, ...]
    relevant: tuple[frozenset[str], ...]


def by_chunk(
    dataset: RetrievalDataset,
    passages: Passages,
    best_window: Callable[[str, Sequence[int]], int],
    hide: Mapping[str, str] | None = None,
) -> list[ChunkExample]:
    """Groups a train set by chunk.

    A question with several relevant chunks trains on the first of them; the others are kept from being its negatives.

    Args:
        dataset: Train questions; every relevant chunk is in ``passages``.
        passages: Windows, or whole chunks.
        best_window: From a question's id and the positions of a chunk's windows, the position of the one that the
            question is about.
        hide: Question id to a sentence that is taken out of its passage.
    """
    hide = hide or {}
    position = {chunk_id: index for index, chunk_id in enumerate(passages.chunk_ids)}
    starts = [*passages.starts.tolist(), len(passages.texts)]
    asked: dict[str, list[str]] = defaultdict(list)
    for question_id, chunk_ids in dataset.relevant_docs.items():
        asked[chunk_ids[0]].append(question_id)
    examples = []
    for chunk_id, question_ids in asked.items():
        windows = range(starts[position[chunk_id]], starts[position[chunk_id] + 1])
        chosen = [best_window(question_id, windows) for question_id in question_ids]
        distinct = sorted(set(chosen))
        examples.append(
            ChunkExample(
                chunk_id,
                tuple(dataset.queries[question_id] for question_id in question_ids),
                tuple(
                    _without(
                        passages.texts[window],
                        [hide[q] for q, w in zip(question_ids, chosen, strict=True) if w == window and q in hide],
                    )
                    for window in distinct
                ),
                (chunk_id,) * len(distinct),
                tuple(distinct.index(window) for window in chosen),
                tuple(frozenset(dataset.relevant_docs[question_id]) for question_id in question_ids),
            )
        )
    return examples


def window_pairs(passages: Passages, contexts: Mapping[str, str] | None = None) -> list[ChunkExample]:
    """Examples without questions: the first window of a chunk asks for its second, the last for the last but one.

    Two stretches of one text say different things about the same matter, so what they share is meaning more than words.
    Izacard et al., "Unsupervised Dense Information Retrieval with Contrastive Learning", TMLR 2022, section 3.2 (cropping).

    Args:
        passages: Windows of the train chunks; a chunk with one only is left out.
        contexts: Chunk id to context. What asks is a window's own text: two windows that begin with one title would match
            by that alone, and nobody who asks knows it.
    """
    starts = [*passages.starts.tolist(), len(passages.texts)]
    examples = []
    for place, chunk_id in enumerate(passages.chunk_ids):
        first, last = starts[place], starts[place + 1] - 1
        if first == last:
            continue
        context = (contexts or {}).get(chunk_id, "")
        targets = sorted({first + 1, last - 1})
        examples.append(
            ChunkExample(
                chunk_id,
                tuple(own_text(context, passages.texts[asking]) for asking in (first, last)),
                tuple(passages.texts[target] for target in targets),
                (chunk_id,) * len(targets),
                (targets.index(first + 1), targets.index(last - 1)),
                (frozenset({chunk_id}),) * 2,
            )
        )
    return examples


def drawn(examples: Sequence[ChunkExample], most: int | None, seed: int) -> list[ChunkExample]:
    """So many examples at random, in their order; all where there are no more, or ``most`` is None."""
    if most is None or len(examples) <= most:
        return list(examples)
    logger.info(
        "%s of %s train chunks are drawn (training.window_chunks).",
        f"{most:,}", f"{len(examples):,}",
    )  # fmt: skip
    return [examples[place] for place in sorted(random.Random(seed).sample(range(len(examples)), most))]


def hidden(sources: Mapping[str, str], share: float) -> dict[str, str]:
    """Chooses the questions whose sentence is hidden: the inverse cloze task.

    A query cut out of a passage shares its words, and a model that trains on that learns to match words. With the
    sentence gone it has to learn what goes with what. Lee, Chang and Toutanova, "Latent Retrieval for Weakly Supervised
    Open Domain Question Answering", ACL 2019, section 4: 90% are hidden, so that matching words stays worth something.
    """
    digests = {key: int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") / 2**32 for key in sources}
    return {key: sentence for key, sentence in sources.items() if digests[key] < share}


def _without(passage: str, sentences: Sequence[str]) -> str:
    """Takes sentences out of a passage, unless too little would be left."""
    if not sentences:
        return passage
    text = passage
    for sentence in sentences:
        text = re.sub(r"\s+".join(re.escape(word) for word in sentence.split()), " ", text)
    return text.strip() if len(text.strip()) >= _SHORTEST else passage


def window_chooser(
    queries: Mapping[str, str], texts: Sequence[str], questions: Vectors | None, windows: Vectors | None
) -> Callable[[str, Sequence[int]], int]:
    """Returns a function that finds the window that a question is about, by BM25 and the base model in an even mix.

    Each is wrong about some windows of long chunks, and a wrong positive teaches the wrong thing: in cross-validation on the
    10-K the mix moved 3 of 10 positives, and the tuned model gained (docs/decisions.md).

    Args:
        queries: Question ids in the order of ``questions``.
        texts: Of the windows.
        questions: The base model's, float32 [n_questions, dim], unit length.
        windows: The base model's, float32 [n_windows, dim], unit length. Without vectors words alone decide.
    """
    row = {question_id: index for index, question_id in enumerate(queries)}
    lexical = BM25Scorer({str(index): text for index, text in enumerate(texts)}, list(queries.values()))

    def choose(question_id: str, candidates: Sequence[int]) -> int:
        if len(candidates) == 1:
            return candidates[0]
        at, columns = row[question_id], list(candidates)
        words = lexical.scores(at, at + 1)[:, columns]  # (1, W)
        score = min_max(words)
        if questions is not None and windows is not None:
            score = score + min_max((questions[at] @ windows[columns].T)[None])
        return candidates[int(np.argmax(score))]

    return choose
