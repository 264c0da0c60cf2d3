"""The systems that embft ranks: the one list that everything else reads.

A new system is one file in ``embft/ranking/`` and one entry here: then it can be named in ``evaluation.systems``, and is ranked,
compared, costed, reported and tracked like the others. See CONTRIBUTING.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from embft.wording import worded


@dataclass(frozen=True)
class System:
    """A system as everything but its own ranker sees it.

    Attributes:
        name: In the configuration, in files, in the tracker.
        phrase: In a sentence: "Ship {phrase}."
        ranker: ``module:Class`` of `embft.ranking.bench.Ranker`, imported when it is needed.
        comparison_order: Of two systems, the one with the higher number is the system and the other its baseline.
        needs_tuned: Whether there must be a fine-tune.
        uses_model: Whether it searches by the run's embedding model.
    """

    name: str
    phrase: str
    ranker: str
    comparison_order: int
    needs_tuned: bool = False
    uses_model: bool = False


SYSTEMS: tuple[System, ...] = (
    System("bm25", worded("BM25"), "embft.ranking.bm25:BM25Ranker", 1),
    System("base", worded("the base model"), "embft.ranking.dense:BaseRanker", 0, uses_model=True),
    System("tuned", worded("the tuned model"), "embft.ranking.dense:TunedRanker", 3, needs_tuned=True, uses_model=True),
    System(
        "fused",
        worded("the fusion of BM25 and embeddings"),
        "embft.ranking.fused_parts:FusionRanker",
        4,
        uses_model=True,
    ),
    System("openai", worded("the API's embeddings"), "embft.ranking.endpoint:EndpointRanker", 2),
    System("reranked", worded("the reranked fusion"), "embft.ranking.reranked:RerankedRanker", 5, uses_model=True),
)
"""Cheapest to run first: no vectors; vectors; vectors of your own model; two indexes; a bill for each question;
a model that reads a hundred chunks with each question."""

SYSTEM_NAMES: tuple[str, ...] = tuple(system.name for system in SYSTEMS)


def system_of(name: str) -> System:
    """The entry of a name.

    Raises:
        KeyError: There is none. `embft.config.problems` names unknown systems before any work.
    """
    return {system.name: system for system in SYSTEMS}[name]


def cost_rank(name: str) -> int:
    """How dear a system is to run, from 0."""
    return SYSTEM_NAMES.index(name)
