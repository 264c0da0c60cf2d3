"""The verdict in full: what to ship, what that costs, what the judged pool says, what tuning costs elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from embft.config import ExperimentConfig
from embft.evaluation.costs import MeasuredCosts, SystemCosts
from embft.evaluation.verdict import CANNOT_TELL, Evidence, decide
from embft.judging.judgements import JudgingReport
from embft.reporting.audit_phrases import general_sentence
from embft.reporting.cost_phrases import cost_sentence, untried_sentence
from embft.reporting.judging_phrases import both_readings
from embft.results import DatasetReport, Evaluated, General, Verdict


def verdict_of(
    config: ExperimentConfig,
    data: DatasetReport,
    evaluated: Evaluated,
    costs: Mapping[str, SystemCosts],
    measured: MeasuredCosts,
    general: General | None,
    judged: JudgingReport | None,
) -> Verdict:
    """The decision with its sentences, in the language that is spoken."""
    primary = config.evaluation.primary
    evidence = Evidence(
        means={name: result.means[primary] for name, result in evaluated.systems.items()},
        comparisons=evaluated.comparisons,
        test_origins=data.origins["test"],
        primary=primary,
        prospects=evaluated.prospects,
    )
    decision = decide(evidence, config.evaluation.margin)
    pooled = evaluated.pooled
    with_pool = None
    if judged is not None and pooled is not None:
        read = replace(
            evidence,
            means={name: figures.means[primary] for name, figures in pooled.systems.items()},
            comparisons=pooled.comparisons,
            prospects=pooled.prospects,
        )
        other = decide(read, config.evaluation.margin)
        decision, with_pool = both_readings(decision, other, judged), other.decision
    reasons = list(decision.reasons)
    if decision.decision != CANNOT_TELL:
        reasons.append(cost_sentence(costs[decision.decision], measured.chunks))
        if config.model.kind == "weights" and config.retrieval.mode != "late":
            reasons.extend(filter(None, [untried_sentence(measured)]))
    if general is not None:
        reasons.append(general_sentence(general, primary))
    return Verdict(**{**vars(decision), "reasons": reasons}, costs=dict(costs), with_pool=with_pool)
