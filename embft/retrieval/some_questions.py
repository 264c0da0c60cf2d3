"""A part of a scorer's questions: those of dev, where dev and test were counted together."""

from __future__ import annotations

from dataclasses import dataclass

from embft.retrieval.scoring import Scorer, Scores


@dataclass(frozen=True)
class SomeQuestions:
    """A scorer of some of another's questions.

    Attributes:
        start, end: The rows.
    """

    scorer: Scorer
    start: int
    end: int

    @property
    def n_questions(self) -> int:
        """Rows."""
        return self.end - self.start

    @property
    def n_chunks(self) -> int:
        """Columns."""
        return self.scorer.n_chunks

    def scores(self, start: int, end: int) -> Scores:
        """See `Scorer`."""
        return self.scorer.scores(self.start + start, self.start + end)
