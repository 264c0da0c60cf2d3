"""Stage ``context``: what stands before each chunk where it is embedded and indexed."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from embft import typed_json
from embft.corpus.context import ContextReport, contexts_of
from embft.files import digest, read_json, write_json
from embft.results import Corpus
from embft.stages import StageResult
from embft.steps.attempts import complete, weights_digest
from embft.steps.workspace import Workspace

logger = logging.getLogger(__name__)


def add_contexts(workspace: Workspace, corpus: StageResult[Corpus], kind: str) -> StageResult[Corpus]:
    """The same pages and chunks, each chunk with its context; the corpus itself where there are none.

    Questions are written about the chunks as they are, so this stage comes after them and changes none.

    Args:
        kind: ``none``, ``title``, ``headings`` or ``llm``.

    Raises:
        EndpointError, QuestionError: With ``llm``: see `embft.questions.contexts.write_contexts`.
    """
    questions = workspace.config.questions
    seed = questions.test.seed  # that of a training moves no context
    if kind == "none":
        return corpus
    asking = {"questions": _asking(workspace)} if kind == "llm" else {}

    def build(folder: Path, scratch: Path) -> None:
        pages, chunks = corpus.value.pages, corpus.value.chunks
        llm: dict[str, object] = {}
        if kind == "llm":
            from embft.questions.contexts import write_contexts

            written = write_contexts(pages, chunks, questions, workspace.cache_dir, seed, workspace.machines)
            contexts, llm = written.contexts, written.report
        else:
            contexts = contexts_of(pages, chunks, kind)
        write_json(folder / "contexts.json", contexts)
        report = ContextReport.of(kind, contexts, {chunk.id: chunk.text for chunk in chunks})
        typed_json.save(folder / "context.json", replace(report, llm=llm))

    def load(folder: Path) -> Corpus:
        contexts = read_json(folder / "contexts.json")
        chunks = [replace(chunk, context=contexts.get(chunk.id, "")) for chunk in corpus.value.chunks]
        return replace(corpus.value, chunks=chunks, context=typed_json.load(ContextReport, folder / "context.json"))

    def attempt(number: int) -> StageResult[Corpus]:
        values = {"kind": kind, "seed": seed, "attempt": number, **asking}
        return workspace.run("context", build, load, inputs=[corpus.key], values=values)

    result = complete(attempt, _failed, lambda value: value.chunks)
    if result.value.context is not None:
        logger.info("%s", result.value.context.sentence)
    return result


def _asking(workspace: Workspace) -> dict[str, object]:
    """What decides an LLM's replies: settings, the prompt's words, and the weights of a local LLM."""
    from embft.questions.contexts import prompt_texts

    questions = workspace.config.questions
    named = {name: getattr(questions, name) for name in ("backend", "model", "base_url", "language")}
    return {**named, "prompt texts": digest(prompt_texts()), "weights": weights_digest(questions)}


def _failed(corpus: Corpus) -> object:
    return corpus.context.llm.get("failed_requests") if corpus.context else None
