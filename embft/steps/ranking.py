"""Stage ``ranking``: every system orders the chunks for the dev and test questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from embft.config import EndpointConfig, RetrievalConfig
from embft.evaluation.metrics import dataset_scores
from embft.evaluation.significance import bagged_best, groups_of
from embft.files import read_json, write_json
from embft.models.embeddings_endpoint import EndpointEncoder
from embft.records import Ranking, RetrievalDataset
from embft.retrieval.bm25 import BM25Scorer
from embft.retrieval.embedder import Embedder
from embft.retrieval.excluding import excluding, without_excluded
from embft.retrieval.scoring import FusedScorer, Scorer, rank
from embft.stages import StageCache, StageResult
from embft.steps.dataset import Dataset
from embft.steps.training import Tuned, tuned_embedder

SEARCHED = ("dev", "test")
_WEIGHTS = tuple(round(float(weight), 2) for weight in np.linspace(0, 1, 21))


@dataclass(frozen=True)
class Rankings:
    """What the stage gives.

    Attributes:
        by_split: For ``dev`` and ``test``, rankings by system, then by score function. A dense system has ``cosine``
            and ``dot``; bm25 and fused have one of their own name.
        fusion: The weight and the dev curve it was chosen on; None where nothing is fused.
        notes: What a reader must know: texts cut by an endpoint, an even mix for want of dev questions.
    """

    by_split: dict[str, dict[str, dict[str, Ranking]]]
    fusion: dict[str, Any] | None
    notes: list[str]


def rank_systems(
    stages: StageCache,
    systems: list[str],
    dataset: StageResult[Dataset],
    base: Embedder,
    tuned: StageResult[Tuned] | None,
    endpoint: EndpointConfig,
    fuse_by: str,
) -> StageResult[Rankings]:
    """Ranks dev and test with every system, and chooses the fusion's weight on dev.

    Args:
        systems: Their names, in the order of the report.
        tuned: None where nothing was tuned: then fused is BM25 and base.
        endpoint: For the system ``openai``.
        fuse_by: The dev metric that chooses the fusion's weight.
    """
    retrieval = base.retrieval

    def build(folder: Path, scratch: Path) -> None:
        notes: list[str] = []
        searched = {
            split: dataset.value.splits.searched(split)
            for split in SEARCHED
            if getattr(dataset.value.splits, split).queries
        }
        if retrieval.late_interaction:
            _ask_together(_embedders(systems, base, tuned), list(searched.values()))
        scorers = {split: _scorers(systems, found, base, tuned, endpoint, notes) for split, found in searched.items()}
        fusion = None
        if "fused" in systems:
            dense = "tuned" if tuned is not None else "base"
            fusion = _choose_weight(searched.get("dev"), scorers.get("dev"), dense, fuse_by, retrieval)
            if fusion["curve"] == []:
                notes.append(
                    "Without dev questions the fusion is an even mix; nothing says that this is its best weight."
                )
            for found in scorers.values():
                mix = FusedScorer(found[dense]["cosine"], found["bm25"]["bm25"], fusion["weight"])
                found["fused"] = {"fused": mix}
        for split, found in scorers.items():
            for system in systems:
                for score_name, scorer in found[system].items():
                    ranking = _rank(scorer, searched[split], system, score_name, retrieval.depth, fusion)
                    write_json(
                        folder / f"{split}.{system}.{score_name}.json",
                        {"chunk_ids": ranking.chunk_ids, "scores": ranking.scores},
                    )
        write_json(folder / "ranking.json", {"fusion": fusion, "notes": list(dict.fromkeys(notes))})

    def load(folder: Path) -> Rankings:
        by_split: dict[str, dict[str, dict[str, Ranking]]] = {split: {} for split in SEARCHED}
        order = {system: place for place, system in enumerate(systems)}
        files = list(folder.glob("*.*.*.json"))
        for path in sorted(files, key=lambda path: (order[path.name.split(".")[1]], path.name)):
            split, system, score_name, _ = path.name.split(".")
            content = read_json(path)
            ids = {key: tuple(value) for key, value in content["chunk_ids"].items()}
            scores = {key: tuple(value) for key, value in content["scores"].items()}
            by_split[split].setdefault(system, {})[score_name] = Ranking(system, score_name, ids, scores)
        described = read_json(folder / "ranking.json")
        return Rankings(by_split, described["fusion"], described["notes"])

    settings: dict[str, Any] = {"systems": systems, **asdict(retrieval), **base.encoder.settings}
    for irrelevant in ("name", "batch_size"):
        settings.pop(irrelevant)
    if "fused" in systems:
        settings["fuse_by"] = fuse_by
    if "openai" in systems:
        settings["endpoint"] = [endpoint.base_url, endpoint.model, endpoint.query_model, endpoint.max_tokens]
    return stages.run(
        "ranking",
        settings=settings,
        inputs=[dataset.key, base.encoder.fingerprint, tuned.value.fingerprint if tuned else "untuned"],
        code=(
            "embft.retrieval",
            "embft.evaluation.metrics",
            "embft.evaluation.significance",
            "embft.text.tokens",
            "embft.models.embeddings_endpoint",
            "embft.models.token_vectors",
            "embft.retrieval.late_scores",
            "embft.training.whitening",
            "embft.steps.ranking",
            "embft.steps.training",
            "embft.retrieval.embedder",
        ),
        build=build,
        load=load,
    )


def _scorers(
    systems: list[str],
    dataset: RetrievalDataset,
    base: Embedder,
    tuned: StageResult[Tuned] | None,
    endpoint: EndpointConfig,
    notes: list[str],
) -> dict[str, dict[str, Scorer]]:
    """Scorers of one split by system, then by score function; all but fused."""
    retrieval = base.retrieval
    found: dict[str, dict[str, Scorer]] = {}
    if {"bm25", "fused"} & set(systems):
        found["bm25"] = {"bm25": BM25Scorer.of(retrieval, dataset.corpus, list(dataset.queries.values()))}
    for system, embedder in _embedders(systems, base, tuned).items():
        found[system] = embedder.scorers(dataset)
    if "openai" in systems:
        found["openai"] = _endpoint_scorers(dataset, endpoint, base, notes)
    return {
        system: {name: excluding(scorer, dataset) for name, scorer in scorers.items()}
        for system, scorers in found.items()
    }


def _embedders(systems: list[str], base: Embedder, tuned: StageResult[Tuned] | None) -> dict[str, Embedder]:
    """The models that the systems need, by the name of their own system."""
    found = {}
    if "base" in systems or ("fused" in systems and tuned is None):
        found["base"] = base
    if tuned is not None and {"tuned", "fused"} & set(systems):
        found["tuned"] = tuned_embedder(base, tuned.value)
    return found


def _ask_together(embedders: Mapping[str, Embedder], searched: Sequence[RetrievalDataset]) -> None:
    """Asks the questions of all splits at once where they search the same chunks.

    Token vectors are not kept, so a second split would embed the chunks again; scores are.
    """
    if len(searched) < 2 or any(dataset.corpus != searched[0].corpus for dataset in searched):
        return
    texts = [text for dataset in searched for text in dataset.queries.values()]
    together = RetrievalDataset(dict(zip(map(str, range(len(texts))), texts, strict=True)), searched[0].corpus, {})
    for embedder in embedders.values():
        embedder.scorers(together)


def _endpoint_scorers(
    dataset: RetrievalDataset, endpoint: EndpointConfig, base: Embedder, notes: list[str]
) -> dict[str, Scorer]:
    # The prompt of an API is part of its model's name: it is asked for whole chunks and bare questions.
    encoder = EndpointEncoder(endpoint)
    texts = [*dataset.corpus.values(), *dataset.queries.values()]
    if cut := sum(end < len(text) for text, end in zip(texts, encoder.read_ends(texts), strict=True)):
        notes.append(f"{cut} texts were longer than {endpoint.model} takes and were cut.")
    return Embedder(encoder, replace(base.retrieval, mode="truncate", late_interaction=False), base.cache).scorers(
        dataset
    )


def _rank(
    scorer: Scorer,
    dataset: RetrievalDataset,
    system: str,
    score_name: str,
    depth: int,
    fusion: Mapping[str, Any] | None,
) -> Ranking:
    # A chunk that shares no word with the question is not retrieved by BM25, alone or as the whole of a mix.
    lexical = system == "bm25" or (system == "fused" and fusion is not None and fusion["weight"] == 0)
    ranking = rank(
        scorer,
        list(dataset.queries),
        list(dataset.corpus),
        system=system,
        score_name=score_name,
        depth=depth,
        floor=0.0 if lexical else None,
    )
    return without_excluded(ranking, dataset)


def _choose_weight(
    dev: RetrievalDataset | None,
    scorers: Mapping[str, Mapping[str, Scorer]] | None,
    dense: str,
    metric: str,
    retrieval: RetrievalConfig,
) -> dict[str, Any]:
    """The share of the dense system that is best on dev, averaged over bootstrap draws of dev.

    On 30 to 40 questions the best weight itself is half chance. Drawn 300 times from the article's train questions and
    from people's questions about the Python reference, the bagged weight scored .914 and .310 nDCG@10 on the questions
    not drawn, the middle of the best plateau .912 and .303, an even mix .914 and .275. And dev questions from the documents
    of the train questions flatter the tuned model: so the ends of the scale must be ahead of the even mix by one whole group of
    questions, weights between by the square of their way there (docs/experiments.md).
    """
    if dev is None or scorers is None:
        return {"weight": 0.5, "dense": dense, "metric": metric, "curve": []}
    question_ids = list(dev.queries)
    scores = []
    for weight in _WEIGHTS:
        mix = FusedScorer(scorers[dense]["cosine"], scorers["bm25"]["bm25"], weight)
        ranking = _rank(mix, dev, "fused", "fused", retrieval.depth, {"weight": weight})
        scores.append(dataset_scores(ranking, dev)[metric])
    handicaps = (2 * np.array(_WEIGHTS) - 1) ** 2
    best = bagged_best(np.stack(scores), groups_of(question_ids, dev.relevant_docs), handicaps)
    curve = [(weight, round(float(row.mean()), 6)) for weight, row in zip(_WEIGHTS, scores, strict=True)]
    return {"weight": _WEIGHTS[best], "dense": dense, "metric": metric, "curve": curve}
