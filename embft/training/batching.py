"""Batches by chunk: each passage is encoded once a step, with all the questions about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from embft.training.examples import ChunkExample

POSITIVE, NEGATIVE, IGNORED = 1, 0, -1


class ByChunkCollator:
    """Turns rows ``{"example": position}`` into the features of one step.

    Args:
        examples: What the positions stand for.
        preprocess: The model's ``preprocess(texts, prompt=...)``.
        query_prompt, document_prompt: Put before questions and passages, as at evaluation.
    """

    # The trainer reads this to tell label columns from texts; the rows here have none.
    valid_label_columns: tuple[str, ...] = ()

    def __init__(
        self, examples: Sequence[ChunkExample], preprocess: Callable[..., Any], query_prompt: str, document_prompt: str
    ) -> None:
        self._examples = examples
        self._preprocess = preprocess
        self._query_prompt = query_prompt
        self._document_prompt = document_prompt

    def __call__(self, rows: Sequence[dict[str, int]]) -> dict[str, Any]:
        """Returns tensors: ``question_*`` [Q, tokens], ``passage_*`` [P, tokens], ``label`` int64 [Q, P]."""
        import torch

        batch = [self._examples[row["example"]] for row in rows]
        questions = [text for example in batch for text in example.questions]
        passages = [text for example in batch for text in example.passages]
        features: dict[str, Any] = {"label": torch.from_numpy(label_matrix(batch))}
        for name, texts, prompt in (
            ("question", questions, self._query_prompt),
            ("passage", passages, self._document_prompt),
        ):
            encoded = self._preprocess(texts, prompt=prompt or None)
            features.update({f"{name}_{key}": value for key, value in encoded.items()})
        return features


def label_matrix(batch: Sequence[ChunkExample]) -> npt.NDArray[np.int64]:
    """Says what each passage of a batch is to each question; int64 [Q, P].

    1 its positive, 0 a negative, -1 neither: another passage of the same chunk, or of another chunk that answers it.
    """
    owners = [example.chunk_id for example in batch for _ in example.passages]
    first = 0
    rows = []
    for example in batch:
        for target, relevant in zip(example.targets, example.relevant, strict=True):
            row = np.array([IGNORED if owner in relevant else NEGATIVE for owner in owners], np.int64)
            row[first + target] = POSITIVE
            rows.append(row)
        first += len(example.passages)
    return np.stack(rows)
