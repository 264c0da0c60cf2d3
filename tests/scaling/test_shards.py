from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import this_process
from made_corpus import save_model, texts
from this_process import ThisProcess

from embft.errors import ScaleError
from embft.models.encoder import Computing, Encoder
from embft.models.source import folder_fingerprint
from embft.retrieval.vector_cache import VectorCache
from embft.scaling.embedding import Texts
from embft.scaling.fleet import Fleet
from embft.scaling.kinds import Cut
from embft.scaling.shard import do_shard
from embft.scaling.work import (
    claim_of,
    given_of,
    read_given,
    read_result,
    read_work,
    result_of,
    share_model,
    write_given,
)
from embft.scaling.worker import work_on

SHARD = 512


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    folder = save_model(tmp_path_factory.mktemp("model") / "tiny")
    return Encoder(folder, "tiny", query_prompt="", document_prompt="passage: ", computing=Computing("cpu"))


@pytest.fixture(scope="module")
def here(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """What this machine alone makes of the texts."""
    return embed(VectorCache(tmp_path_factory.mktemp("here") / "vectors"), encoder)


def embed(cache: VectorCache, encoder: Encoder, fleet: Fleet | None = None, count: int = 2500) -> np.ndarray:
    elsewhere = fleet.with_model(encoder) if fleet else None
    rows = cache.rows(
        encoder.document_identity, encoder.document_prompt, texts(count), encoder.encode_passages, elsewhere=elsewhere
    )
    return np.asarray(rows)


def fleet_of(tmp_path: Path, driver: ThisProcess, fewest: int = 1) -> Fleet:
    return this_process.fleet_of(tmp_path, driver, texts=Cut(SHARD, fewest))


def test_shards_give_the_vectors_of_one_machine_to_the_last_bit_and_leave_nothing(tmp_path, encoder, here):
    driver = ThisProcess()
    there = embed(VectorCache(tmp_path / "vectors"), encoder, fleet_of(tmp_path, driver))
    assert driver.done == [0, 1, 2, 3, 4]
    assert np.array_equal(there, here)
    assert list((tmp_path / "shards").iterdir()) == []


def test_few_texts_stay_here(tmp_path, encoder, here):
    driver = ThisProcess()
    there = embed(VectorCache(tmp_path / "vectors"), encoder, fleet_of(tmp_path, driver, fewest=2501))
    assert driver.done == []
    assert np.array_equal(there, here)


def test_a_run_that_was_killed_continues_with_the_shards_that_are_left(tmp_path, encoder, here):
    with pytest.raises(KeyboardInterrupt):
        embed(VectorCache(tmp_path / "vectors"), encoder, fleet_of(tmp_path, ThisProcess(dies_after=2)))
    folder = next(path for path in (tmp_path / "shards").iterdir() if path.is_dir())
    do_shard(str(folder), 3)  # a node that did not notice
    second = ThisProcess()
    # Another size of shards is for the next work: this one has been dealt out.
    fleet = replace(fleet_of(tmp_path, second), texts=Cut(1024, 1))
    there = embed(VectorCache(tmp_path / "vectors"), encoder, fleet)
    assert second.done == [2, 4]
    assert np.array_equal(there, here)


def test_a_shard_that_the_disk_damaged_is_done_again(tmp_path, encoder, here):
    class Damaging(ThisProcess):
        def run(self, folder: Path, numbers: Sequence[int]) -> Iterator[int]:
            for number in super().run(folder, numbers):
                if number == 1 and self.done.count(1) == 1:
                    content = bytearray(result_of(folder, number).read_bytes())
                    content[-5] ^= 1
                    result_of(folder, number).write_bytes(content)
                yield number

    driver = Damaging()
    assert np.array_equal(embed(VectorCache(tmp_path / "vectors"), encoder, fleet_of(tmp_path, driver)), here)
    assert driver.done == [0, 1, 2, 3, 4, 1]


@pytest.mark.parametrize("spoil", ["nan", "whole numbers", "too few", "flat", "no array"])
def test_vectors_that_are_none_are_refused(encoder, spoil):
    vectors = np.ones((3, 8), np.float32)
    if spoil == "nan":
        vectors[1, 2] = np.nan
    spoilt = {"whole numbers": np.ones((3, 8), int), "too few": vectors[:2], "flat": vectors[:, 0]}.get(spoil, vectors)
    file = io.BytesIO()
    np.save(file, spoilt)
    job = Texts(encoder, Nobody())
    assert job.read(b"x" if spoil == "no array" else file.getvalue(), np.arange(3)) is None


class Nobody:
    """Asks for nothing."""

    def missing(self) -> np.ndarray:
        return np.arange(0)

    def texts(self, places: np.ndarray) -> list[str]:
        return []


def test_of_two_runs_that_want_the_same_vectors_one_has_them_made(tmp_path, encoder, here):
    drivers, found = [ThisProcess(), ThisProcess()], []

    def run(driver: ThisProcess) -> None:
        found.append(embed(VectorCache(tmp_path / "vectors"), encoder, fleet_of(tmp_path, driver)))

    threads = [Thread(target=run, args=(driver,)) for driver in drivers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(driver.done) for driver in drivers) == [0, 5]
    assert all(np.array_equal(one, here) for one in found)
    assert list((tmp_path / "shards").iterdir()) == []


@pytest.fixture
def planned(tmp_path: Path, encoder: Encoder) -> Path:
    """The folder of a work of which nothing is done."""
    with pytest.raises(KeyboardInterrupt):
        embed(VectorCache(tmp_path / "vectors"), encoder, fleet_of(tmp_path, ThisProcess(dies_after=0)))
    return next(path for path in (tmp_path / "shards").iterdir() if path.is_dir())


def test_a_shard_is_done_once(planned):
    do_shard(str(planned), 2)
    before = result_of(planned, 2).stat()
    do_shard(str(planned), 2)
    assert result_of(planned, 2).stat() == before


def test_a_node_with_another_embft_or_model_or_folder_does_nothing(planned, tmp_path, monkeypatch):
    model = planned / "model" / str(read_work(planned).settings["folder"])
    (model / "config.json").unlink()  # the link alone; the model's own file stays
    with pytest.raises(ScaleError, match="is not whole as seen from"):
        do_shard(str(planned), 0)
    with pytest.raises(ScaleError, match="All nodes must see that folder under the same name"):
        do_shard(str(tmp_path / "elsewhere"), 0)
    given_of(planned, 1).write_text('"something else"\n')
    with pytest.raises(ScaleError, match="is not what was written"):
        do_shard(str(planned), 1)
    monkeypatch.setattr("embft.scaling.shard.own_code", lambda: "other")
    with pytest.raises(ScaleError, match="install the same version"):
        do_shard(str(planned), 0)
    assert not list(planned.glob("result-*"))


def test_workers_share_the_shards_and_take_over_those_of_a_dead_one(planned, encoder):
    claim_of(planned, 1).write_text("living 1 x")
    claim_of(planned, 3).write_text("dead 2 y")
    os.utime(claim_of(planned, 3), (time.time() - 100,) * 2)
    assert work_on(str(planned), list(range(5)), 2, dead_after=50) == 4
    assert sorted(path.name for path in planned.glob("result-*")) == [
        result_of(planned, at).name for at in (0, 2, 3, 4)
    ]
    assert [path.name for path in planned.glob("claim-*")] == [claim_of(planned, 1).name]
    result = read_result(result_of(planned, 3))
    assert result is not None
    assert result.facts["torch"]
    assert np.load(io.BytesIO(result.content)).shape == (SHARD, 32)


def test_a_worker_passes_over_shards_that_were_merged_meanwhile(planned):
    for number in (0, 1, 3, 4):
        given_of(planned, number).unlink()
    assert work_on(str(planned), list(range(5)), 0, dead_after=50) == 1
    assert [path.name for path in planned.glob("result-*")] == [result_of(planned, 2).name]
    assert not list(planned.glob("claim-*"))


def test_any_text_reaches_a_node_as_it_is(tmp_path):
    odd = ["", "a\nb\r\n\u2028c", "\ud800 lone", "漢字 \x00 \x85 end", "x" * 10_000]
    digest = write_given(tmp_path / "texts", odd)
    assert read_given(tmp_path / "texts", digest) == odd


def test_a_model_is_shared_with_what_its_links_name_under_its_own_name(tmp_path, encoder):
    snapshot = tmp_path / "models--BAAI--bge-small" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    for path in encoder.folder.rglob("*"):
        if path.is_file():
            (snapshot / path.relative_to(encoder.folder)).parent.mkdir(exist_ok=True, parents=True)
            (snapshot / path.relative_to(encoder.folder)).symlink_to(path)
    share_model(snapshot, tmp_path / "model")
    assert folder_fingerprint(tmp_path / "model") == folder_fingerprint(encoder.folder)
    assert not any(path.is_symlink() for path in (tmp_path / "model").rglob("*"))
