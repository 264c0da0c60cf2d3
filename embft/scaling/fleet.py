"""What this machine lacks, done by other machines: dealt out in shards, merged as they come in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from embft import typed_json
from embft.config import QuestionsConfig
from embft.config.scale import ScaleConfig
from embft.damaged import make_folder, remove
from embft.errors import ScaleError
from embft.heartbeat import DEAD_AFTER, alone
from embft.models.encoder import Encoder
from embft.models.text_encoder import TextEncoder
from embft.models.vectors import Vectors
from embft.questions.tasks import Request
from embft.questions.written import Written
from embft.scaling.embedding import Asked, Texts
from embft.scaling.kinds import Cut, Job, Kind
from embft.scaling.left_over import lock_of, shards_of
from embft.scaling.ray_driver import RayDriver
from embft.scaling.shard import own_code, versions
from embft.scaling.slurm_driver import SlurmDriver
from embft.scaling.work import (
    ORDER,
    WORK,
    Places,
    Result,
    Work,
    given_of,
    read_result,
    read_work,
    result_of,
    write_given,
    write_order,
)
from embft.scaling.writing import Requests

logger = logging.getLogger(__name__)

Given = TypeVar("Given")
_ATTEMPTS = 3
"""How often a shard is asked for whose file is damaged when it is read."""


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
        texts: How passages are dealt out.
        requests: How requests to a local LLM are.
        scores: How questions are that are ranked: ``fewest`` are pairs of a question and a chunk, ``size`` are questions.
        threads: Processors of each worker.
        dead_after: Seconds without a sign of life after which another process that does the same work counts as dead.
    """

    driver: Driver
    folder: Path
    texts: Cut
    requests: Cut
    scores: Cut
    threads: int = 1
    dead_after: float = DEAD_AFTER

    def with_model(self, encoder: TextEncoder) -> Embedding | None:
        """These machines with a model; None for an API's, which another machine would not ask any faster."""
        return Embedding(self, encoder) if isinstance(encoder, Encoder) else None

    def with_llm(self, weights: Path, config: QuestionsConfig) -> Writing:
        """These machines with an LLM: see `embft.questions.elsewhere.Machines`."""
        return Writing(self, weights, config)

    def has_begun(self, name: str) -> bool:
        """Whether a run that was killed has left such a work."""
        return (self.folder / name / WORK).is_file()

    def results(self, name: str, job: Job[Given], cut: Cut) -> Iterator[tuple[Places, Given]]:
        """Yields places and what was made of them, shard by shard, until none is missing.

        A shard is deleted when the next one is asked for: whoever gets it has stored it by then (unless its kind is kept to
        the end). What was done before a kill is taken from its files.

        Args:
            name: Of this work: the same for the same things, whenever they are asked for.
            job: What is wanted.
            cut: How it is dealt out.
        """
        folder = self.folder / name
        make_folder(self.folder, self.folder.parent)
        with alone(lock_of(self.folder / name), self.dead_after):
            missing = job.missing()
            # Again only for what an earlier run's shards do not hold, or what the cache has lost meanwhile.
            while len(missing):
                make_folder(folder, self.folder)
                work, order = _known_work(folder, job, missing) or self._plan(folder, job, cut.size, missing)
                yield from self._merged(folder, work, job, _pending(folder, work, order, missing))
                missing = job.missing()
                remove(folder)

    def _plan(self, folder: Path, job: Job[Given], size: int, missing: Places) -> tuple[Work, Places]:
        settings = asdict(job.share(folder))  # type: ignore[call-overload]
        digests = []
        for number, start in enumerate(range(0, len(missing), size)):
            result_of(folder, number).unlink(missing_ok=True)  # of another work
            digests.append(write_given(given_of(folder, number), job.items(missing[start : start + size])))
        write_order(folder / ORDER, missing)
        work = Work(job.kind.name, settings, own_code(), size, digests)
        typed_json.save(folder / WORK, work)  # last: whoever finds it finds the rest
        return work, missing

    def _merged(
        self, folder: Path, work: Work, job: Job[Given], pending: dict[int, Places]
    ) -> Iterator[tuple[Places, Given]]:
        told: set[str] = set()
        for _ in range(_ATTEMPTS):
            damaged = {}
            for number in self._finished(folder, list(pending)):
                places = pending[number]
                result = read_result(result_of(folder, number), work.digests[number])
                content = None if result is None else job.read(result.content, places)
                if result is None or content is None:
                    result_of(folder, number).unlink(missing_ok=True)
                    damaged[number] = places
                    continue
                _tell_differences(result, job.kind, told)
                yield places, content
                if not job.kind.kept_to_the_end:
                    result_of(folder, number).unlink(missing_ok=True)
                    given_of(folder, number).unlink(missing_ok=True)
            if not damaged:
                return
            logger.warning("%s shards in %s are damaged: they are done again.", f"{len(damaged):,}", folder)
            pending = damaged
        raise ScaleError(
            f"Shards in {folder} were damaged {_ATTEMPTS} times in turn: is that disk full, or a node faulty?"
        )

    def _finished(self, folder: Path, pending: Sequence[int]) -> Iterator[int]:
        """Shards that were done before, then the others as they are done."""
        done = [number for number in pending if result_of(folder, number).exists()]
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

    def takes(self, name: str, texts: int) -> bool:
        """Whether so many are worth it, or were begun."""
        return texts >= self.fleet.texts.fewest or (texts > 0 and self.fleet.has_begun(name))

    def vectors(self, name: str, asked: Asked) -> Iterator[tuple[Places, Vectors]]:
        """Yields places and vectors, float32 [n, length]; see `Fleet.results`."""
        return self.fleet.results(name, Texts(self.encoder, asked), self.fleet.texts)


@dataclass(frozen=True)
class Writing:
    """See `embft.questions.elsewhere.Writers`.

    Attributes:
        fleet: The machines.
        weights: The LLM's.
        config: How it is asked.
    """

    fleet: Fleet
    weights: Path
    config: QuestionsConfig

    def takes(self, name: str, requests: int) -> bool:
        """Whether so many are worth it, or were begun."""
        return requests >= self.fleet.requests.fewest or (requests > 0 and self.fleet.has_begun(name))

    def replies(
        self, name: str, requests: Sequence[Request], is_missing: Callable[[Request], bool]
    ) -> Iterator[tuple[Request, Written]]:
        """Yields requests and what came of them; see `Fleet.results`."""
        job = Requests(self.weights, self.config, self.fleet.threads, requests, is_missing)
        for places, every in self.fleet.results(name, job, self.fleet.requests):
            yield from ((requests[place], one) for place, one in zip(places.tolist(), every, strict=True))


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
    folder = shards_of(config.folder, cache_dir)
    driver = RayDriver(config) if config.kind == "ray" else SlurmDriver(config)
    driver.check()
    return Fleet(
        driver,
        folder,
        Cut(config.shard, config.fewest),
        Cut(config.shard_requests, config.fewest_requests),
        Cut(config.shard_questions, config.fewest_scores),
        config.cpus,
        config.silence_seconds,
    )


def _known_work(folder: Path, job: Job[Given], missing: Places) -> tuple[Work, Places] | None:
    """Work that was begun before; None where none of it is left that is wanted."""
    try:
        work = read_work(folder)
        order: Places = np.load(folder / ORDER, allow_pickle=False)
    except (ScaleError, OSError, ValueError):
        return None
    whole = work.code == own_code() and work.kind == job.kind.name and -(-len(order) // work.size) == work.shards
    if not whole or not _pending(folder, work, order, missing):
        return None
    logger.info("Continuing with the %s shards in %s and their settings.", f"{work.shards:,}", folder)
    return work, order


def _pending(folder: Path, work: Work, order: Places, missing: Places) -> dict[int, Places]:
    """Shards that hold something of what is missing, with the places of all that they hold.

    One that has been merged is gone, and what is missing of it is for the next work: replies that failed, vectors that the
    cache has lost.
    """
    shards = (order[start : start + work.size] for start in range(0, len(order), work.size))
    return {
        number: places
        for number, places in enumerate(shards)
        if np.isin(places, missing, assume_unique=True).any() and given_of(folder, number).is_file()
    }


def _tell_differences(result: Result, kind: Kind, told: set[str]) -> None:
    """Says once for each machine that it has other libraries than this one."""
    host, here = result.facts.get("host", ""), versions(tuple(kind.libraries))
    others = [f"{name} {theirs}" for name, own in here.items() if (theirs := result.facts.get(name)) not in (None, own)]
    if others and host not in told:
        told.add(host)
        logger.warning("%s has %s, and this machine other versions: %s.", host, ", ".join(others), kind.differs)
