"""Requests to a local LLM, answered on other machines: each has a server of its own, in the process that does the shards."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import numpy as np

from embft import typed_json
from embft.config import QuestionsConfig
from embft.damaged import remove
from embft.errors import ScaleError
from embft.files import file_digest
from embft.questions.budget import Budget
from embft.questions.chat_endpoint import ask_now
from embft.questions.local_llm import LocalServer
from embft.questions.reply_cache import ReplyCache
from embft.questions.tasks import Request
from embft.questions.written import Written, lines_of, read_lines
from embft.scaling.work import MODEL, Places, share_file


@dataclass(frozen=True)
class LLMSettings:
    """How the LLM in the folder is asked; as `embft.config.QuestionsConfig` has it.

    Attributes:
        file: Its name in the folder ``model``.
        digest: Of that file.
        threads: Processors that it may take.
        setting: Where these settings stand, for what is said of a request that failed.
        way_out: What else there is, likewise.
    """

    file: str
    digest: str
    threads: int
    concurrency: int
    requests_per_minute: int | None
    timeout_seconds: float
    max_retries: int
    setting: str
    way_out: str


class Write:
    """See `embft.scaling.kinds.Kind`: a shard gets requests, and gives what came of each."""

    name: ClassVar[str] = "write"
    libraries: ClassVar[Sequence[str]] = ("xllamacpp",)
    differs: ClassVar[str] = "its replies may differ from those that would be written here"
    kept_to_the_end: ClassVar[bool] = False

    def do(self, folder: Path, settings: Mapping[str, object], items: Sequence[object]) -> bytes:
        """See `embft.scaling.kinds.Kind`. What came of each request is kept till the end in a file of this machine alone.

        Raises:
            QuestionError: llama.cpp is not installed, or cannot load the model.
        """
        own = typed_json.from_json(LLMSettings, settings)
        config = _server(folder / MODEL / own.file, own).config
        requests = [typed_json.from_json(Request, item) for item in items]
        with TemporaryDirectory(prefix="embft-") as scratch:
            cache = ReplyCache(Path(scratch) / "replies.sqlite")
            replies = ask_now(requests, config, cache, Budget(config))
            return lines_of([Written.of(request, replies[request.key], cache) for request in requests])


@dataclass(frozen=True)
class Requests:
    """Requests that are to be answered, see `embft.scaling.kinds.Job`.

    Attributes:
        weights: The LLM's.
        config: How it is asked.
        threads: Processors of each worker.
        every: All different.
        is_missing: Whether one has no reply yet.
    """

    weights: Path
    config: QuestionsConfig
    threads: int
    every: Sequence[Request]
    is_missing: Callable[[Request], bool]

    @property
    def kind(self) -> Write:
        """See `embft.scaling.kinds.Job`."""
        return Write()

    def missing(self) -> Places:
        """See `embft.scaling.kinds.Job`."""
        return np.flatnonzero([self.is_missing(request) for request in self.every])

    def items(self, places: Places) -> Sequence[object]:
        """See `embft.scaling.kinds.Job`."""
        asked = (self.every[place] for place in places.tolist())
        return [{"body": request.body, "endpoint": request.endpoint} for request in asked]

    def share(self, folder: Path) -> LLMSettings:
        """See `embft.scaling.kinds.Job`."""
        config, shared = self.config, folder / MODEL / self.weights.name
        remove(shared.parent)
        shared.parent.mkdir()
        share_file(self.weights, shared)
        return LLMSettings(
            shared.name,
            file_digest(shared),
            self.threads,
            config.concurrency,
            config.requests_per_minute,
            config.timeout_seconds,
            config.max_retries,
            config.setting,
            config.way_out,
        )

    def read(self, content: bytes, places: Places) -> list[Written] | None:
        """See `embft.scaling.kinds.Job`."""
        every, asked = read_lines(content), [self.every[place] for place in places.tolist()]
        if every is None or len(every) != len(asked):
            return None
        return every if all(map(Written.is_about, every, asked)) else None


@lru_cache(maxsize=1)
def _server(weights: Path, settings: LLMSettings) -> LocalServer:
    """The LLM, loaded once by each process that does shards."""
    if file_digest(weights) != settings.digest:
        raise ScaleError(f"The LLM in {weights} is not whole as seen from {platform.node()}: is that disk full?")
    kind = type("LLM", (QuestionsConfig,), {"setting": settings.setting, "way_out": settings.way_out})
    config: QuestionsConfig = kind(
        name="local_llm",
        backend="local_llm",
        model=weights.name,
        api_key_env=None,
        concurrency=settings.concurrency,
        requests_per_minute=settings.requests_per_minute,
        timeout_seconds=settings.timeout_seconds,
        max_retries=settings.max_retries,
    )
    return LocalServer.start(weights, config, settings.threads)
