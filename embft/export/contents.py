"""What every export holds: the search described, chunks, the model, the test, and a script that proves the figures."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from pathlib import Path

from embft.embedded_text import IndexedCorpus
from embft.errors import RunError
from embft.evaluation.metrics import dataset_scores
from embft.evaluation.weights import Weights
from embft.files import write_json, write_jsonl, write_text
from embft.models.encoder import Encoder
from embft.models.kinds import limit_of
from embft.models.vectors import Vectors
from embft.records import Passages
from embft.retrieval.bm25 import pairs_of, windows_of
from embft.serving.answering import Answering, Asked
from embft.serving.run_files import ChunkRow, RunFiles, write_chunks
from embft.serving.standing import VectorIndex
from embft.text.corpus_terms import CorpusTerms
from embft.text.terms import merged

ALONE = Path(__file__).parent / "alone"
METRICS = ("hit_rate@5", "ndcg@10")
KNOWN = ("bm25", "base", "tuned", "fused")


@dataclass(frozen=True)
class LexicalRow:
    """A chunk as BM25 indexes it.

    Attributes:
        terms: Of the whole chunk.
        windows: Terms of each of its windows; empty where BM25 has none.
    """

    id: str
    terms: list[str]
    windows: list[list[str]]


@dataclass(frozen=True)
class DensePart:
    """The vectors of a system.

    Attributes:
        encoder: The model, by weights.
        passages: Windows, or whole chunks.
        vectors: float32 [n_passages, dim], of length 1.
    """

    encoder: Encoder
    passages: Passages
    vectors: Vectors


@dataclass(frozen=True)
class LexicalPart:
    """BM25 of a system.

    Attributes:
        rows: In the order of the chunks.
        questions: Test question id to its terms, and to its pairs of them.
    """

    rows: list[LexicalRow]
    questions: Mapping[str, tuple[list[str], list[str]]]


@dataclass(frozen=True)
class Contents:
    """An export's contents.

    Attributes:
        run: The run.
        system: The system that is exported.
        weight: Of the vectors; 0: BM25 alone, 1: vectors alone.
        dense, lexical: None where the system has no such part.
        figures: Hit rate and nDCG that the export must come out at: the report's, or, of the model that was trained again on
            everything, what it gets on the test, whose questions it has seen.
        refitted: Whether it is that model.
    """

    run: RunFiles
    system: str
    weight: float
    dense: DensePart | None
    lexical: LexicalPart | None
    figures: Mapping[str, float]
    refitted: bool = False

    @property
    def chunks(self) -> Sequence[ChunkRow]:
        """All that is searched."""
        return list(self.run.chunks.values())

    def description(self) -> Mapping[str, object]:
        """search.json of the export: everything that a search by hand needs."""
        retrieval, dense = self.run.config.retrieval, self.dense
        encoder = dense.encoder if dense else None
        return {
            "system": self.system,
            "chunks": self.run.setup.chunks,
            "weight": self.weight,
            "mix": "weight * min_max(vectors) + (1 - weight) * min_max(bm25), over all chunks of a question",
            "mode": retrieval.mode,
            "window_tokens": retrieval.window_tokens,
            "window_overlap": retrieval.window_overlap,
            "query_prompt": encoder.query_prompt if encoder else "",
            "document_prompt": encoder.document_prompt if encoder else "",
            "max_seq_length": limit_of(encoder.model) if encoder else None,
            "dimensions": int(dense.vectors.shape[1]) if dense else None,
            "bm25": {
                "k1": retrieval.bm25_k1,
                "b": retrieval.bm25_b,
                "window": retrieval.bm25_window
                if self.lexical and any(row.windows for row in self.lexical.rows)
                else 0,
                "pairs": retrieval.bm25_pairs,
                "language": retrieval.bm25_language,
            },
            "depth": retrieval.depth,
            "relevant_from": self.run.config.evaluation.relevant_from,
            "figures": {name: self.figures[name] for name in METRICS},
            **({"refitted": True} if self.refitted else {}),
        }


def collect(run: RunFiles, system: str, device: str | None, *, refitted: bool = False) -> Contents:
    """Gathers what a system consists of; passages come from the cache where they are there.

    Args:
        run: The run.
        system: One of its systems.
        device: What the model computes on; None: as in the run.
        refitted: With the tuned model that was trained again on everything.

    Raises:
        RunError: There is no such model, or the system cannot be exported as vectors and words.
        ModelError: Its model is not available, or is not the one that was ranked.
    """
    retrieval = run.config.retrieval
    if system not in KNOWN:
        raise RunError(f"The system {system} has parts that no index holds: serve it (embft serve), or --system fused.")
    if retrieval.mode == "late" and system != "bm25":
        raise RunError("One vector per token (retrieval=late) has no export yet: serve it (embft serve).")
    if run.config.model.kind == "endpoint" and system != "bm25":
        raise RunError(
            "The vectors of this run are an API's, whose model is not here to export: serve the run instead."
        )
    if system == "fused" and run.setup.fusion is not None and run.setup.fusion.late > 0:
        raise RunError(
            "The mix of this run has vectors of tokens in it, which have no export yet: serve it (embft serve)."
        )
    weight = {"bm25": 0.0, "fused": run.setup.fusion.weight if run.setup.fusion else 0.5}.get(system, 1.0)
    dense, figures = None, run.setup.figures[system]
    if weight > 0:
        answering = Answering(run, device, refitted=refitted)
        embedder = answering.embedder(run.model_of(system) or "base")
        index = answering.index(embedder)
        assert isinstance(index, VectorIndex)
        dense = DensePart(embedder.open_model, index.passages, index.units)
        if refitted:
            figures = _seen(answering, system)
    return Contents(run, system, weight, dense, _lexical(run) if weight < 1 else None, figures, refitted)


def _seen(answering: Answering, system: str) -> dict[str, float]:
    """Means on the test of a model that was trained on it: no estimate of anything, but what its export must come out at."""
    run = answering.run
    ranking = answering.rank(
        system, [Asked(text, tuple(run.test.excluded.get(key, ()))) for key, text in run.test.queries.items()]
    )
    named = {key: ranking.chunk_ids[str(place)] for place, key in enumerate(run.test.queries)}
    scores = dataset_scores(replace(ranking, chunk_ids=named, scores={}), run.test, run.config.evaluation.relevant_from)
    weights = Weights.of(list(run.test.queries), run.setup.counts, "count")
    return {name: float(weights.mean(scores[name])) for name in METRICS}


def _lexical(run: RunFiles) -> LexicalPart:
    """Cut as `embft.retrieval.bm25.BM25Scorer` does; a test holds the figures against it."""
    config, corpus = run.config.retrieval, IndexedCorpus.of(run.test.indexed)
    cut = CorpusTerms.of(list(corpus.own.values()), config.bm25_language)
    contexts = cut.of_contexts([corpus.context(chunk_id) for chunk_id in corpus])
    size = config.bm25_window
    windowed = bool(size) and any(len(terms) > size for terms in cut.chunks)
    rows = [
        LexicalRow(
            chunk_id,
            [*context, *terms],
            [[*context, *part] for part in windows_of(terms, size)] if windowed else [],
        )
        for chunk_id, context, terms in zip(corpus, contexts, cut.chunks, strict=True)
    ]
    questions = {}
    for key, text in run.test.queries.items():
        readings = cut.question(text)
        questions[key] = (merged(readings), merged([pairs_of(terms) for terms in readings]))
    return LexicalPart(rows, questions)


def write_base(contents: Contents, folder: Path, check: str) -> None:
    """Writes what every export holds.

    Args:
        contents: The system.
        folder: The export.
        check: The script of `embft.export.alone` that the proof is made of.
    """
    write_json(folder / "search.json", contents.description())
    write_jsonl(folder / "questions.jsonl", _questions(contents))
    write_text(folder / "check.py", _script(check))
    if contents.dense is not None:
        shutil.copytree(contents.dense.encoder.folder, folder / "model", symlinks=False)


def write_lexical(contents: Contents, folder: Path) -> None:
    """Writes lexical.jsonl: chunks and windows as terms."""
    if contents.lexical is not None:
        write_jsonl(folder / "lexical.jsonl", contents.lexical.rows)


def write_parquet(contents: Contents, folder: Path) -> None:
    """Writes chunks.parquet and windows.parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    write_chunks(folder / "chunks.parquet", contents.chunks)
    if contents.dense is None:
        return
    passages, vectors = contents.dense.passages, contents.dense.vectors
    values = pa.array(vectors.reshape(-1), pa.float32())
    table = pa.table(
        {
            "chunk_id": [passages.chunk_ids[at] for at in passages.owner],
            "window": list(chain.from_iterable(range(count) for count in window_counts(passages))),
            "text": list(passages.texts),
            "vector": pa.FixedSizeListArray.from_arrays(values, vectors.shape[1]),
        }
    )
    pq.write_table(table, folder / "windows.parquet", compression="zstd")


def window_counts(passages: Passages) -> list[int]:
    """How many windows each chunk has."""
    starts = [*passages.starts.tolist(), len(passages.texts)]
    return [end - start for start, end in pairwise(starts)]


def _questions(contents: Contents) -> list[dict[str, object]]:
    test = contents.run.test
    rows: list[dict[str, object]] = []
    for key, text in test.queries.items():
        terms, pairs = contents.lexical.questions[key] if contents.lexical else ([], [])
        rows.append(
            {
                "id": key,
                "text": text,
                "relevant": {chunk: test.grade(key, chunk) for chunk in test.relevant_docs[key]},
                "excluded": list(test.excluded.get(key, ())),
                "count": contents.run.setup.counts.get(key, 1),
                "terms": terms,
                "pairs": pairs,
            }
        )
    return rows


def _script(check: str) -> str:
    """One file of the two: what both share, then the part that knows the store."""
    shared = (ALONE / "scoring.py").read_text(encoding="utf-8")
    part = (ALONE / f"{check}.py").read_text(encoding="utf-8")
    part = re.sub(r"from embft\.export\.alone\.scoring import (?:\([^)]*\)|[^\n]*)\n", "", part)
    part = part.replace("from __future__ import annotations\n", "")
    return f"{shared}\n\n{part}"
