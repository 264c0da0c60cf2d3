"""Stage ``questions``: chunks to questions, generated and human."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from embft.config import QuestionsConfig
from embft.records import Question, read_jsonl, write_jsonl
from embft.stages import StageCache, StageResult, digest, read_json, write_json
from embft.steps.corpus import Corpus


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
    """Writes questions about the chunks, and finds the chunks that human questions are about."""
    from embft.questions import read_human

    human = read_human(config.human) if config.human else []

    def build(folder: Path, scratch: Path) -> None:
        from embft.questions import generate, map_to_chunks

        asked, unmapped = map_to_chunks(human, corpus.value.pages, corpus.value.chunks)
        made, report = generate(corpus.value.chunks, config, cache_dir, seed)
        write_jsonl(folder / "questions.jsonl", [*asked, *made])
        write_json(
            folder / "report.json",
            {**report, "human": len(asked), "unmapped": [asdict(question) for question in unmapped]},
        )

    def load(folder: Path) -> Questions:
        return Questions(read_jsonl(folder / "questions.jsonl", Question), read_json(folder / "report.json"))

    settings: dict[str, Any] = {"backend": config.backend, "per_chunk": config.per_chunk, "language": config.language}
    if config.backend != "extractive":
        settings |= {
            "model": config.model,
            "base_url": config.base_url,
            "prompt": _prompt_digest(config.prompt),
            "temperature": config.temperature,
            "max_tokens": config.max_tokens,
            "seed": seed,
        }
    return stages.run(
        "questions",
        settings=settings,
        inputs=[corpus.key, digest([asdict(question) for question in human])],
        code=("embft.questions", "embft.records"),
        build=build,
        load=load,
    )


def _prompt_digest(prompt: str) -> str:
    """A bundled prompt is part of the code; a user's file counts by its text."""
    path = Path(prompt).expanduser()
    return digest(path.read_text(encoding="utf-8")) if path.is_file() else prompt
