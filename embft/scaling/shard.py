"""The shard function: the one thing that every worker does, whoever sent it."""

from __future__ import annotations

import os
import platform
import time
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from embft.errors import ScaleError
from embft.models.encoder import Computing, Encoder
from embft.models.source import folder_fingerprint
from embft.models.vectors import TEXTS_AT_ONCE
from embft.scaling.work import (
    MODEL,
    ModelSettings,
    Work,
    read_texts,
    read_vectors,
    read_work,
    texts_of,
    vectors_of,
    write_vectors,
)
from embft.source_code import code_of


def do_shard(folder: str, number: int) -> None:
    """Does one shard of a piece of work: reads its texts, writes its vectors.

    Nothing is done where a whole result is there, so it may be called again, by anybody, at any time. A result is written in
    one step: a worker that is killed leaves none.

    Args:
        folder: Of the work (`embft.scaling.work`).
        number: Of the shard.

    Raises:
        ScaleError: The folder is not to be seen from here, or this machine has another embft.
    """
    place = Path(folder)
    target = vectors_of(place, number)
    if read_vectors(target) is not None:
        return
    work = read_work(place)
    _check_code(work)
    texts = read_texts(texts_of(place, number), work.digests[number])
    started = time.perf_counter()
    encoder = _encoder(place / MODEL / work.model.folder, work.model)
    # In the blocks in which one machine alone would embed them: the last bits of a vector depend on its batch.
    blocks = [
        encoder.encode_passages(texts[start : start + TEXTS_AT_ONCE]) for start in range(0, len(texts), TEXTS_AT_ONCE)
    ]
    seconds = f"{time.perf_counter() - started:.3f}"
    who = {"host": platform.node(), "process": str(os.getpid()), "seconds": seconds}
    write_vectors(target, np.concatenate(blocks), {**who, **libraries()})


@cache
def libraries() -> dict[str, str]:
    """The versions that move the last bits of a vector."""
    return {name: version(name) for name in ("torch", "transformers", "sentence-transformers", "tokenizers")}


@cache
def own_code() -> str:
    """Digest of the code that does a shard."""
    return code_of(__name__).digest


def _check_code(work: Work) -> None:
    if work.code != own_code():
        raise ScaleError(
            f"embft on {platform.node()} is another one than that of the machine that started the run, so their vectors may "
            "differ: install the same version, or the same checkout, on all nodes."
        )


@lru_cache(maxsize=1)
def _encoder(folder: Path, settings: ModelSettings) -> Encoder:
    """The model, loaded once by each process that does shards."""
    if folder_fingerprint(folder) != settings.digest:
        raise ScaleError(f"The model in {folder} is not whole as seen from {platform.node()}: is that disk full?")
    return Encoder(
        folder,
        settings.digest,
        query_prompt="",
        document_prompt=settings.document_prompt,
        max_seq_length=settings.max_seq_length,
        computing=Computing(settings.device, settings.batch_size, settings.precision),
    )
