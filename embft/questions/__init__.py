"""Chunks to questions: without an LLM, by an LLM, and by people."""

from embft.questions.generate import generate
from embft.questions.human import HumanQuestion, Unmapped, map_to_chunks, read_human

__all__ = ["HumanQuestion", "Unmapped", "generate", "map_to_chunks", "read_human"]
