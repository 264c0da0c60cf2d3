"""What is wrong with the settings of fusion, reranker and judge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from embft.config.experiment import ExperimentConfig
from embft.errors import nearest

_PARTS = ("bm25", "dense", "late")


def reranking_problems(config: ExperimentConfig) -> Iterator[str]:
    """One sentence for each combination that cannot work."""
    retrieval, systems = config.retrieval, config.evaluation.systems
    for part in retrieval.fuse:
        if part not in _PARTS:
            yield f"retrieval.fuse: '{part}' is unknown.{nearest(part, _PARTS)} Choices: {', '.join(_PARTS)}."
    parts = set(retrieval.fuse)
    if parts <= set(_PARTS) and (not {"bm25", "dense"} <= parts or len(retrieval.fuse) > len(parts)):
        yield f"retrieval.fuse={_listed(retrieval.fuse)} must be [bm25,dense] or [bm25,dense,late]."
    if "late" in parts:
        if retrieval.mode == "late":
            yield "retrieval.fuse: with retrieval.mode=late the vectors are those of tokens already: take late out of it."
        if config.model.kind == "endpoint":
            yield (
                f"retrieval.fuse: late needs one vector per token, and model={config.model.name} is an API with one per text: "
                "take it out."
            )
    yield from _judge_problems(config)
    if "reranked" not in systems:
        return
    reranker = config.evaluation.reranker
    if reranker.first > retrieval.depth:
        yield (
            f"evaluation.reranker.first={reranker.first} is more than retrieval.depth={retrieval.depth}, the chunks that are "
            "kept per question: lower it, or raise that."
        )
    if reranker.kind == "late" and config.model.kind == "endpoint":
        yield (
            f"evaluation.reranker.kind=late needs one vector per token, and model={config.model.name} is an API with one per "
            "text: take cross_encoder or api."
        )
    if reranker.kind == "cross_encoder" and not (reranker.path or reranker.id):
        yield (
            "evaluation.reranker.kind=cross_encoder needs evaluation.reranker.path=DIR, or a hub id: "
            "evaluation.reranker.id=cross-encoder/ms-marco-MiniLM-L6-v2."
        )


def _judge_problems(config: ExperimentConfig) -> Iterator[str]:
    judge, judging = config.evaluation.judge, config.evaluation.judging
    if judge not in {"none", "llm"} and not Path(judge).expanduser().is_file():
        hint = nearest(judge, ("none", "llm"))
        yield f"evaluation.judge={judge} is neither none nor llm, nor a file of judgements.{hint}"
    if judging.first > config.retrieval.depth:
        yield (
            f"evaluation.judging.first={judging.first} is more than retrieval.depth={config.retrieval.depth}, the chunks that "
            "are kept per question: lower it, or raise that."
        )


def _listed(parts: list[str]) -> str:
    return f"[{','.join(parts)}]"
