"""The door to every way of making questions; one more backend is a line here, one file and one YAML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from embft.config import QuestionsConfig
from embft.errors import QuestionError
from embft.questions.budget import Estimate
from embft.questions.elsewhere import Machines
from embft.questions.filters import BestRanks, askable_chunks, filter_questions
from embft.questions.generated import Generated
from embft.records import Chunk

Backend = Callable[..., Generated]
Estimator = Callable[[Sequence[Chunk], QuestionsConfig, Path, int], Estimate]
BACKENDS: dict[str, tuple[str, str | None]] = {
    "extractive": ("embft.questions.extractive:write_extractive", None),
    "openai": ("embft.questions.llm:ask_llm", "embft.questions.llm:estimate_llm"),
    "openai_batch": ("embft.questions.batch:ask_batch", "embft.questions.batch:estimate_batch"),
    "local_llm": ("embft.questions.local_llm:ask_local_llm", "embft.questions.local_llm:estimate_local_llm"),
}
"""Backend to ``module:function`` that writes, and that says what it would take (None: nothing)."""
_ELSEWHERE = {"local_llm"}
"""Backends that other machines can be asked for: an API is asked by one machine, hundreds of times at once."""


def generate(
    chunks: Sequence[Chunk],
    config: QuestionsConfig,
    cache_dir: Path,
    seed: int,
    best_ranks: BestRanks | None = None,
    machines: Machines | None = None,
) -> Generated:
    """Writes questions about each chunk and throws out what the filters find.

    Args:
        chunks: In reading order.
        config: The backend and its settings.
        cache_dir: Holds replies that were paid for.
        seed: Part of each request to an LLM.
        best_ranks: The reference retriever; needed where ``filters.round_trip`` is on.
        machines: Other machines that a local LLM may be asked on.

    Returns:
        The questions, counts of what was asked, made and dropped, and what was rejected.

    Raises:
        QuestionError: Nothing came out, or the budget is spent.
        EndpointError: The LLM cannot be asked.
    """
    if config.per_chunk == 0:
        return Generated([], {"asked": 0, "made": 0}, [])
    askable, rejected = askable_chunks(chunks, config.filters)
    write: Backend = _function(BACKENDS[config.backend][0])
    if config.backend in _ELSEWHERE:
        write = partial(write, machines=machines)
    generated = write(askable, config, cache_dir, seed)
    if not generated.questions:
        raise QuestionError(_nothing(config, len(askable), len(chunks)))
    if config.filters.round_trip is not None and best_ranks is None:
        raise ValueError("filters.round_trip needs best_ranks")
    kept, filtered = filter_questions(
        generated.questions, chunks, config.filters, config.language, best_ranks or (lambda questions: [])
    )
    if not kept:
        reasons = Counter(row.reason for row in filtered)
        raise QuestionError(
            f"The filters left none of {len(generated.questions)} questions ({_counted(reasons)}): loosen questions.filters."
        )
    rejected = [*rejected, *generated.rejected, *filtered]
    asked_about = {chunk_id for question in kept for chunk_id in question.chunk_ids}
    report: dict[str, object] = {
        **generated.report,
        "kept": len(kept),
        "rejected": dict(sorted(Counter(row.reason for row in rejected).items())),
        "chunks_without_questions": [chunk.id for chunk in chunks if chunk.id not in asked_about],
    }
    return Generated(kept, report, rejected)


def estimate_questions(chunks: Sequence[Chunk], config: QuestionsConfig, cache_dir: Path, seed: int) -> Estimate | None:
    """What `generate` would take; None where it costs nothing. Asks nothing."""
    name = BACKENDS[config.backend][1]
    if name is None or config.per_chunk == 0:
        return None
    look: Estimator = _function(name)
    return look(askable_chunks(chunks, config.filters)[0], config, cache_dir, seed)


def _function(name: str) -> Any:
    """Imports a backend only where it is chosen."""
    module, _, function = name.partition(":")
    return getattr(import_module(module), function)


def _nothing(config: QuestionsConfig, askable: int, chunks: int) -> str:
    if not askable and chunks:
        reason = "all of them are boilerplate. questions.filters.boilerplate=false asks about them anyway."
    elif config.backend == "extractive":
        reason = (
            "their text has no sentences to ask about. Look at chunks.jsonl in the cache's corpus stage, or let an LLM "
            "ask: questions=openai."
        )
    else:
        reason = (
            f"{config.model} answered, but not with questions. Try another questions.prompt or a larger "
            "questions.model, or take questions=extractive, which needs no LLM."
        )
    return f"questions={config.backend} made no question about {chunks} chunks: {reason}"


def _counted(reasons: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in reasons.most_common())
