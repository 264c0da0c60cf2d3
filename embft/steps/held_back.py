"""Stage ``held_back``: what dev and test ask, and where in the text it is answered. Chunks are no part of it.

So a sweep over chunks, over who writes the training questions or over seeds asks the same questions in every job.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from embft import typed_json
from embft.config import ExperimentConfig, QuestionsConfig
from embft.config.held_back_writer import held_back_writer
from embft.corpus.chunking import chunk_pages
from embft.corpus.drawn import is_drawn
from embft.dataset.holding_back import held_back_of, hold_back, rows_of
from embft.files import digest, iter_jsonl, read_json, write_json, write_jsonl
from embft.questions import (
    Generated,
    HumanFile,
    Rejected,
    Unmapped,
    generate,
    map_to_chunks,
    read_human_file,
    require_mapped,
)
from embft.questions.evidence import by_page, mapped_onto, with_places
from embft.records import Chunk, Question
from embft.results import Asked, Corpus, Reading
from embft.retrieval.best_ranks import best_ranks
from embft.stages import StageResult
from embft.steps.attempts import complete, values_of
from embft.steps.keys import settings_of
from embft.steps.taken_over import HELD_BACK, source_digest, take_over
from embft.steps.workspace import Workspace


def writes_held_back(config: ExperimentConfig) -> bool:
    """Whether dev and test questions have to be written: people asked none, and no other run lends its own."""
    given = config.dataset.test_from or (config.questions.human and config.dataset.split != "article")
    return not given


def passages_of(workspace: Workspace, reading: StageResult[Reading], corpus: StageResult[Corpus]) -> list[Chunk]:
    """The even cut by which dev and test are chosen; chunks that exist already are their own passages."""
    if reading.value.chunks is not None:
        return corpus.value.chunks
    return chunk_pages(reading.value.pages, workspace.config.corpus.passage_tokens)


def hold_back_questions(
    workspace: Workspace, reading: StageResult[Reading], corpus: StageResult[Corpus]
) -> StageResult[Asked]:
    """Chooses and writes the dev and test questions, finds their evidence, and maps it onto the chunks.

    Where people asked, dev and test are theirs; else questions are written about passages held back
    (``corpus.passage_tokens``). The stage's folder holds ``held_back.jsonl``, ``rejected.jsonl``, ``unmapped.jsonl``,
    ``report.json`` and ``left_out.json``; the mapping is made anew for each corpus.
    """
    whole, pages = workspace.config, reading.value.pages
    config, test_seed = whole.dataset, whole.questions.test.seed
    source, human_file = config.test_from, whole.questions.human
    writer = held_back_writer(whole) if writes_held_back(whole) else None
    file = _of_drawn(read_human_file(human_file) if human_file and not source else HumanFile([]), whole.corpus.share)
    human = file.questions
    # Who names chunks means those of this corpus.
    named = reading.value.chunks is not None or any(row.chunk_ids for row in human)

    def build(folder: Path, scratch: Path) -> None:
        if source:
            held, unmapped = take_over(source, pages)
            report: dict[str, object] = {}
            rejected: Sequence[Rejected] = ()
        else:
            passages = corpus.value.chunks if named else passages_of(workspace, reading, corpus)
            mapped = map_to_chunks(human, pages, passages)
            if human:
                require_mapped(mapped, human_file or "")
            writing = _Writing(passages, writer, workspace, test_seed)
            held, unmapped = hold_back(passages, mapped.questions, config, writing.write), mapped.unmapped
            rejected = writing.generated.rejected
            report = {
                **writing.generated.report,
                "human": len(mapped.questions),
                "unjudged": mapped.unjudged,
                "warnings": [*file.notes, *mapped.warnings],
                "quotes": [asdict(one) for one in mapped.by_words],
            }
        write_jsonl(folder / HELD_BACK, rows_of(held))
        write_jsonl(folder / "rejected.jsonl", rejected)
        write_jsonl(folder / "unmapped.jsonl", unmapped)
        write_json(folder / "report.json", report)
        write_json(folder / "left_out.json", dict(held.left_out))

    def load(folder: Path) -> Asked:
        return Asked(
            held_back_of(iter_jsonl(folder / HELD_BACK), read_json(folder / "left_out.json")),
            read_json(folder / "report.json"),
            [typed_json.from_json(Unmapped, dict(row)) for row in iter_jsonl(folder / "unmapped.jsonl")],
        )

    def attempt(number: int) -> StageResult[Asked]:
        return workspace.run(
            "held_back",
            build,
            load,
            inputs=[
                reading.key,
                corpus.key if named else "",
                source_digest(source) if source else digest([[asdict(row) for row in human], file.notes]),
            ],
            values={
                "passage_tokens": None if named or source else whole.corpus.passage_tokens,
                "writer": settings_of("questions", replace(whole, questions=writer)) if writer else None,
                **(values_of(writer, test_seed) if writer else {}),
                "attempt": number,
            },
        )

    asked = complete(attempt, lambda value: value.report.get("failed_requests"), lambda value: value.held)
    held = asked.value.held
    chunks = by_page(corpus.value.chunks)
    mapped = {name: mapped_onto(questions, chunks) for name, questions in held.questions.items()}
    return replace(asked, value=replace(asked.value, held=replace(held, questions=mapped)))


def _of_drawn(file: HumanFile, share: float) -> HumanFile:
    """The questions about documents that were drawn, and those that name none."""
    kept = [row for row in file.questions if row.document is None or is_drawn(row.document, share)]
    if len(kept) == len(file.questions):
        return file
    note = (
        f"{len(file.questions) - len(kept):,} of {len(file.questions):,} questions that people asked are about documents that "
        "were not drawn, and were left out (corpus.share)."
    )
    return HumanFile(kept, (*file.notes, note))


class _Writing:
    """Writes questions about passages, and keeps what came of it.

    Attributes:
        generated: Empty until then.
    """

    def __init__(
        self, passages: Sequence[Chunk], writer: QuestionsConfig | None, workspace: Workspace, seed: int
    ) -> None:
        self.generated = Generated([], {}, [])
        self._passages, self._writer, self._workspace, self._seed = passages, writer, workspace, seed

    def write(self, about: Sequence[Chunk]) -> list[Question]:
        """Questions about some of the passages, with their evidence.

        Raises:
            QuestionError, EndpointError: See `embft.questions.generate`.
        """
        if self._writer is None or not about:
            return []
        texts = {passage.id: passage.text for passage in self._passages}
        self.generated = generate(
            # Without an LLM all passages say how rare a word is; the questions about others are dropped.
            about if self._writer.backend != "extractive" else self._passages,
            self._writer,
            self._workspace.cache_dir,
            self._seed,
            lambda asked: best_ranks([one.text for one in asked], [one.chunk_ids for one in asked], texts),
            self._workspace.machines,
        )
        wanted = {passage.id for passage in about}
        kept = [question for question in self.generated.questions if wanted.issuperset(question.chunk_ids)]
        return with_places(kept, self._passages)
