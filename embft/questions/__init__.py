"""Chunks to questions: without an LLM, by an LLM, and by people."""

from embft.questions.filters import Rejected
from embft.questions.generate import estimate_questions, generate
from embft.questions.generated import Generated
from embft.questions.human import Mapped, Unmapped, map_to_chunks, require_mapped
from embft.questions.human_files import HumanFile, read_human, read_human_file
from embft.questions.human_rows import HumanQuestion

__all__ = [
    "Generated",
    "HumanFile",
    "HumanQuestion",
    "Mapped",
    "Rejected",
    "Unmapped",
    "estimate_questions",
    "generate",
    "map_to_chunks",
    "read_human",
    "read_human_file",
    "require_mapped",
]
