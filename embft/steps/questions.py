"""Stage ``questions``: chunks to questions, generated and human."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from embft import typed_json
from embft.config import QuestionsConfig
from embft.files import digest, file_digest, iter_jsonl, read_json, write_json, write_jsonl
from embft.questions import Unmapped, generate, map_to_chunks, read_human, require_mapped
from embft.questions.prompt import PAIRS, read_texts
from embft.records import Question, read_jsonl
from embft.results import Corpus, QuestionSet
from embft.retrieval.best_ranks import best_ranks
from embft.stages import StageResult
from embft.steps.workspace import Workspace

ESTIMATE = "questions_estimate.json"
"""What ``questions.dry_run`` leaves in the run folder."""
_asked_again: set[str] = set()
"""Attempts that this process has repeated: the jobs of a sweep do not each repeat them."""


def make_questions(
    workspace: Workspace, corpus: StageResult[Corpus], *, with_human: bool = True
) -> StageResult[QuestionSet]:
    """Writes questions about the chunks, and finds the chunks that human questions are about.

    The stage's folder holds ``questions.jsonl``, ``rejected.jsonl`` (what was thrown out, and chunks without questions,
    each with its reason) and ``report.json``.

    Args:
        with_human: False for the documents of a given dataset: its test questions are its own.
    """
    config, seed = workspace.config.questions, workspace.config.seed
    human = read_human(config.human) if config.human and with_human else []
    chunks = corpus.value.chunks
    texts = {chunk.id: chunk.text for chunk in chunks}

    def ranks(questions: Sequence[Question]) -> list[int | None]:
        return best_ranks([one.text for one in questions], [one.chunk_ids for one in questions], texts)

    def build(folder: Path, scratch: Path) -> None:
        mapped = map_to_chunks(human, corpus.value.pages, chunks)
        if human:
            require_mapped(mapped, config.human or "")
        generated = generate(chunks, config, workspace.cache_dir, seed, ranks)
        write_jsonl(folder / "questions.jsonl", [*mapped.questions, *generated.questions])
        write_jsonl(folder / "rejected.jsonl", generated.rejected)
        write_jsonl(folder / "unmapped.jsonl", mapped.unmapped)
        write_json(
            folder / "report.json",
            {
                **generated.report,
                "human": len(mapped.questions),
                "unjudged": mapped.unjudged,
                "warnings": list(mapped.warnings),
                "quotes": [asdict(one) for one in mapped.by_words],
            },
        )

    def load(folder: Path) -> QuestionSet:
        return QuestionSet(
            read_jsonl(folder / "questions.jsonl", Question),
            read_json(folder / "report.json"),
            [typed_json.from_json(Unmapped, dict(row)) for row in iter_jsonl(folder / "unmapped.jsonl")],
        )

    asks_llm = config.backend != "extractive"

    def attempt(number: int) -> StageResult[QuestionSet]:
        return workspace.run(
            "questions",
            build,
            load,
            inputs=[corpus.key, digest([asdict(question) for question in human])],
            values={
                "prompt texts": _prompt_texts(config) if asks_llm else None,
                "weights": _weights(config),
                "seed": seed if asks_llm else None,
                "attempt": number,
            },
        )

    return _complete(attempt)


def _complete(attempt: Callable[[int], StageResult[QuestionSet]]) -> StageResult[QuestionSet]:
    """The newest attempt; where requests failed at an earlier start, they are made once more, the others never.

    An attempt that changes nothing gives way to the one before it, so that nothing after it is worked out again.
    """
    number = 0
    best = last = attempt(number)
    while last.cached and last.value.report.get("failed_requests") and last.key not in _asked_again:
        number += 1
        _asked_again.add(last.key)
        last = attempt(number)
        if last.value.questions != best.value.questions:
            best = last
    return best


def estimate_run(workspace: Workspace, corpus: StageResult[Corpus], folder: Path) -> str:
    """What the questions of a run would take, in words; also left in the run folder for the sum over a sweep."""
    from embft.questions import estimate_questions
    from embft.questions.budget import in_words, total
    from embft.questions.contexts import estimate_contexts

    config, chunks = workspace.config.questions, corpus.value.chunks
    estimate = estimate_questions(chunks, config, workspace.cache_dir, workspace.config.seed)
    if workspace.config.corpus.context == "llm":
        contexts = estimate_contexts(corpus.value.pages, chunks, config, workspace.cache_dir, workspace.config.seed)
        both = contexts if estimate is None else total([estimate, contexts])
        write_json(folder / ESTIMATE, replace(both, chunks=len(chunks)).as_json())
        asked = "none" if estimate is None else in_words(estimate)
        return f"Questions: {asked}\nContexts:  {in_words(contexts)}"
    if estimate is None:
        return f"{len(chunks):,} chunks: questions={config.backend} asks no LLM and costs nothing."
    write_json(folder / ESTIMATE, estimate.as_json())
    return in_words(estimate)


def _prompt_texts(config: QuestionsConfig) -> str:
    """The texts of prompts and kinds, whether embft's or the user's: a changed word is another stage."""
    prompts = [read_texts(name, "questions.prompt", "prompts") for name in (config.prompt, PAIRS)]
    return digest([*prompts, *(read_texts(kind, "questions.types", "prompts/types") for kind in config.types)])


def _weights(config: QuestionsConfig) -> str | None:
    """Digest of the GGUF file that writes the questions: a file of that name may be another one tomorrow."""
    if config.backend != "local_llm":
        return None
    from embft.questions.local_llm import find_weights

    return file_digest(find_weights(config.model))
