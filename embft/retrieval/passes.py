"""What a ranking takes of every question's scores, worked out a block of questions at a time: here, or on other machines."""

from __future__ import annotations

from typing import Protocol, TypeVar

from embft.progress import each

Row = TypeVar("Row")


class Pass(Protocol[Row]):
    """One way through all questions and all chunks."""

    @property
    def n_questions(self) -> int:
        """Questions."""
        ...

    @property
    def n_chunks(self) -> int:
        """Chunks that each is scored against."""
        ...

    @property
    def block(self) -> int:
        """Questions that are scored at once."""
        ...

    def rows(self, start: int, end: int) -> list[Row]:
        """What is kept of the scores of questions start..end, a block or the rest of one."""
        ...


class Elsewhere(Protocol):
    """Other machines (`embft.ranking.shards.OtherMachines`)."""

    def rows(self, name: str, work: Pass[Row]) -> list[Row] | None:
        """What they make of all questions; None where it is nothing for them, or too little.

        Args:
            name: Of this pass among those of a run.
            work: The pass.
        """
        ...


def every_row(work: Pass[Row]) -> list[Row]:
    """What is kept of every question, worked out here."""
    rows: list[Row] = []
    for start in each(range(0, work.n_questions, work.block), "scoring", "blocks of questions"):
        rows += work.rows(start, min(start + work.block, work.n_questions))
    return rows
