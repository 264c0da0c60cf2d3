"""The model card's section on the system that won: all that it takes to search as it did, and code that does."""

from __future__ import annotations

from embft.evaluation.verdict import CANNOT_TELL
from embft.ranking.bench import vectors_of
from embft.records import HELD_OUT_FOLDER, MODEL_FOLDER
from embft.reporting.markdown_text import fenced, plain
from embft.results import Outcome
from embft.systems import system_of


def search_section(outcome: Outcome) -> list[str]:
    """Lines of Markdown."""
    verdict = outcome.verdict
    system = verdict.meanwhile if verdict.decision == CANNOT_TELL else verdict.decision
    if system is None or system not in outcome.evaluated.systems:
        return [f"The verdict names no system ({plain(verdict.headline)}), so none is described here."]
    means = outcome.evaluated.systems[system].means
    name = system_of(system).phrase
    return [
        f"The system to ship is {name}: {plain(outcome.evaluated.systems[system].description)}. It searches "
        f"{len(outcome.searched):,} chunks.",
        "",
        *(f"- {line}" for line in _settings(outcome, system)),
        "",
        "From the run folder, as it was ranked (`pip install embft`):",
        "",
        fenced(_code(system), "py"),
        "",
        f"Over the test questions that gives hit rate@5 {means['hit_rate@5']:.3f} and nDCG@10 {means['ndcg@10']:.3f}. "
        "`embft serve RUN` serves it, `embft export RUN DIR --to parquet` takes it elsewhere, and "
        "`embft check-served URL --run RUN` says whether what is served is this.",
        *_refitted(outcome, system),
    ]


def _refitted(outcome: Outcome, system: str) -> list[str]:
    """Where a model was trained again on everything: which of the two each command takes."""
    if outcome.refitted is None or _vectors_of(outcome, system) != "tuned":
        return []
    return [
        "",
        f"These take the model that was judged, `{HELD_OUT_FOLDER}`. `embft serve RUN --refitted` and `embft export RUN DIR --to "
        f"parquet --refitted` take the one that was trained again on everything, `{MODEL_FOLDER}`: the figures are not of it.",
    ]


def _settings(outcome: Outcome, system: str) -> list[str]:
    retrieval, fusion = outcome.config.retrieval, outcome.fusion
    lines = []
    if system_of(system).uses_model:
        lines.append(_vectors(outcome))
        lines.append(_prompts(outcome, system))
    if system in {"bm25", "fused", "reranked"}:
        windows = (
            f", plus the score of its best window of {retrieval.bm25_window} terms, half overlapping, in an index of their own"
            if retrieval.bm25_window
            else ""
        )
        pairs = (
            f", plus {retrieval.bm25_pairs:g} times the score by pairs of neighbouring terms"
            if retrieval.bm25_pairs
            else ""
        )
        lines.append(
            f"BM25 (Lucene's) with k1 {retrieval.bm25_k1:g} and b {retrieval.bm25_b:g}, language {retrieval.bm25_language}: a "
            f"chunk's score{windows}{pairs}. Terms are cut by `embft.text.terms`."
        )
    if system in {"fused", "reranked"} and fusion is not None:
        tokens = ", of its token vectors (MaxSim)" if fusion.late else ""
        words = round(1 - fusion.weight - fusion.late, 6)
        shares = f"{fusion.weight:g} of the former and {words:g} of the latter"
        if fusion.late:
            shares = f"{fusion.weight:g}, {fusion.late:g} and {words:g} of them"
        lines.append(
            f"Mix: each question's scores, of vectors ({fusion.dense}){tokens} and of BM25, are scaled to 0..1 over all chunks "
            f"(min-max), then {shares} are added."
        )
    return [*lines, f"Ties go to the smaller chunk id; {retrieval.depth} chunks are kept."]


def _vectors(outcome: Outcome) -> str:
    retrieval = outcome.config.retrieval
    windows = (
        f"chunks are cut in windows of at most {retrieval.window_tokens} tokens that share {retrieval.window_overlap} "
        "(`embft.retrieval.windows.cut_windows`)"
    )
    return {
        "windows": f"Vectors: {windows}; a chunk scores as its best window (MaxP), by cosine.",
        "truncate": "Vectors: one for each chunk, which is cut off at the model's limit; by cosine.",
        "late": f"Vectors: one for each token; {windows}; each token of a question is matched with its closest one of the chunk "
        "(MaxSim), and the mean is the score.",
    }[retrieval.mode]


def _prompts(outcome: Outcome, system: str) -> str:
    report = outcome.tuned.report if outcome.tuned and _vectors_of(outcome, system) == "tuned" else None
    model = outcome.config.model
    query = report.query_prompt if report else model.query_prompt
    document = report.document_prompt if report else model.document_prompt
    if query is None or document is None:
        return "Prompts: the model's own, if it has any."
    if not query and not document:
        return "Prompts: none, before questions as before passages."
    return f"Prompts: {query!r} before each question, {document!r} before each window."


def _vectors_of(outcome: Outcome, system: str) -> str | None:
    return vectors_of(system, outcome.fusion, tuned=outcome.tuned is not None)


def _code(system: str) -> str:
    return "\n".join(
        [
            "from pathlib import Path",
            "",
            "from embft.serving.answering import Answering, Asked",
            "from embft.serving.run_files import read_run",
            "",
            'answering = Answering(read_run(Path("RUN")))  # the run folder, which this model\'s folder lies in',
            f'(hits,) = answering.search("{system}", [Asked("...")])',
            "for hit in hits[:10]:",
            "    print(round(hit.score, 4), hit.chunk.id, hit.chunk.document, hit.chunk.page)",
        ]
    )
