"""Damaged files of vectors: what comes out is that of a clean cache, with a warning; and kills, and several processes."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from embft.errors import EndpointError
from embft.models.vectors import Whitening, unit
from embft.records import Passages
from embft.retrieval.scoring import dense_scorers
from embft.retrieval.searchers import VectorMatches
from embft.retrieval.vector_cache import VectorCache

TEXTS = [f"text {number}" for number in range(300)]
LENGTH = 32


def vectors_of(texts: Sequence[str]) -> np.ndarray:
    return np.array([[len(text), 1 + int(text.split()[1]), *[2] * (LENGTH - 2)] for text in texts], np.float32)


def embed(path: Path, texts: Sequence[str] = TEXTS) -> tuple[np.ndarray, int]:
    """All vectors, and how many had to be made."""
    made: list[str] = []

    def encode(some: Sequence[str]) -> np.ndarray:
        made.extend(some)
        return vectors_of(some)

    return VectorCache(path).encode("m", "", texts, encode), len(made)


def cut(name: str, size: int) -> Callable[[Path], object]:
    return lambda folder: os.truncate(next(folder.glob(name)), size)


def overwrite(name: str, place: int, data: bytes) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        with next(folder.glob(name)).open("r+b") as file:
            file.seek(place)
            file.write(data)

    return change


def become(name: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        path = next(folder.glob(name))
        path.unlink()
        make(path)

    return change


def whole_folder_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("no folder")


ROW, RECORD = 4 * LENGTH, 24
DAMAGES: dict[str, tuple[Callable[[Path], object], int, bool]] = {
    "half of the rows": (cut("vectors.*", 150 * ROW), 150, True),
    "half a row": (cut("vectors.*", 299 * ROW + 5), 1, True),
    "no rows": (cut("vectors.*", 0), 300, True),
    "half of the records": (cut("keys", 150 * RECORD), 150, False),
    "half a record": (cut("keys", 299 * RECORD + 5), 1, False),
    "no records": (cut("keys", 0), 300, False),
    "a changed number": (overwrite("vectors.*", 7 * ROW + 4, b"\0\0\x80\x3f"), 1, True),
    "noise in the rows": (overwrite("vectors.*", 1000, b"\xa5" * 4096), 34, True),
    "zeros in the rows": (overwrite("vectors.*", 1000, bytes(4096)), 34, True),
    "noise in the records": (overwrite("keys", 1000, b"\xa5" * 1000), 43, True),
    "zeros in the records": (overwrite("keys", 1000, bytes(1000)), 43, True),
    "a key of another": (overwrite("keys", 0, b"0123456789abcdef"), 1, True),
    "rows gone": (become("vectors.*", lambda path: None), 300, True),
    "records gone": (become("keys", lambda path: None), 300, False),
    "a folder for the rows": (become("vectors.*", Path.mkdir), 300, True),
    "a folder for the records": (become("keys", Path.mkdir), 300, True),
    "a dead link for the rows": (become("vectors.*", lambda path: path.symlink_to("nowhere")), 300, True),
    "a file for the folder": (whole_folder_a_file, 300, True),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_vectors_are_made_again_and_nothing_else(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damage, lost, said = DAMAGES[name]
    expected, _ = embed(tmp_path / "v")
    (folder,) = (tmp_path / "v").iterdir()
    damage(folder)
    found, made = embed(tmp_path / "v")
    assert np.array_equal(found, expected)
    assert made <= lost
    assert (folder.name in caplog.text) == said
    caplog.clear()
    again, made = embed(tmp_path / "v")
    assert np.array_equal(again, expected)
    assert made == 0


def test_two_processes_that_embed_the_same_at_once_both_get_it_right(tmp_path: Path) -> None:
    halves = [TEXTS[:200], TEXTS[100:], TEXTS]
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=embed, args=(tmp_path / "v", texts)) for texts in halves]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    found, made = embed(tmp_path / "v")
    assert np.array_equal(found, vectors_of(TEXTS))
    assert made == 0


def test_a_kill_loses_what_was_under_way_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embft.retrieval.vector_cache.TEXTS_AT_ONCE", 10)

    def slowly() -> None:
        def encode(some: Sequence[str]) -> np.ndarray:
            time.sleep(0.01)
            return vectors_of(some)

        VectorCache(tmp_path / "v").encode("m", "", TEXTS, encode)

    worker = multiprocessing.get_context("fork").Process(target=slowly)
    worker.start()
    while not list((tmp_path / "v").glob("*/keys")):
        time.sleep(0.005)
    time.sleep(0.05)
    os.kill(worker.pid or 0, signal.SIGKILL)
    worker.join()
    (keys,) = (tmp_path / "v").glob("*/keys")
    there = keys.stat().st_size // RECORD
    found, made = embed(tmp_path / "v")
    assert np.array_equal(found, vectors_of(TEXTS))
    assert 0 < there <= 300 - made + 10


def test_rows_are_read_as_they_are_asked_for_and_never_written(tmp_path: Path) -> None:
    rows = VectorCache(tmp_path / "v").rows("m", "", TEXTS, vectors_of)
    expected = vectors_of(TEXTS)
    assert rows.shape == expected.shape
    assert np.array_equal(rows[10:20], expected[10:20])
    assert np.array_equal(rows[np.array([5, 3, 5])], expected[[5, 3, 5]])
    assert np.array_equal(rows.mapped(unit)[:7], unit(expected[:7]))
    whole = rows.rows
    assert np.shares_memory(rows[rows.places.argsort()[:1]], whole)
    with pytest.raises(ValueError, match="read-only"):
        whole[0] = 0


def test_a_model_keeps_its_length(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "v")
    cache.store("m", "", TEXTS, vectors_of(TEXTS))
    with pytest.raises(EndpointError, match="gives vectors of 3 numbers now, and gave 32 before"):
        cache.store("m", "", ["new"], np.ones((1, 3), np.float32))
    cache.store("m", "", TEXTS, vectors_of(TEXTS))
    (file,) = (tmp_path / "v").glob("*/vectors.*")
    assert file.stat().st_size == 300 * ROW  # nothing is stored twice


@pytest.mark.parametrize("in_memory", [0, 1 << 30])
def test_a_search_through_the_map_scores_as_one_in_memory(
    in_memory: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embft.retrieval.scoring._IN_MEMORY", in_memory)
    monkeypatch.setattr("embft.retrieval.scoring._CHUNKS", 32)
    vectors = np.random.default_rng(0).normal(size=(300, LENGTH)).astype(np.float32)
    rows = VectorCache(tmp_path / "v").rows("m", "", TEXTS, lambda texts: vectors[[TEXTS.index(one) for one in texts]])
    questions = vectors[:7] + np.float32(0.1)
    for starts in (np.arange(300), np.arange(0, 300, 3)):
        layout = Passages(tuple(map(str, starts)), TEXTS, np.repeat(np.arange(len(starts)), 300 // len(starts)))
        stored, held = dense_scorers(questions, rows, layout), dense_scorers(questions, vectors, layout)
        for name in ("cosine", "dot"):
            assert np.allclose(stored[name].scores(0, 7), held[name].scores(0, 7), atol=2e-6)
    mapped = VectorMatches(questions, rows).mapped(Whitening(np.eye(LENGTH, dtype=np.float32) * 2, vectors[0]))
    assert np.allclose(
        np.asarray(mapped.passages), Whitening(np.eye(LENGTH, dtype=np.float32) * 2, vectors[0])(vectors)
    )
