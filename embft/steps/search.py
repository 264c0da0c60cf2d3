"""search.json and search/: what it takes to search as this run's systems did, written down as the run ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from embft import typed_json
from embft.evaluation.verdict import CANNOT_TELL
from embft.models.source import folder_fingerprint
from embft.records import HELD_OUT_FOLDER, MODEL_FOLDER, Chunk, RetrievalDataset
from embft.results import Outcome, SearchModel, SearchSetup, Tuned
from embft.retrieval.embedder import Embedder
from embft.serving.named_places import places_of
from embft.serving.run_files import CHUNKS, SETUP, ChunkRow, write_chunks


def write_search(outcome: Outcome, searched: RetrievalDataset, folder: Path, base: Embedder) -> None:
    """Writes search.json and search/chunks.parquet into a run folder.

    Args:
        outcome: The run's result.
        searched: The test questions with what they search.
        folder: The run folder, with the tuned model in it.
        base: The base model.
    """
    verdict = outcome.verdict
    system = verdict.meanwhile if verdict.decision == CANNOT_TELL else verdict.decision
    setup = SearchSetup(
        system=system,
        decision=verdict.decision,
        headline=verdict.headline,
        systems=list(outcome.evaluated.systems),
        figures={name: result.means for name, result in outcome.evaluated.systems.items()},
        base=_base(outcome, base),
        tuned=_ranked_one(outcome, folder),
        refitted=None if outcome.refitted is None else _tuned(outcome, outcome.refitted, folder, MODEL_FOLDER),
        retrieval=outcome.config.retrieval,
        fusion=outcome.fusion,
        chunks=len(searched.corpus),
        reranking=outcome.reranking,
        counts={row.question_id: row.count for row in outcome.evaluated.rows}
        if outcome.config.evaluation.weights == "count"
        else {},
        places=places_of(outcome.config, folder),
    )
    known = {chunk.id: chunk for chunk in outcome.corpus.chunks} if outcome.corpus else {}
    write_chunks(folder / CHUNKS, _rows(searched, known))
    typed_json.save(folder / SETUP, setup)


def _rows(searched: RetrievalDataset, known: Mapping[str, Chunk]) -> Iterator[ChunkRow]:
    for chunk_id, text in searched.corpus.items():
        chunk, context = known.get(chunk_id), searched.contexts.get(chunk_id, "")
        yield (
            ChunkRow(chunk_id, text, context=context)
            if chunk is None
            else ChunkRow(chunk_id, text, chunk.document, chunk.page, chunk.start, chunk.end, context)
        )


def _base(outcome: Outcome, base: Embedder) -> SearchModel:
    model, fingerprint = outcome.config.model, base.encoder.fingerprint
    open_weights = model.kind == "weights"
    return SearchModel(
        name=_short(outcome.model_name),
        folder=None,
        digest=fingerprint if open_weights else "",
        vectors=fingerprint if open_weights else "",
        query_prompt=model.query_prompt,
        document_prompt=model.document_prompt,
        max_seq_length=model.max_seq_length,
    )


def _ranked_one(outcome: Outcome, folder: Path) -> SearchModel | None:
    if outcome.tuned is None:
        return None
    # With training.refit the model in model/ is another one, which saw the test questions.
    place = HELD_OUT_FOLDER if outcome.config.training.refit else MODEL_FOLDER
    return _tuned(outcome, outcome.tuned, folder, place)


def _tuned(outcome: Outcome, tuned: Tuned, folder: Path, place: str) -> SearchModel:
    report = tuned.report
    adapter = report.part == "adapter" and not report.kept_base
    # An adapter's vectors, and those of a model with a last layer on top, are in the cache as they are below it.
    embedded = not adapter and tuned.unwhitened is None
    return SearchModel(
        name=f"{_short(outcome.model_name)}, tuned",
        folder=place,
        digest=folder_fingerprint(folder / place),
        vectors=report.fingerprint if embedded else "",
        query_prompt=report.query_prompt,
        document_prompt=report.document_prompt,
        max_seq_length=outcome.config.model.max_seq_length,
        dimensions=list(outcome.config.training.matryoshka),
        two_ways=adapter,
    )


def _short(name: str) -> str:
    """A folder's path says nothing to others, and may say too much: its name does."""
    return Path(name).name if Path(name).is_absolute() else name
