"""What every backend gives."""

from __future__ import annotations

from typing import NamedTuple

from embft.questions.filters import Rejected
from embft.records import Question


class Generated(NamedTuple):
    """Questions, counts of what was asked and made, and what was thrown out with its reason."""

    questions: list[Question]
    report: dict[str, object]
    rejected: list[Rejected]
