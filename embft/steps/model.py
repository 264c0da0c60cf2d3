"""The base model of a run: found, or its API asked, before any other work."""

from __future__ import annotations

import logging
from functools import partial

from embft.models.embeddings_endpoint import EndpointEncoder
from embft.models.encoder import Computing, Encoder
from embft.models.fit import check_fit
from embft.models.source import resolve
from embft.models.trial import try_once
from embft.ranking.shards import OtherMachines
from embft.retrieval.embedder import Embedder
from embft.retrieval.faiss_index import import_faiss
from embft.retrieval.vector_cache import VECTORS, VectorCache
from embft.scaling.fleet import Fleet, open_fleet
from embft.steps.workspace import Lab, Workspace
from embft.training.elsewhere import open_elsewhere
from embft.training.tuning_task import Elsewhere

logger = logging.getLogger(__name__)

_FIRST = "first"


def open_model(workspace: Workspace) -> Lab:
    """The model that the configuration names, and how it searches.

    An API is asked for the vectors of one word, once and for all, since they are kept as any others are. So a wrong key,
    name or address is known before documents are read and questions are paid for.

    Raises:
        ModelError: The weights are not available, or they are not those of an embedding model; or faiss is not installed.
        ScaleError: Other machines cannot be asked.
        EndpointError: The API has no key, refuses, or cannot be reached.
    """
    config, retrieval = workspace.config.model, workspace.config.retrieval
    if retrieval.index == "faiss":
        import_faiss()
    cache = VectorCache(workspace.cache_dir / VECTORS)
    if config.kind == "endpoint":
        endpoint = EndpointEncoder(
            config.endpoint,
            setting="model.endpoint",
            query_prompt=config.query_prompt or "",
            document_prompt=config.document_prompt or "",
        )
        endpoint.require_key()
        base = Embedder(endpoint, retrieval, cache)
        base.pair_vectors([_FIRST], [_FIRST])
        machines = open_fleet(workspace.config.scale, workspace.cache_dir)
        return _lab(workspace, base, machines)
    source = resolve(config)
    for note in source.notes:
        logger.warning(note)
    check_fit(source.name, source.kind, workspace.config)
    encoder = Encoder(
        source.folder,
        source.fingerprint,
        name=source.name,
        query_prompt=config.query_prompt,
        document_prompt=config.document_prompt,
        max_seq_length=config.max_seq_length,
        computing=Computing(workspace.config.training.device, retrieval.batch_size, retrieval.precision),
    )
    encoder.notes = source.notes
    try_once(encoder, workspace.cache_dir / "models_tried")
    machines = open_fleet(workspace.config.scale, workspace.cache_dir)
    # Token vectors are worked out here.
    base = Embedder(encoder, retrieval, cache, machines=None if retrieval.mode == "late" else machines)
    return _lab(workspace, base, machines, open_elsewhere(workspace.config, workspace.cache_dir))


def _lab(workspace: Workspace, base: Embedder, machines: Fleet | None, elsewhere: Elsewhere | None = None) -> Lab:
    rankers = None if machines is None else partial(OtherMachines, machines)
    return Lab(workspace.config, workspace.cache_dir, base, elsewhere, rankers, used=workspace.used, machines=machines)
