"""The folder of one piece of work that is done in shards: what is to be done, what each shard gets, what each has given.

work.json                 what to do, and digests of what each shard gets
order.npy                 which texts they are, by their places with the one who asked
model/                    the model, linked or copied: a node need not have it elsewhere
texts-00007.jsonl         what shard 7 gets
vectors-00007.safetensors what it has given, with its own digest: whole or absent
claim-00007               who is at it, where nobody deals the shards out
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from embft import typed_json
from embft.errors import ScaleError
from embft.files import replacing
from embft.models.vectors import Vectors

WORK, ORDER, MODEL = "work.json", "order.npy", "model"
_TENSOR = "vectors"


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


@dataclass(frozen=True)
class Work:
    """Passages that are to be embedded.

    Attributes:
        model: What embeds them.
        code: Digest of the code that does a shard: every node must have the same.
        size: Texts in a shard; the last one may have fewer.
        digests: Of the texts of each shard.
    """

    model: ModelSettings
    code: str
    size: int
    digests: Sequence[str]

    @property
    def shards(self) -> int:
        """How many there are."""
        return len(self.digests)


@dataclass(frozen=True)
class ShardResult:
    """What a shard gave.

    Attributes:
        vectors: float32 [n_texts, length].
        facts: Who did it, and with which libraries: ``host``, ``torch``, ...
    """

    vectors: Vectors
    facts: Mapping[str, str]


def texts_of(folder: Path, number: int) -> Path:
    """What a shard gets."""
    return folder / f"texts-{number:05}.jsonl"


def vectors_of(folder: Path, number: int) -> Path:
    """What a shard gives."""
    return folder / f"vectors-{number:05}.safetensors"


def claim_of(folder: Path, number: int) -> Path:
    """Who is at a shard."""
    return folder / f"claim-{number:05}"


def read_work(folder: Path) -> Work:
    """Reads what is to be done.

    Raises:
        ScaleError: The folder is not there on this machine, or is damaged.
    """
    try:
        return typed_json.load(Work, folder / WORK)
    except (OSError, ValueError) as error:
        raise ScaleError(
            f"{folder / WORK} cannot be read on {os.uname().nodename} ({_line(error)}). All nodes must see that folder under the "
            "same name: put scale.folder= on a disk that they share."
        ) from error


def write_texts(path: Path, texts: Sequence[str]) -> str:
    """Writes a shard's texts in one step; returns their digest. Lone surrogates stay as they are."""
    content = b"".join(json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n" for text in texts)
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return _digest(content)


def read_texts(path: Path, digest: str) -> list[str]:
    """Reads them.

    Raises:
        ScaleError: They are not what was written.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ScaleError(f"{path} cannot be read on {os.uname().nodename}: {_line(error)}") from error
    if _digest(content) != digest:
        raise ScaleError(f"{path} on {os.uname().nodename} is not what was written: is the disk full, or damaged?")
    return [json.loads(line) for line in content.decode("utf-8", "surrogatepass").split("\n")[:-1]]


def write_vectors(path: Path, vectors: Vectors, facts: Mapping[str, str]) -> None:
    """Writes what a shard gave, in one step."""
    from safetensors.numpy import save_file

    vectors = np.ascontiguousarray(vectors, np.float32)
    with replacing(path) as temporary:
        save_file({_TENSOR: vectors}, temporary, {**facts, "sha256": _digest(vectors.tobytes())})


def read_vectors(path: Path, texts: int | None = None) -> ShardResult | None:
    """Reads what a shard gave; None where there is nothing whole.

    Args:
        texts: How many vectors it must have.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            vectors, facts = file.get_tensor(_TENSOR), dict(file.metadata() or {})
    except (OSError, SafetensorError):
        return None
    if facts.pop("sha256", "") != _digest(vectors.tobytes()) or texts not in (None, len(vectors)):
        return None
    return ShardResult(vectors, facts)


def write_order(path: Path, order: npt.NDArray[np.int64]) -> None:
    """Writes which texts they are."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, order)


def share_model(source: Path, target: Path) -> None:
    """Puts a model's files into the folder: as links where the disk is the same one, else as copies."""

    def put(name: str, place: str) -> None:
        try:
            os.link(os.path.realpath(name), place)
        except OSError:
            shutil.copyfile(name, place)

    with suppress(FileNotFoundError):
        shutil.rmtree(target)
    shutil.copytree(source, target, copy_function=put, ignore=shutil.ignore_patterns(".*", "onnx", "openvino"))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
