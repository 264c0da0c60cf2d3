"""What is missing in the cache of vectors, embedded by other machines: dealt out in shards, merged as they come in."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from embft import typed_json
from embft.config.scale import ScaleConfig
from embft.damaged import make_folder, remove
from embft.errors import ScaleError
from embft.heartbeat import DEAD_AFTER, alone
from embft.models.encoder import Encoder
from embft.models.plain_folder import folder_name
from embft.models.source import folder_fingerprint
from embft.models.text_encoder import TextEncoder
from embft.models.vectors import Vectors
from embft.scaling.ray_driver import RayDriver
from embft.scaling.shard import libraries, own_code
from embft.scaling.slurm_driver import SlurmDriver
from embft.scaling.work import (
    MODEL,
    ORDER,
    WORK,
    ModelSettings,
    ShardResult,
    Work,
    read_vectors,
    read_work,
    share_model,
    texts_of,
    vectors_of,
    write_order,
    write_texts,
)

logger = logging.getLogger(__name__)

Places = npt.NDArray[np.int64]
_ATTEMPTS = 3
"""How often a shard is asked for whose file is damaged when it is read."""


class Asked(Protocol):
    """See `embft.retrieval.elsewhere.Asked`."""

    def missing(self) -> Places:
        """The places of texts without a vector."""
        ...

    def texts(self, places: Places) -> list[str]:
        """The texts of some places."""
        ...


class Driver(Protocol):
    """Has shards done by other machines."""

    def check(self) -> None:
        """Sees to it that it can work, before any other work.

        Raises:
            ScaleError: It cannot.
        """
        ...

    def run(self, folder: Path, numbers: Sequence[int]) -> Iterator[int]:
        """Yields the number of each shard as soon as its file is there, each once.

        Raises:
            ScaleError: The machines cannot be reached, or fail again and again.
        """
        ...


@dataclass(frozen=True)
class Fleet:
    """Other machines.

    Attributes:
        driver: How they are asked.
        folder: That all of them see.
        shard: Texts in a shard.
        fewest: Texts that are worth the trouble.
        dead_after: Seconds without a sign of life after which another process that does the same work counts as dead.
    """

    driver: Driver
    folder: Path
    shard: int
    fewest: int
    dead_after: float = DEAD_AFTER

    def with_model(self, encoder: TextEncoder) -> Embedding | None:
        """These machines with a model; None for an API's, which another machine would not ask any faster."""
        return Embedding(self, encoder) if isinstance(encoder, Encoder) else None

    def vectors(self, encoder: Encoder, name: str, asked: Asked) -> Iterator[tuple[Places, Vectors]]:
        """Yields places and vectors, float32 [n, length], shard by shard, until none is missing.

        A shard is deleted when the next one is asked for: whoever gets its vectors has stored them by then. What was done
        before a kill is taken from its files.

        Args:
            encoder: Its model embeds them.
            name: Of this work: the same for the same texts and the same model, whenever they are asked for.
            asked: The texts.
        """
        folder = self.folder / name
        make_folder(self.folder, self.folder.parent)
        with alone(self.folder / f"{name}.lock", self.dead_after):
            missing = asked.missing()
            while len(missing):  # a second time only if the cache has lost what was stored in it meanwhile
                make_folder(folder, self.folder)
                work, order = self._plan(folder, encoder, asked, missing)
                shards = _cut(order, work.size)
                yield from self._merged(folder, shards, _pending(shards, missing))
                missing = asked.missing()
                remove(folder)

    def _plan(self, folder: Path, encoder: Encoder, asked: Asked, missing: Places) -> tuple[Work, Places]:
        """The work as it was begun before, if it holds all that is missing; else a new one."""
        known = _known_work(folder, missing)
        if known is not None:
            logger.info("Continuing with the %s shards in %s.", f"{known[0].shards:,}", folder)
            return known
        shared = folder / MODEL / folder_name(encoder.folder)
        shared.parent.mkdir(exist_ok=True)
        share_model(encoder.folder, shared)
        digests = []
        for number, start in enumerate(range(0, len(missing), self.shard)):
            vectors_of(folder, number).unlink(missing_ok=True)  # of other texts
            digests.append(write_texts(texts_of(folder, number), asked.texts(missing[start : start + self.shard])))
        write_order(folder / ORDER, missing)
        computing = encoder.computing
        settings = ModelSettings(
            shared.name,
            folder_fingerprint(shared),
            encoder.document_prompt,
            encoder.max_seq_length,
            encoder.precision,
            computing.device,
            computing.batch_size,
        )
        work = Work(settings, own_code(), self.shard, digests)
        typed_json.save(folder / WORK, work)  # last: whoever finds it finds the rest
        return work, missing

    def _merged(self, folder: Path, shards: Sequence[Places], pending: list[int]) -> Iterator[tuple[Places, Vectors]]:
        told: set[str] = set()
        for _ in range(_ATTEMPTS):
            damaged = []
            for number in self._finished(folder, pending):
                result = read_vectors(vectors_of(folder, number), len(shards[number]))
                if result is None:
                    vectors_of(folder, number).unlink(missing_ok=True)
                    damaged.append(number)
                    continue
                _tell_differences(result, told)
                yield shards[number], result.vectors
                vectors_of(folder, number).unlink(missing_ok=True)
                texts_of(folder, number).unlink(missing_ok=True)
            if not damaged:
                return
            logger.warning("%s shards in %s are damaged: they are done again.", f"{len(damaged):,}", folder)
            pending = damaged
        raise ScaleError(f"Shards in {folder} were damaged {_ATTEMPTS} times in turn: is that disk full?")

    def _finished(self, folder: Path, pending: Sequence[int]) -> Iterator[int]:
        """Shards that were done before, then the others as they are done."""
        done = [number for number in pending if vectors_of(folder, number).exists()]
        yield from done
        left = sorted(set(pending) - set(done))
        if left:
            yield from self.driver.run(folder, left)


@dataclass(frozen=True)
class Embedding:
    """See `embft.retrieval.elsewhere.Elsewhere`.

    Attributes:
        fleet: The machines.
        encoder: The model.
    """

    fleet: Fleet
    encoder: Encoder

    def takes(self, texts: int) -> bool:
        """Whether so many are worth it."""
        return texts >= self.fleet.fewest

    def vectors(self, name: str, asked: Asked) -> Iterator[tuple[Places, Vectors]]:
        """See `Fleet.vectors`."""
        return self.fleet.vectors(self.encoder, name, asked)


def open_fleet(config: ScaleConfig, cache_dir: Path) -> Fleet | None:
    """The machines that the configuration names; None: this one alone.

    Args:
        config: The group ``scale``.
        cache_dir: Where shards lie unless the configuration names a folder.

    Raises:
        ScaleError: What asks them is not installed.
    """
    if config.kind == "local":
        return None
    folder = Path(config.folder).expanduser().absolute() if config.folder else cache_dir / "shards"
    driver = RayDriver(config) if config.kind == "ray" else SlurmDriver(config)
    driver.check()
    return Fleet(driver, folder, config.shard, config.fewest, config.silence_seconds)


def _cut(order: Places, size: int) -> list[Places]:
    return [order[start : start + size] for start in range(0, len(order), size)]


def _pending(shards: Sequence[Places], missing: Places) -> list[int]:
    return [number for number, places in enumerate(shards) if np.isin(places, missing, assume_unique=True).any()]


def _known_work(folder: Path, missing: Places) -> tuple[Work, Places] | None:
    """Work that was begun before; None where there is none that holds all that is missing."""
    try:
        work = read_work(folder)
        order: Places = np.load(folder / ORDER, allow_pickle=False)
    except (ScaleError, OSError, ValueError):
        return None
    if work.code != own_code() or not np.isin(missing, order).all():
        return None
    pending = _pending(_cut(order, work.size), missing)
    return (work, order) if all(texts_of(folder, number).is_file() for number in pending) else None


def _tell_differences(result: ShardResult, told: set[str]) -> None:
    """Says once for each machine that it has other libraries than this one."""
    host = result.facts.get("host", "")
    others = [f"{name} {theirs}" for name, own in libraries().items() if (theirs := result.facts.get(name)) != own]
    if others and host not in told:
        told.add(host)
        logger.warning(
            "%s embeds with %s, this machine has other versions: the last bits of its vectors may differ.",
            host, ", ".join(others),
        )  # fmt: skip
