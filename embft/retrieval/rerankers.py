"""The reranker that a configuration names."""

from __future__ import annotations

from embft.config.reranking import RerankerConfig
from embft.retrieval.candidates import Reranker
from embft.retrieval.embedder import Embedder


def reranker_of(config: RerankerConfig, embedder: Embedder) -> Reranker:
    """The reranker that a configuration names.

    Args:
        embedder: Whose model gives token vectors (``kind=late``) and says which device is used.

    Raises:
        ModelError: The cross-encoder is not available, or is none.
        EndpointError: The API has no key.
    """
    if config.kind == "late":
        from embft.retrieval.late_reranker import LateReranker

        return LateReranker(embedder)
    if config.kind == "cross_encoder":
        from embft.models.cross_encoder import open_cross_encoder
        from embft.retrieval.pair_reranker import PairReranker

        computing = embedder.open_model.computing if hasattr(embedder.encoder, "computing") else None
        return PairReranker(open_cross_encoder(config, computing))
    from embft.models.rerank_service import RerankService
    from embft.retrieval.api_reranker import ApiReranker

    return ApiReranker(RerankService(config.api))
