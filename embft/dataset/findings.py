"""What an audit says: how many, of how many, what to do, and examples to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

EXAMPLES = 5
_CHARACTERS = 300

Example = dict[str, str]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or that a reader must know.

    Attributes:
        audit: Name of the check: ``leaks``, ``near_copies``, ``repeated_questions``, ``passage_dependent``,
            ``unanswerable``, ``quotes``, ``language``, ``prompts`` or ``truncation``.
        level: ``blocking`` stops the run unless it is allowed; ``warning``; ``info`` stands in the report alone.
        count: How many questions or chunks.
        total: Of how many.
        text: One sentence.
        remedy: What to do about it.
        examples: Some of them, each label to text.
    """

    audit: str
    level: str
    count: int
    total: int
    text: str
    remedy: str
    examples: Sequence[Example] = ()


def example(**texts: str) -> Example:
    """An example with its texts cut to what a reader needs; underscores of a label become spaces."""
    return {label.replace("_", " "): _shortened(text) for label, text in texts.items()}


def first_relevant(question_id: str, relevant_docs: Mapping[str, Sequence[str]], corpus: Mapping[str, str]) -> str:
    """Text of a question's first relevant chunk."""
    return corpus[relevant_docs[question_id][0]]


def count_of(number: int, noun: str) -> str:
    """``1 question``, ``1,204 questions``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _CHARACTERS else line[:_CHARACTERS].rstrip() + " …"
