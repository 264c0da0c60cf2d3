"""Stage ``questions``: chunks to questions, generated and human."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from embft import typed_json
from embft.config import QuestionsConfig
from embft.files import digest, file_digest, iter_jsonl, read_json, write_json, write_jsonl
from embft.questions import Unmapped, generate, map_to_chunks, read_human
from embft.questions.prompt import PAIRS, read_texts
from embft.records import Question, read_jsonl
from embft.results import Corpus, QuestionSet
from embft.retrieval.best_ranks import best_ranks
from embft.stages import StageResult
from embft.steps.workspace import Workspace

ESTIMATE = "questions_estimate.json"
"""What ``questions.dry_run`` leaves in the run folder."""


def make_questions(workspace: Workspace, corpus: StageResult[Corpus]) -> StageResult[QuestionSet]:
    """Writes questions about the chunks, and finds the chunks that human questions are about.

    The stage's folder holds ``questions.jsonl``, ``rejected.jsonl`` (what was thrown out, and chunks without questions,
    each with its reason) and ``report.json``.
    """
    config, seed = workspace.config.questions, workspace.config.seed
    human = read_human(config.human) if config.human else []
    chunks = corpus.value.chunks
    texts = {chunk.id: chunk.text for chunk in chunks}

    def ranks(questions: Sequence[Question]) -> list[int | None]:
        return best_ranks([one.text for one in questions], [one.chunk_ids for one in questions], texts)

    def build(folder: Path, scratch: Path) -> None:
        asked, unmapped = map_to_chunks(human, corpus.value.pages, chunks)
        generated = generate(chunks, config, workspace.cache_dir, seed, ranks)
        write_jsonl(folder / "questions.jsonl", [*asked, *generated.questions])
        write_jsonl(folder / "rejected.jsonl", generated.rejected)
        write_jsonl(folder / "unmapped.jsonl", unmapped)
        write_json(folder / "report.json", {**generated.report, "human": len(asked)})

    def load(folder: Path) -> QuestionSet:
        return QuestionSet(
            read_jsonl(folder / "questions.jsonl", Question),
            read_json(folder / "report.json"),
            [typed_json.from_json(Unmapped, dict(row)) for row in iter_jsonl(folder / "unmapped.jsonl")],
        )

    asks_llm = config.backend != "extractive"
    return workspace.run(
        "questions",
        build,
        load,
        inputs=[corpus.key, digest([asdict(question) for question in human])],
        values={
            "prompt texts": _prompt_texts(config) if asks_llm else None,
            "weights": _weights(config),
            "seed": seed if asks_llm else None,
        },
    )


def estimate_run(workspace: Workspace, corpus: StageResult[Corpus], folder: Path) -> str:
    """What the questions of a run would take, in words; also left in the run folder for the sum over a sweep."""
    from embft.questions import estimate_questions
    from embft.questions.budget import in_words

    config, chunks = workspace.config.questions, corpus.value.chunks
    estimate = estimate_questions(chunks, config, workspace.cache_dir, workspace.config.seed)
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
