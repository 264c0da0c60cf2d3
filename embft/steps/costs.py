"""Stage ``costs``: what searching costs, measured. Its time counts as the stage ``evaluation``'s."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from embft import typed_json
from embft.evaluation.costs import MeasuredCosts
from embft.evaluation.search_costs import measure_reranking, measure_search, measure_tokens
from embft.models.hardware import pick_device
from embft.results import Dataset
from embft.retrieval.rerankers import reranker_of
from embft.stages import StageResult
from embft.steps.workspace import Lab
from embft.systems import system_of


def measure_costs(lab: Lab, dataset: StageResult[Dataset]) -> StageResult[MeasuredCosts]:
    """Measures embedding and search of what test questions search.

    Once for a model and its tuned selves, which differ in weights alone, and once for a machine: the result is cached.
    A model that no system uses is not measured.
    """
    base = lab.base
    device = pick_device(base.encoder.device)
    systems, reranking = lab.config.evaluation.systems, lab.config.evaluation.reranker
    uses_model = any(system_of(name).uses_model for name in systems)
    reranker = reranker_of(reranking, base) if "reranked" in systems else None
    fuses_tokens = "late" in base.retrieval.fuse and bool({"fused", "reranked"} & set(systems))

    def build(folder: Path, scratch: Path) -> None:
        searched = dataset.value.splits.searched("test")
        measured = measure_search(base, searched, device, lab.seed, uses_model)
        if fuses_tokens:
            measured = replace(measured, late=measure_tokens(base, searched, lab.seed))
        if reranker is not None:
            measured = replace(measured, reranking=measure_reranking(reranker, searched, reranking.first, lab.seed))
        typed_json.save(folder / "costs.json", measured)

    return lab.run(
        "costs",
        build,
        lambda folder: typed_json.load(MeasuredCosts, folder / "costs.json"),
        inputs=[dataset.key, base.encoder.fingerprint],
        values={
            "machine": [device, os.cpu_count()],
            "uses_model": uses_model,
            "fuses_tokens": fuses_tokens,
            "seed": lab.seed,
        }
        | ({"reranker": reranker.identity, "first": reranking.first} if reranker else {}),
    )
