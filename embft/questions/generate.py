"""The door to every way of making questions; one more backend is one more branch here, one file and one YAML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from embft.config import QuestionsConfig
from embft.errors import QuestionError
from embft.records import Chunk, Question


def generate(
    chunks: Sequence[Chunk], config: QuestionsConfig, cache_dir: Path, seed: int
) -> tuple[list[Question], dict[str, Any]]:
    """Writes questions about each chunk.

    Args:
        chunks: In reading order.
        config: The backend and its settings.
        cache_dir: Holds replies that were paid for.
        seed: Part of each request to an LLM.

    Returns:
        The questions, and counts of what was asked, made, dropped.

    Raises:
        QuestionError: Nothing came out.
        EndpointError: The LLM cannot be asked.
    """
    if config.per_chunk == 0:
        return [], {"asked": 0, "made": 0}
    if config.backend == "extractive":
        from embft.questions.extractive import extractive

        questions, report = extractive(chunks, config.per_chunk)
    elif config.backend == "openai":
        from embft.questions.llm import ask_endpoint

        questions, report = ask_endpoint(chunks, config, cache_dir, seed)
    else:
        from embft.questions.local_llm import ask_local_llm

        questions, report = ask_local_llm(chunks, config, cache_dir, seed)
    if not questions:
        if config.backend == "extractive":
            reason = (
                "their text has no sentences to ask about. Look at chunks.jsonl in the cache's corpus stage, or let an LLM "
                "ask: questions=openai."
            )
        else:
            reason = (
                f"{config.model} answered, but not with questions. Try another questions.prompt or a larger "
                "questions.model, or take questions=extractive, which needs no LLM."
            )
        raise QuestionError(f"questions={config.backend} made no question about {len(chunks)} chunks: {reason}")
    return questions, report
