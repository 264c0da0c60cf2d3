"""Stage ``questions``: chunks to questions, generated and human."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from embft.config import QuestionsConfig
from embft.files import digest, read_json, write_json, write_jsonl
from embft.records import Question, read_jsonl
from embft.stages import StageCache, StageResult
from embft.steps.corpus import Corpus
from embft.steps.realism import best_ranks

ESTIMATE = "questions_estimate.json"
"""What ``questions.dry_run`` leaves in the run folder."""


@dataclass(frozen=True)
class Questions:
    """What the stage gives.

    Attributes:
        report: Counts of the generation, and the human questions that have no place in the corpus.
    """

    questions: list[Question]
    report: dict[str, Any]


def make_questions(
    stages: StageCache, config: QuestionsConfig, corpus: StageResult[Corpus], cache_dir: Path, seed: int
) -> StageResult[Questions]:
    """Writes questions about the chunks, and finds the chunks that human questions are about.

    The stage's folder holds ``questions.jsonl``, ``rejected.jsonl`` (what was thrown out, and chunks without questions,
    each with its reason) and ``report.json``.
    """
    from embft.questions import read_human

    human = read_human(config.human) if config.human else []
    chunks = corpus.value.chunks
    texts = {chunk.id: chunk.text for chunk in chunks}

    def ranks(questions: Sequence[Question]) -> list[int | None]:
        return best_ranks([one.text for one in questions], [one.chunk_ids for one in questions], texts)

    def build(folder: Path, scratch: Path) -> None:
        from embft.questions import generate, map_to_chunks, require_mapped

        mapped = map_to_chunks(human, corpus.value.pages, chunks)
        if human:
            require_mapped(mapped, config.human or "")
        made = generate(chunks, config, cache_dir, seed, ranks)
        write_jsonl(folder / "questions.jsonl", [*mapped.questions, *made.questions])
        write_jsonl(folder / "rejected.jsonl", [asdict(row) for row in made.rejected])
        write_json(
            folder / "report.json",
            {
                **made.report,
                "human": len(mapped.questions),
                "unmapped": [asdict(question) for question in mapped.unmapped],
                "unjudged": mapped.unjudged,
                "warnings": list(mapped.warnings),
            },
        )

    def load(folder: Path) -> Questions:
        return Questions(read_jsonl(folder / "questions.jsonl", Question), read_json(folder / "report.json"))

    settings: dict[str, Any] = {
        "backend": config.backend,
        "per_chunk": config.per_chunk,
        "language": config.language,
        "filters": asdict(config.filters),
    }
    if config.backend != "extractive":
        settings |= {
            "model": config.model,
            "base_url": config.base_url,
            "prompt": _wording(config),
            "persona": config.persona,
            "pairs": config.pairs,
            "structured": config.structured,
            "temperature": config.temperature,
            "reply_tokens": config.reply_tokens,
            "seed": seed,
        }
    return stages.run(
        "questions",
        settings=settings,
        inputs=[corpus.key, digest([asdict(question) for question in human])],
        code=(
            "embft.questions",
            "embft.text.passage_dependence",
            "embft.records",
            "embft.steps.realism",
            "embft.retrieval.bm25",
        ),
        build=build,
        load=load,
    )


def estimate_run(config: QuestionsConfig, corpus: StageResult[Corpus], cache_dir: Path, seed: int, folder: Path) -> str:
    """What the questions of a run would take, in words; also left in the run folder for the sum over a sweep."""
    from embft.questions import estimate_questions
    from embft.questions.budget import in_words

    found = estimate_questions(corpus.value.chunks, config, cache_dir, seed)
    if found is None:
        return f"{len(corpus.value.chunks):,} chunks: questions={config.backend} asks no LLM and costs nothing."
    write_json(folder / ESTIMATE, found.as_json())
    return in_words(found)


def _wording(config: QuestionsConfig) -> str:
    """The texts of prompts and kinds, whether embft's or the user's: a changed word is another stage."""
    from embft.questions.prompt import PAIRS, read_texts

    prompts = [read_texts(name, "questions.prompt", "prompts") for name in (config.prompt, PAIRS)]
    return digest([*prompts, *(read_texts(kind, "questions.types", "prompts/types") for kind in config.types)])
