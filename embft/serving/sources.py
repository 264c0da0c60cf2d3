"""Where served vectors come from: an endpoint, or a folder that another library loads in its own environment."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from embft.errors import EndpointError, RunError
from embft.models.vectors import Vectors
from embft.serving.variants import Encode

_BATCH = 32
LIBRARIES = ("sentence-transformers", "llama-index", "langchain", "haystack", "fastembed")
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


def from_folder(folder: Path, library: str, python: str, prompts: tuple[str, str] | None) -> Encode:
    """Vectors of a folder as another library gives them, in a Python of its own.

    Args:
        folder: The model's, or for fastembed the export's ``onnx``.
        library: One of `LIBRARIES`.
        python: The interpreter of the environment that the library is in.
        prompts: Put before questions and passages by the caller; None: what the library does by itself.
    """

    def ask(texts: Sequence[str], queries: bool) -> Vectors:
        with TemporaryDirectory() as place:
            request = {
                "folder": str(folder.absolute()),
                "library": library,
                "queries": queries,
                "prompt": None if prompts is None else prompts[0 if queries else 1],
                "texts": list(texts),
            }
            asked, answer = Path(place, "asked.json"), Path(place, "vectors.npy")
            asked.write_text(json.dumps(request), encoding="utf-8")
            environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
            try:
                done = subprocess.run(
                    [python, "-I", str(_SCRIPT), str(asked), str(answer)],  # -I: our folder is not on its path
                    capture_output=True, text=True, check=False, env={**environment, "HF_HUB_OFFLINE": "1"}, cwd=place,
                )  # fmt: skip
            except OSError as error:
                raise RunError(f"{python} cannot be run: {error.strerror}.") from error
            if done.returncode or not answer.is_file():
                last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
                raise RunError(f"{library} in {python} cannot load {folder}: {last[:300]}")
            return _table(np.load(answer).tolist(), len(texts), library)

    return ask
