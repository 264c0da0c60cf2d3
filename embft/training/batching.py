"""Batches by chunk: each passage is encoded once a step, with all the questions about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from embft.training.examples import ChunkExample

if TYPE_CHECKING:
    from torch import Tensor

Vectors = npt.NDArray[np.float32]

NO_CHUNK = -1


class Teacher(Protocol):
    """Scores that a student should come close to."""

    def scores(self, questions: Sequence[str], passages: Sequence[str]) -> Vectors:
        """float32 [Q, P], on the scale of logits."""
        ...


Guide = Callable[[Sequence[str], Sequence[str]], "tuple[Vectors, Vectors] | Vectors"]
"""From questions and passages to a guide model's vectors of them, of length 1; or to its scores, float32 [Q, P]."""


@dataclass
class ByChunkCollator:
    """Turns rows ``{"example": position}`` into the features of one step.

    Attributes:
        examples: What the positions stand for.
        preprocess: The model's ``preprocess(texts, prompt=...)``.
        query_prompt, document_prompt: Put before questions and passages, as at evaluation.
        guide, teacher: What the loss asks besides the model, if anything.
        with_tasks: Whether the model is told which texts are questions: one of many vectors per text.
    """

    examples: Sequence[ChunkExample]
    preprocess: Callable[..., Any]
    query_prompt: str
    document_prompt: str
    guide: Guide | None = None
    teacher: Teacher | None = None
    with_tasks: bool = False

    # The trainer reads this to tell label columns from texts; the rows here have none.
    valid_label_columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        chunks = {chunk for example in self.examples for chunk in example.chunks}
        chunks.update(chunk for example in self.examples for relevant in example.relevant for chunk in relevant)
        self._number = {chunk: number for number, chunk in enumerate(sorted(chunks))}

    def __call__(self, rows: Sequence[dict[str, int]]) -> dict[str, Tensor]:
        """Returns tensors: ``question_*`` [Q, ...], ``passage_*`` [P, ...], ``label`` int64 [Q, 1 + R].

        A question's label is the row of its positive passage and the numbers of its relevant chunks; ``passage_chunk`` has
        each passage's number.

        With several processes ``rows`` are the whole step's in each of them. ``label``, ``passage_chunk`` and the columns of
        a teacher's scores are about all of it; texts, and what is worked out of them, are this process's share: the first
        ``question_rows`` and ``passage_rows``. A process without a share gets texts that do not count, for the model has
        to be run in every process.
        """
        import torch

        from embft.training.gathering import share, world

        batch = [self.examples[row["example"]] for row in rows]
        own = batch[share(len(batch))]
        questions = [text for example in own or batch[:1] for text in example.questions]
        passages = [text for example in own or batch[:1] for text in example.passages]
        features: dict[str, Tensor] = {}
        for name, texts, prompt, task in (
            ("question", questions, self.query_prompt, "query"),
            ("passage", passages, self.document_prompt, "document"),
        ):
            told = {"task": task} if self.with_tasks else {}
            encoded = {**self.preprocess(texts, prompt=prompt or None, **told), **told}
            features.update({f"{name}_{key}": value for key, value in encoded.items()})
        labels, owners = self.labels(batch)
        features["label"] = torch.from_numpy(labels)
        features["passage_chunk"] = torch.from_numpy(owners)
        if world() > 1:
            features["question_rows"] = torch.tensor(len(questions) if own else 0)
            features["passage_rows"] = torch.tensor(len(passages) if own else 0)
        if self.guide is not None:
            opinion = self.guide(questions, passages)
            sides = (
                {"question": opinion}
                if isinstance(opinion, np.ndarray)
                else dict(zip(("question", "passage"), opinion, strict=True))
            )
            features.update({f"{name}_guide": torch.from_numpy(rows) for name, rows in sides.items()})
        if self.teacher is not None:
            whole = [text for example in batch for text in example.passages]
            features["question_teacher"] = torch.from_numpy(self.teacher.scores(questions, whole))
        return features

    def labels(self, batch: Sequence[ChunkExample]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """int64 [Q, 1 + R], padded with `NO_CHUNK`, and int64 [P]: see `__call__`."""
        owners = [self._number[chunk] for example in batch for chunk in example.chunks]
        widest = max(len(relevant) for example in batch for relevant in example.relevant)
        rows, first = [], 0
        for example in batch:
            for target, relevant in zip(example.targets, example.relevant, strict=True):
                numbers = sorted(self._number[chunk] for chunk in relevant)
                rows.append([first + target, *numbers, *[NO_CHUNK] * (widest - len(numbers))])
            first += len(example.passages)
        return np.asarray(rows, np.int64), np.asarray(owners, np.int64)
