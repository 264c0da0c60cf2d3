"""Every way in which an embeddings server can be wrong ends in words or in right vectors, and nothing wrong is kept."""

from __future__ import annotations

import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from embedding_faults import KEY, LENGTH, MODES, RIGHT, STRICT, detail, vector
from fault_counts import fault_counts
from fault_server import Answer, serving

from embft.config import EndpointConfig
from embft.errors import EndpointError
from embft.models.embeddings_endpoint import EndpointEncoder
from embft.retrieval.vector_cache import VectorCache, Vectors
from embft.sqlite_rows import checksum

TEXTS = ["alpha", "be", "gamma!", "d", "epsil", "zet"]
WANTED = np.array([vector(text) for text in TEXTS], np.float32)


def config(url: str, **changes: Any) -> EndpointConfig:
    settings: dict[str, Any] = {"timeout_seconds": 10.0, "max_retries": 0, "batch_size": 4, "concurrency": 1}
    return EndpointConfig(model="m", base_url=url, api_key_env="EMBFT_FAULT_KEY", **{**settings, **changes})


def embed(url: str, folder: Path, texts: list[str] = TEXTS, **changes: Any) -> Vectors:
    """As a run does: a new encoder, the vectors of the cache, and the server for what is missing."""
    encoder = EndpointEncoder(config(url, **changes))
    return VectorCache(folder / "v").encode(encoder.document_identity, "", texts, encoder.encode_passages)


def stored(folder: Path) -> list[bytes]:
    files = list((folder / "v").glob("*/vectors.*.f4"))
    return [row.tobytes() for path in files for row in np.fromfile(path, "<f4").reshape(-1, LENGTH)]


def move_to_older(folder: Path) -> Path:
    """Puts all stored vectors where an older version kept them; returns that file."""
    path = folder / "v.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL, checksum INTEGER) WITHOUT ROWID"
        )
        for keys in (folder / "v").glob("*/keys"):
            rows = [
                row.tobytes() for row in np.fromfile(next(keys.parent.glob("vectors.*.f4")), "<f4").reshape(-1, LENGTH)
            ]
            names = [keys.read_bytes()[at : at + 16] for at in range(0, keys.stat().st_size, 24)]
            values = [(key, row, checksum(key, row)) for key, row in zip(names, rows, strict=True)]
            connection.executemany("INSERT INTO vectors VALUES (?, ?, ?)", values)
    shutil.rmtree(folder / "v")
    return path


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBFT_FAULT_KEY", KEY)


@pytest.mark.parametrize("name", MODES)
def test_it_ends_in_words_or_right_vectors_and_nothing_wrong_is_kept(name: str, tmp_path: Path) -> None:
    mode, wanted = MODES[name]

    def answer(body: Any, count: int) -> Answer:
        if name == STRICT and "encoding_format" in body:
            return Answer(detail("encoding_format", "Extra inputs are not permitted", "extra_forbidden"), 422)
        return mode(body["input"], count)

    outcomes = []
    with serving(answer) as (url, _):
        outcomes.append(attempt(url, tmp_path, timeout_seconds=0.2 if "0.2 s" in wanted else 10.0))
    if wanted == RIGHT:
        assert isinstance(outcomes[0], np.ndarray), outcomes[0]
    else:
        assert re.search(wanted, str(outcomes[0]), re.DOTALL), outcomes[0]
        assert len(str(outcomes[0])) < 900
    outcomes.append(attempt(url, tmp_path))  # the server is gone
    for outcome in outcomes:
        assert KEY not in str(outcome)
        assert not isinstance(outcome, np.ndarray) or np.array_equal(outcome, WANTED)
    assert {np.frombuffer(blob, "<f4").tobytes() for blob in stored(tmp_path)} <= {row.tobytes() for row in WANTED}
    port = int(url.rsplit(":", 1)[1].split("/")[0])
    with serving(lambda body, count: Answer(good_rows(body["input"])), port):  # and comes back, mended
        assert np.array_equal(embed(url, tmp_path), WANTED)


def attempt(url: str, folder: Path, **changes: Any) -> Vectors | EndpointError:
    try:
        return embed(url, folder, **changes)
    except EndpointError as error:
        return error


def good_rows(texts: list[str]) -> dict[str, Any]:
    return {"data": [{"index": at, "embedding": vector(text)} for at, text in enumerate(texts)]}


def serve_well(body: Any, count: int) -> Answer:
    return Answer(good_rows(body["input"]))


def test_there_are_forty_modes_and_more() -> None:
    tried = {service: count for service, count, _, _ in fault_counts()}
    assert tried["embeddings"] >= 40
    assert tried["chat, one request of three"] >= 40


@pytest.mark.parametrize("concurrency", [1, 4])
def test_the_number_of_texts_that_a_server_takes_is_learnt_once(tmp_path: Path, concurrency: int) -> None:
    texts = [f"text {place}" for place in range(64)]

    def limited(body: Any, count: int) -> Answer:
        return serve_well(body, count) if len(body["input"]) <= 10 else Answer({"detail": "no"}, 422)

    with serving(limited) as (url, seen):
        encoder = EndpointEncoder(config(url, batch_size=64, concurrency=concurrency))
        first = encoder.encode_passages(texts)
        asked = len(seen.requests)
        encoder.encode_passages(texts)
    assert np.array_equal(first, np.array([vector(text) for text in texts], np.float32))
    assert asked == 3 + 8  # 64, 32, 16, then eights
    assert [len(body["input"]) for body in seen.bodies[asked:]] == [8] * 8


def test_a_text_that_is_too_long_does_not_make_the_other_batches_smaller(tmp_path: Path) -> None:
    def strict(body: Any, count: int) -> Answer:
        if any("long" in text for text in body["input"]):
            return Answer({"error": {"message": "This model's maximum context length is 8 tokens"}}, 400)
        return serve_well(body, count)

    with serving(strict) as (url, seen):
        encoder = EndpointEncoder(config(url))
        encoder.encode_passages(TEXTS)
        with pytest.raises(EndpointError, match=r"maximum context length is 8 tokens.*evaluation\.openai\.max_tokens"):
            encoder.encode_passages(["a", "b", "c", "long"])
        before = len(seen.requests)
        encoder.encode_passages(["a", "b", "c", "d"])
    assert len(seen.requests) == before + 1


def test_a_model_has_one_length_for_ever(tmp_path: Path) -> None:
    def longer(body: Any, count: int) -> Answer:
        return Answer({"data": [{"index": at, "embedding": [1.0] * 7} for at in range(len(body["input"]))]})

    with serving(serve_well) as (url, _):
        embed(url, tmp_path, TEXTS[:2])
    with (
        serving(longer, int(url.rsplit(":", 1)[1].split("/")[0])),
        pytest.raises(EndpointError, match="7 numbers now, and gave 4 before"),
    ):
        embed(url, tmp_path)
    assert {len(blob) for blob in stored(tmp_path)} == {4 * LENGTH}
    assert np.array_equal(embed(url, tmp_path, TEXTS[:2]), WANTED[:2])


@pytest.mark.parametrize(
    "blob",
    [
        np.full(LENGTH, np.nan, "<f4").tobytes(), np.full(LENGTH, np.inf, "<f4").tobytes(), bytes(4 * LENGTH), b"", b"odd",
        np.ones(LENGTH + 3, "<f4").tobytes(), np.full(LENGTH, 1e30, "<f4").tobytes(),
    ],
    ids=["nan", "inf", "zeros", "empty", "odd", "longer", "huge"],
)  # fmt: skip
def test_what_an_older_version_stored_unusable_is_asked_again_and_never_served(tmp_path: Path, blob: bytes) -> None:
    with serving(serve_well) as (url, seen):
        embed(url, tmp_path)
        with sqlite3.connect(move_to_older(tmp_path)) as connection:
            (key,) = connection.execute("SELECT key FROM vectors LIMIT 1").fetchone()
            connection.execute("UPDATE vectors SET vector = ? WHERE key = ?", (blob, key))
        before = len(seen.requests)
        assert np.array_equal(embed(url, tmp_path), WANTED)
        assert [len(body["input"]) for body in seen.bodies[before:]] == [1]
    assert np.array_equal(embed(url, tmp_path), WANTED)  # the server is gone: all is in the files


def test_vectors_of_two_lengths_of_an_older_version_are_settled_by_the_model(tmp_path: Path) -> None:
    with serving(serve_well) as (url, _):
        embed(url, tmp_path)
        with sqlite3.connect(move_to_older(tmp_path)) as connection:
            keys = [key for (key,) in connection.execute("SELECT key FROM vectors LIMIT 4")]
            connection.executemany(
                "UPDATE vectors SET vector = ? WHERE key = ?", [(np.ones(9, "<f4").tobytes(), key) for key in keys]
            )
        assert np.array_equal(embed(url, tmp_path), WANTED)


def test_questions_and_passages_of_two_lengths_are_refused(tmp_path: Path) -> None:
    def by_model(body: Any, count: int) -> Answer:
        length = 3 if body["model"] == "q" else 5
        return Answer({"data": [{"index": at, "embedding": [1.0] * length} for at in range(len(body["input"]))]})

    with serving(by_model) as (url, _):
        encoder = EndpointEncoder(config(url, query_model="q"))
        encoder.encode_passages(["a"])
        with pytest.raises(EndpointError, match=r"3 numbers \('q'\) after one of 5.*query_model"):
            encoder.encode_questions(["a"])
