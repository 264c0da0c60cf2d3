"""What the questions of a run would take (``questions.dry_run``); nothing is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from embft.config.held_back_writer import held_back_writer
from embft.dataset.holding_back import HeldBack, hold_back
from embft.dataset.joining import homes_of
from embft.files import write_json
from embft.questions import estimate_questions
from embft.questions.budget import in_words, total
from embft.questions.contexts import estimate_contexts
from embft.records import Chunk, Question
from embft.results import Corpus, Reading
from embft.stages import StageResult
from embft.steps.held_back import hold_back_questions, passages_of, writes_held_back
from embft.steps.workspace import Workspace

ESTIMATE = "questions_estimate.json"
"""What is left in the run folder, for the sum over a sweep."""


def estimate_run(workspace: Workspace, reading: StageResult[Reading], corpus: StageResult[Corpus], folder: Path) -> str:
    """What the questions would take, in words: those to train on, and dev and test where an LLM is to write them."""
    whole, chunks = workspace.config, corpus.value.chunks
    writer, config = held_back_writer(whole), whole.questions
    held_passages: list[Chunk] = []
    if writes_held_back(whole) and writer.backend != "extractive":

        def note(passages: Sequence[Chunk]) -> list[Question]:
            held_passages.extend(passages)
            return []

        held: HeldBack = hold_back(passages_of(workspace, reading, corpus), [], whole.dataset, note)
    else:
        held = hold_back_questions(workspace, reading, corpus).value.held
    home = homes_of(chunks, held)
    everywhere = held.by_people and whole.dataset.train_on == "all"
    about = [chunk for chunk in chunks if everywhere or home[chunk.id] == "train"]
    asked = [
        estimate_questions(about, config, workspace.cache_dir, whole.seed) if whole.training.enabled else None,
        estimate_questions(held_passages, writer, workspace.cache_dir, config.test.seed) if held_passages else None,
    ]
    estimates = [estimate for estimate in asked if estimate is not None]
    contexts = None
    if whole.corpus.context == "llm":
        contexts = estimate_contexts(corpus.value.pages, chunks, config, workspace.cache_dir, whole.questions.test.seed)
    every = [*estimates, *([contexts] if contexts else [])]
    if not every:
        return f"{len(chunks):,} chunks: questions={config.backend} asks no LLM and costs nothing."
    write_json(folder / ESTIMATE, replace(total(every), chunks=len(chunks)).as_json())
    questions = in_words(total(estimates)) if estimates else "none"
    return f"Questions: {questions}\nContexts:  {in_words(contexts)}" if contexts else questions
