"""The group ``evaluation``: which systems are compared, by what, and how sure one is to be."""

from __future__ import annotations

from dataclasses import dataclass, field

from omegaconf import MISSING

from embft.config.fields import ANSWER_METRICS, choice, number
from embft.config.judging import JudgingConfig
from embft.config.reranking import RerankerConfig
from embft.config.schema import EndpointConfig


@dataclass
class EvaluationConfig:
    """Which systems, and how sure."""

    name: str = MISSING
    """What reports call the choice: the name of its file."""
    systems: list[str] = field(default_factory=lambda: ["bm25", "base", "tuned", "fused"])
    """What is ranked and compared: names from `embft.systems.SYSTEMS`, such as bm25, base, tuned, fused, openai, reranked."""
    metrics: list[str] = field(default_factory=lambda: ["hit_rate@5", "ndcg@10", "mrr@10", "map@100", *ANSWER_METRICS])
    """Metrics that get intervals and comparisons."""
    primary: str = "ndcg@10"
    """The metric that the verdict is about."""
    weights: str = choice("none", "none", "count")
    """What each question counts: none: all alike; count: as often as it was asked, where questions.human is a query log."""
    relevant_from: int = number(1, 1, 100)
    """Grade from which a chunk counts as relevant in hit rate, MRR, MAP, precision and recall; nDCG uses every grade."""
    margin: float = number(0.01, 0.0, 0.5)
    """What simplicity is worth: the expected loss up to which a cheaper system is shipped; 0.01 is one point."""
    resamples: int = number(10_000, 100, 10_000_000)
    """Draws of questions behind the expected losses."""
    confidence: float = number(0.95, 0.5, 0.999)
    """Level of the intervals."""
    precision: float = number(0.02, 0.001, 0.5)
    """Wished half-width of a difference's interval: the report says how many questions it takes."""
    general: str | None = None
    """Another dataset, on which base and tuned are compared too: a BEIR folder, a run's folder, or a dataset file."""
    objective: str = "tuned/ndcg@10"
    """``<system>/<metric>`` on dev that run.py returns to a sweeper."""
    openai: EndpointConfig = field(default_factory=EndpointConfig)
    """The API that is the system openai."""
    judge: str = "none"
    """Who judges the first chunks of every system where the dataset says nothing of them: none, llm, or a file of people's."""
    judging: JudgingConfig = field(default_factory=JudgingConfig)
    """How they are judged."""
    reranker: RerankerConfig = field(default_factory=RerankerConfig)
    """Who reorders the fusion's first chunks: the system reranked."""
