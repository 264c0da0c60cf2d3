"""Passages to vectors, on other machines."""

from __future__ import annotations

import io
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np

from embft import typed_json
from embft.errors import ScaleError
from embft.models.encoder import Computing, Encoder
from embft.models.plain_folder import folder_name
from embft.models.source import folder_fingerprint
from embft.models.vectors import TEXTS_AT_ONCE, Vectors
from embft.scaling.work import MODEL, Places, share_model


@dataclass(frozen=True)
class ModelSettings:
    """How the model in the folder is used; as `embft.models.encoder.Encoder` has it.

    Attributes:
        folder: Its name in the folder ``model``: what a model without modules.json is called says how it pools.
        digest: Of the model's files (`embft.models.source.folder_fingerprint`).
        document_prompt: Put before each text.
        precision: Never ``auto``: a node's own hardware must not decide it.
        device: May be ``auto``: a node takes what it has.
    """

    folder: str
    digest: str
    document_prompt: str
    max_seq_length: int | None
    precision: str
    device: str
    batch_size: int | None


class Embed:
    """See `embft.scaling.kinds.Kind`: a shard gets texts, and gives their vectors, float32 [n_texts, length]."""

    name: ClassVar[str] = "embed"
    libraries: ClassVar[Sequence[str]] = ("torch", "transformers", "sentence-transformers", "tokenizers")
    differs: ClassVar[str] = "the last bits of its vectors may differ"
    kept_to_the_end: ClassVar[bool] = False

    def do(self, folder: Path, settings: Mapping[str, object], items: Sequence[object]) -> bytes:
        """See `embft.scaling.kinds.Kind`."""
        model = typed_json.from_json(ModelSettings, settings)
        encoder, texts = _encoder(folder / MODEL / model.folder, model), [str(item) for item in items]
        # In the blocks in which one machine alone would embed them: the last bits of a vector depend on its batch.
        starts = range(0, len(texts), TEXTS_AT_ONCE)
        vectors = np.concatenate([encoder.encode_passages(texts[start : start + TEXTS_AT_ONCE]) for start in starts])
        file = io.BytesIO()
        np.save(file, np.ascontiguousarray(vectors, np.float32))
        return file.getvalue()


class Asked(Protocol):
    """See `embft.retrieval.elsewhere.Asked`."""

    def missing(self) -> Places:
        """The places of texts without a vector."""
        ...

    def texts(self, places: Places) -> list[str]:
        """The texts of some places."""
        ...


@dataclass(frozen=True)
class Texts:
    """Texts that are to be embedded, see `embft.scaling.kinds.Job`.

    Attributes:
        encoder: Its model embeds them.
        asked: The texts.
    """

    encoder: Encoder
    asked: Asked

    @property
    def kind(self) -> Embed:
        """See `embft.scaling.kinds.Job`."""
        return Embed()

    def missing(self) -> Places:
        """See `embft.scaling.kinds.Job`."""
        return self.asked.missing()

    def items(self, places: Places) -> Sequence[object]:
        """See `embft.scaling.kinds.Job`."""
        return self.asked.texts(places)

    def share(self, folder: Path) -> ModelSettings:
        """See `embft.scaling.kinds.Job`."""
        encoder, computing = self.encoder, self.encoder.computing
        shared = folder / MODEL / folder_name(encoder.folder)
        shared.parent.mkdir(exist_ok=True)
        share_model(encoder.folder, shared)
        return ModelSettings(
            shared.name,
            folder_fingerprint(shared),
            encoder.document_prompt,
            encoder.max_seq_length,
            encoder.precision,
            computing.device,
            computing.batch_size,
        )

    def read(self, content: bytes, places: Places) -> Vectors | None:
        """See `embft.scaling.kinds.Job`."""
        try:
            vectors: Vectors = np.load(io.BytesIO(content), allow_pickle=False)
        except (OSError, ValueError):
            return None
        # A node whose GPU is broken gives numbers that are none; stored, they would spoil every ranking.
        sound = vectors.dtype == np.float32 and vectors.shape[:1] == (len(places),) and np.isfinite(vectors).all()
        return vectors if sound and vectors.ndim == 2 else None


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
