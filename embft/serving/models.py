"""The models of a run folder, as they were ranked: the same weights, prompts and limits, or none at all."""

from __future__ import annotations

from pathlib import Path

from embft.errors import ModelError, RunError
from embft.models.embeddings_endpoint import EndpointEncoder
from embft.models.encoder import Computing, Encoder
from embft.models.source import folder_fingerprint, resolve
from embft.models.text_encoder import TextEncoder
from embft.models.vectors import read_query_map
from embft.results.search_setup import SearchModel
from embft.retrieval.vector_cache import VECTORS, VectorCache
from embft.serving.run_files import RunFiles
from embft.serving.standing import StandingEmbedder


def open_embedder(run: RunFiles, name: str, device: str | None = None, *, refitted: bool = False) -> StandingEmbedder:
    """The embedder of ``base`` or ``tuned``.

    Args:
        run: The run.
        name: Which of its models.
        device: None: the one of the run's settings.
        refitted: The tuned model that was trained again on everything, of which no figure speaks.

    Raises:
        ModelError: The weights are not available, or are not those that were ranked.
        EndpointError: An API in a model's place has no key.
    """
    cache = _cache(run)
    tuned = run.setup.refitted if refitted else run.setup.tuned
    described = run.setup.base if name == "base" else tuned
    if described is None:
        raise RunError(
            "The run has no model that was trained again on everything (training.refit)."
            if refitted
            else "The run tuned no model."
        )
    retrieval, config = run.config.retrieval, run.config.model
    if config.kind == "endpoint":
        encoder: TextEncoder = EndpointEncoder(
            config.endpoint,
            setting="model.endpoint",
            query_prompt=config.query_prompt or "",
            document_prompt=config.document_prompt or "",
        )
        mapped = read_query_map(run.folder / (described.folder or "")) if described.two_ways else None
        return StandingEmbedder(encoder, retrieval, cache, query_map=mapped)
    folder, digest = _weights(run, described)
    if digest != described.digest:
        raise ModelError(
            f"The model in {folder} is not the one that was ranked: its files have changed since. The run's figures say "
            "nothing about it. Put the old files back, or rank the new ones by a run of their own (model.path=DIR)."
        )
    computing = Computing(device or run.config.training.device, retrieval.batch_size, retrieval.precision)
    return StandingEmbedder(
        Encoder(
            folder,
            described.vectors or digest,
            name=described.name,
            query_prompt=described.query_prompt,
            document_prompt=described.document_prompt,
            max_seq_length=described.max_seq_length,
            computing=computing,
        ),
        retrieval,
        cache,
    )


def _weights(run: RunFiles, described: SearchModel) -> tuple[Path, str]:
    if described.folder is None:
        source = resolve(run.config.model)
        return source.folder, source.fingerprint
    folder = run.folder / described.folder
    if not folder.is_dir():
        raise ModelError(f"The run has lost its tuned model: there is no folder {folder}.")
    return folder, folder_fingerprint(folder)


def _cache(run: RunFiles) -> VectorCache:
    """The run's own cache where it is still there, so that no passage is embedded again; else one in the run folder."""
    folder = Path(run.config.cache_dir).expanduser().absolute() / VECTORS
    if folder.is_dir() or folder.with_name(f"{VECTORS}.sqlite").is_file():  # an older version's
        return VectorCache(folder)
    own = run.folder / "search"
    own.mkdir(exist_ok=True)
    return VectorCache(own / VECTORS)
