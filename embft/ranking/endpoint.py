"""The system ``openai``: the embeddings of an API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from embft.evaluation.costs import MeasuredCosts, Rates, SystemCosts, endpoint_costs
from embft.models.embeddings_endpoint import EndpointEncoder
from embft.ranking.bench import Bench, SystemFacts
from embft.retrieval.scoring import Scorer


class EndpointRanker:
    """See `embft.ranking.bench.Ranker`. Whole chunks and bare questions: an API's prompts belong to its model."""

    def scorers(self, bench: Bench, split: str) -> Mapping[str, Scorer]:
        """By cosine and by dot product; each text is paid for once."""
        dataset, endpoint = bench.searched[split], bench.evaluation.openai
        encoder = EndpointEncoder(endpoint)
        texts = [*dataset.indexed.values(), *dataset.queries.values()]
        if cut := sum(end < len(text) for text, end in zip(texts, encoder.read_ends(texts), strict=True)):
            bench.notes.append(f"{cut} texts were longer than {endpoint.model} takes and were cut.")
        # Where a run is served, the bench's base may be the tuned model: no adapter and no last layer belongs to this API.
        plain = replace(bench.base, encoder=encoder, query_map=None, whitening=None)
        return plain.in_mode("truncate").scorers(dataset)

    def floor(self, bench: Bench) -> None:
        """Every chunk has a score."""

    def describe(self, facts: SystemFacts) -> str:
        """The API's model."""
        return f"{facts.endpoint} from an API, one vector per chunk"

    def costs(self, measured: MeasuredCosts, rates: Rates) -> SystemCosts:
        """A bill for each text."""
        return endpoint_costs(measured, rates)
