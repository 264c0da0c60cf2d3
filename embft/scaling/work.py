"""The folder of one piece of work that is done in shards: what is to be done, what each shard gets, what each has given.

work.json          what kind of work it is, its settings, and digests of what each shard gets
order.npy          which of the things that were asked for they are, by their places with the one who asked
model/             the model, linked or copied: a node need not have it elsewhere
given-00007.jsonl  what shard 7 gets, a JSON value a line
result-00007       what it has given, with its own digest and that of what it got: whole or absent
claim-00007        who is at it, where nobody deals the shards out
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

WORK, ORDER, MODEL = "work.json", "order.npy", "model"
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Work:
    """What is to be done.

    Attributes:
        kind: A key of `embft.scaling.kinds.KINDS`.
        settings: Of that kind, as JSON.
        code: Digest of the code that does a shard: every node must have the same.
        size: Items in a shard; the last one may have fewer.
        digests: Of what each shard gets.
    """

    kind: str
    settings: Mapping[str, object]
    code: str
    size: int
    digests: Sequence[str]

    @property
    def shards(self) -> int:
        """How many there are."""
        return len(self.digests)


@dataclass(frozen=True)
class Result:
    """What a shard gave.

    Attributes:
        content: As its kind of work writes it.
        facts: Who did it, and with which libraries: ``host``, ``torch``, ...
    """

    content: bytes
    facts: Mapping[str, str]


def given_of(folder: Path, number: int) -> Path:
    """What a shard gets."""
    return folder / f"given-{number:05}.jsonl"


def result_of(folder: Path, number: int) -> Path:
    """What a shard gives."""
    return folder / f"result-{number:05}"


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


def write_given(path: Path, items: Sequence[object]) -> str:
    """Writes what a shard gets in one step; returns its digest. Lone surrogates stay as they are."""
    content = b"".join(json.dumps(item, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n" for item in items)
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return _digest(content)


def read_given(path: Path, digest: str) -> list[object]:
    """Reads it.

    Raises:
        ScaleError: It is not what was written.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ScaleError(f"{path} cannot be read on {os.uname().nodename}: {_line(error)}") from error
    if _digest(content) != digest:
        raise ScaleError(f"{path} on {os.uname().nodename} is not what was written: is the disk full, or damaged?")
    return [json.loads(line) for line in content.decode("utf-8", "surrogatepass").split("\n")[:-1]]


def write_result(path: Path, content: bytes, given: str, facts: Mapping[str, str]) -> None:
    """Writes what a shard gave, in one step.

    Args:
        given: Digest of what it got.
        facts: Who did it.
    """
    head = json.dumps({**facts, "given": given, "sha256": _digest(content)}).encode()
    with replacing(path) as temporary:
        temporary.write_bytes(head + b"\n" + content)


def read_result(path: Path, given: str | None = None) -> Result | None:
    """Reads what a shard gave; None where there is nothing whole.

    Args:
        given: Digest of what it must have got; None: of anything.
    """
    try:
        head, _, content = path.read_bytes().partition(b"\n")
        facts = typed_json.from_json(dict[str, str], json.loads(head))
    except (OSError, ValueError):
        return None
    whole, got = facts.pop("sha256", "") == _digest(content), facts.pop("given", "")
    return Result(content, facts) if whole and given in (None, got) else None


def write_order(path: Path, order: Places) -> None:
    """Writes which things they are."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, order)


def share_model(source: Path, target: Path) -> None:
    """Puts a model's files into the folder: as links where the disk is the same one, else as copies."""
    with suppress(FileNotFoundError):
        shutil.rmtree(target)
    shutil.copytree(source, target, copy_function=share_file, ignore=shutil.ignore_patterns(".*", "onnx", "openvino"))


def share_file(source: str | Path, target: str | Path) -> None:
    """Puts one file there, which must not be there yet, likewise."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copyfile(source, target)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
