"""Chunks to questions: without an LLM, by an LLM, and by people."""

from embft.questions.filters import Rejected
from embft.questions.generate import estimate_questions, generate
from embft.questions.generated import Generated
from embft.questions.human import HumanQuestion, Unmapped, map_to_chunks, read_human

__all__ = [
    "Generated",
    "HumanQuestion",
    "Rejected",
    "Unmapped",
    "estimate_questions",
    "generate",
    "map_to_chunks",
    "read_human",
]
