"""Stage ``questions``: chunks to questions to train on. Dev and test questions are the stage ``held_back``'s."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from embft.dataset.joining import homes_of
from embft.files import read_json, write_json, write_jsonl
from embft.questions import Generated, generate
from embft.records import Question, read_jsonl
from embft.results import Asked, Corpus, QuestionSet
from embft.retrieval.best_ranks import best_ranks
from embft.stages import StageResult
from embft.steps.attempts import complete, values_of
from embft.steps.workspace import Workspace

logger = logging.getLogger(__name__)


def make_questions(
    workspace: Workspace, corpus: StageResult[Corpus], asked: StageResult[Asked] | None
) -> StageResult[QuestionSet]:
    """Writes questions to train on.

    An LLM is asked about chunks that train alone; questions without one are about all chunks, so that how rare a word is does
    not depend on the split. The stage's folder holds ``questions.jsonl``, ``rejected.jsonl`` (what was thrown out, and chunks
    without questions, each with its reason) and ``report.json``.

    Args:
        asked: Dev and test questions, with the chunks that answer them; None for the documents of a given dataset.
    """
    config, seed = workspace.config.questions, workspace.config.seed
    chunks = corpus.value.chunks
    texts = {chunk.id: chunk.text for chunk in chunks}
    asks_llm = config.backend != "extractive"
    writes = workspace.config.training.enabled or not asks_llm
    if not writes:
        logger.info("Nothing is trained, so %s is asked for no questions to train on.", config.model)
    everywhere = asked is None or not asks_llm or (asked.value.held.by_people and _trains_on_all(workspace))

    def ranks(questions: Sequence[Question]) -> list[int | None]:
        return best_ranks([one.text for one in questions], [one.chunk_ids for one in questions], texts)

    def build(folder: Path, scratch: Path) -> None:
        about = chunks
        if not everywhere and asked is not None:
            home = homes_of(chunks, asked.value.held)
            about = [chunk for chunk in chunks if home[chunk.id] == "train"]
        generated = (
            generate(about, config, workspace.cache_dir, seed, ranks, workspace.machines)
            if writes
            else Generated([], {"asked": 0}, [])
        )
        write_jsonl(folder / "questions.jsonl", generated.questions)
        write_jsonl(folder / "rejected.jsonl", generated.rejected)
        write_json(folder / "report.json", generated.report)

    def load(folder: Path) -> QuestionSet:
        return QuestionSet(read_jsonl(folder / "questions.jsonl", Question), read_json(folder / "report.json"))

    def attempt(number: int) -> StageResult[QuestionSet]:
        return workspace.run(
            "questions",
            build,
            load,
            inputs=[corpus.key, *([] if everywhere or asked is None else [asked.key])],
            values={**values_of(config, seed), "writes": writes, "attempt": number},
        )

    return complete(attempt, lambda value: value.report.get("failed_requests"), lambda value: value.questions)


def _trains_on_all(workspace: Workspace) -> bool:
    return workspace.config.dataset.train_on == "all"
