"""Where served vectors come from: an endpoint, asked here or by another library, or a folder that one loads elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from embft.errors import EndpointError, RunError
from embft.models.vectors import Vectors
from embft.serving.variants import Encode

_BATCH = 32
_SCRIPT = Path(__file__).parent / "foreign.py"


def from_endpoint(
    url: str, query_model: str, document_model: str, prompts: tuple[str, str], key_variable: str | None
) -> Encode:
    """Vectors of an OpenAI-compatible endpoint, or, where the address ends in /embed, of text-embeddings-inference.

    Args:
        url: The base URL as a client has it, or the address of TEI's ``/embed``.
        query_model, document_model: Names of the model for questions and for passages.
        prompts: What the client puts before questions and passages.
        key_variable: Name of the environment variable that holds the key.
    """
    import httpx

    key = os.environ.get(key_variable, "") if key_variable else ""
    client = httpx.Client(timeout=120, headers={"authorization": f"Bearer {key}"} if key else {})
    plain = url.rstrip("/")
    tei = plain.endswith("/embed")
    address = plain if tei or plain.endswith("/embeddings") else f"{plain.removesuffix('/v1')}/v1/embeddings"

    def ask(texts: Sequence[str], queries: bool) -> Vectors:
        prompt, model = (prompts[0], query_model) if queries else (prompts[1], document_model)
        rows: list[Any] = []
        for start in range(0, len(texts), _BATCH):
            part = [prompt + text for text in texts[start : start + _BATCH]]
            body = {"inputs": part} if tei else {"input": part, "model": model}
            try:
                answer = client.post(address, json=body)
                content = answer.json()
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                raise EndpointError(f"{address} does not answer as an embeddings server does: {error}.") from error
            if answer.status_code != 200:
                raise EndpointError(f"{address} refused ({answer.status_code}): {str(content)[:300]}")
            if tei and not isinstance(content, list):
                raise EndpointError(f"{address} answered without a list of vectors: {str(content)[:200]}")
            rows += content if tei else _in_order(content, len(part), address)
        return _table(rows, len(texts), address)

    return ask


def _in_order(content: Any, count: int, address: str) -> list[Any]:
    try:
        rows = sorted(content["data"], key=lambda row: row["index"])
        vectors = [row["embedding"] for row in rows]
    except (KeyError, TypeError):
        raise EndpointError(f"{address} answered without a list of vectors: {str(content)[:200]}") from None
    if len(vectors) != count:
        raise EndpointError(f"{address} gave {len(vectors)} vectors for {count} texts.")
    return vectors


def _table(rows: list[Any], count: int, source: str) -> Vectors:
    try:
        table = np.array(rows, np.float32)
    except (ValueError, TypeError):
        table = np.zeros(0, np.float32)
    if table.ndim != 2 or len(table) != count or not np.isfinite(table).all():
        raise EndpointError(f"{source} gave something else than one vector of finite numbers for each text.")
    return table


@dataclass(frozen=True)
class Stranger:
    """Another library, in a Python of its own.

    Attributes:
        library: One of `embft.serving.foreign.FOLDERS`, or, where it asks a server, of ``CLIENTS``.
        python: The interpreter of the environment that the library is in.
        place: The model's folder (for fastembed the export's ``onnx``), or the base URL of a server.
        prompts: Put before questions and passages by the caller; None: what the library does by itself.
        models: A server's names of the model for questions and for passages.
        key_variable: Name of the environment variable that holds the server's key.
    """

    library: str
    python: str
    place: str
    prompts: tuple[str, str] | None = None
    models: tuple[str, str] | None = None
    key_variable: str | None = None

    @contextmanager
    def opened(self) -> Iterator[Encode]:
        """Starts the library, which loads what it loads once; gives its vectors; ends it."""
        if shutil.which(self.python) is None:
            raise RunError(
                f"{self.python} cannot be run: give the interpreter of an environment that has {self.library}."
            )
        with TemporaryDirectory() as folder:
            log = Path(folder, "log")
            environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
            asked = {
                "library": self.library, "place": self.place, "prompts": self.prompts, "models": self.models,
                "key": self.key_variable,
            }  # fmt: skip
            with log.open("wb") as errors, subprocess.Popen(
                [self.python, "-I", str(_SCRIPT), json.dumps(asked)],  # -I: our folder is not on its path
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, encoding="utf-8", cwd=folder,
                env={**environment, "HF_HUB_OFFLINE": "1"},
            ) as process:  # fmt: skip
                try:
                    yield lambda texts, queries: self._ask(process, Path(folder), texts, queries)
                finally:
                    assert process.stdin is not None
                    with suppress(BrokenPipeError):
                        process.stdin.close()

    def _ask(self, process: subprocess.Popen[str], folder: Path, texts: Sequence[str], queries: bool) -> Vectors:
        assert process.stdin is not None
        assert process.stdout is not None
        answer = folder / "vectors.npy"
        request = {"texts": list(texts), "queries": queries, "answer": str(answer)}
        with suppress(BrokenPipeError):
            process.stdin.write(f"{json.dumps(request)}\n")
            process.stdin.flush()
        if not process.stdout.readline():
            printed = (folder / "log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
            last = printed[-1] if printed else "it ended without a word"
            raise RunError(f"{self.library} in {self.python} has no vectors of {self.place}: {last[:300]}")
        return _table(np.load(answer).tolist(), len(texts), self.library)
