"""Teachers for ``loss=distillation``: stronger scorers whose opinion of a step's passages a student should share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from embft.errors import TrainingError
from embft.retrieval.bm25 import BM25Scorer
from embft.retrieval.scoring import min_max
from embft.training.batching import Guide, Vectors
from embft.training.examples import ChunkExample

SHARPNESS = 10.0
"""The fused teacher's scores, 0 to 1, become logits 0 to 10: about the range of cosines over a temperature of .05."""


class FusedTeacher:
    """BM25 and the base model in an even mix, as in the system ``fused``.

    Args:
        examples: All that is trained on: their passages are the corpus that BM25 weighs words by.
        vectors: The base model's, of questions and passages.
    """

    def __init__(self, examples: Sequence[ChunkExample], vectors: Guide) -> None:
        self._vectors = vectors
        questions = list(dict.fromkeys(text for example in examples for text in example.questions))
        passages = list(dict.fromkeys(text for example in examples for text in example.passages))
        self._question = {text: row for row, text in enumerate(questions)}
        self._passage = {text: column for column, text in enumerate(passages)}
        self._lexical = BM25Scorer({str(column): text for column, text in enumerate(passages)}, questions)

    def scores(self, questions: Sequence[str], passages: Sequence[str]) -> Vectors:
        """See `embft.training.batching.Teacher`."""
        columns = [self._passage[text] for text in passages]
        rows = [self._question[text] for text in questions]
        lexical = np.stack([self._lexical.scores(row, row + 1)[0][columns] for row in rows])
        question_vectors, passage_vectors = self._vectors(questions, passages)
        return np.asarray(
            SHARPNESS * (min_max(lexical) + min_max(question_vectors @ passage_vectors.T)) / 2, np.float32
        )


class CrossEncoderTeacher:
    """A model that reads question and passage together: slow and strong.

    Args:
        folder: A sequence classification model with one output, or a sentence-transformers CrossEncoder.
        device: Where it runs.
    """

    def __init__(self, folder: Path, device: str) -> None:
        self._folder = folder
        self._device = device
        self._known: dict[tuple[str, str], float] = {}

    def scores(self, questions: Sequence[str], passages: Sequence[str]) -> Vectors:
        """See `embft.training.batching.Teacher`. A pair is scored once, however many epochs it comes up in."""
        import torch

        pairs = [(question, passage) for question in questions for passage in passages]
        new = list(dict.fromkeys(pair for pair in pairs if pair not in self._known))
        if new:
            predictions = self._model.predict(new, activation_fn=torch.nn.Identity(), show_progress_bar=False)
            self._known.update(zip(new, (float(value) for value in predictions), strict=True))
        return np.asarray([self._known[pair] for pair in pairs], np.float32).reshape(len(questions), len(passages))

    @cached_property
    def _model(self) -> Any:
        from sentence_transformers import CrossEncoder

        try:
            model = CrossEncoder(
                str(self._folder),
                device=self._device,
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        except (OSError, ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise TrainingError(f"training.teacher={self._folder} is no cross-encoder: {reason}") from error
        if model.num_labels != 1:
            raise TrainingError(f"training.teacher={self._folder} gives {model.num_labels} scores a pair, not one.")
        return model
