"""Chunks to questions: without an LLM, by an LLM, and by people."""

from embft.questions.filters import Rejected
from embft.questions.generate import estimate_questions, generate
from embft.questions.generated import Generated
from embft.questions.human import Mapped, Unmapped, map_to_chunks, require_mapped
from embft.questions.human_files import HumanQuestion, read_human

__all__ = [
    "Generated",
    "HumanQuestion",
    "Mapped",
    "Rejected",
    "Unmapped",
    "estimate_questions",
    "generate",
    "map_to_chunks",
    "read_human",
    "require_mapped",
]
