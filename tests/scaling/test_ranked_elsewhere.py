from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from first_shard import who_gave_a_shard
from forks import ROOT
from rank_elsewhere import CHUNKS, QUESTIONS, as_bytes, made_pass
from ray_cluster import ray_cluster
from this_process import ThisProcess, fleet_of

from embft.errors import ScaleError
from embft.ranking import shards
from embft.ranking.shards import OtherMachines, packed, row_arrays, unpacked
from embft.retrieval import fusing
from embft.retrieval.excluding import ExcludingScorer
from embft.retrieval.fusing import ReachableOfEach
from embft.retrieval.passes import every_row
from embft.retrieval.scoring import BestOfEach, TableScorer
from embft.scaling.kinds import Cut
from embft.scaling.work import given_of, read_result, read_work, result_of, write_result

LIMIT = 300


@pytest.fixture(scope="module")
def work() -> ReachableOfEach:
    return made_pass(300, 50)


@pytest.fixture(autouse=True)
def blocks_of_eight(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "slow" not in request.keywords:
        monkeypatch.setattr(fusing, "block_of", lambda scorer: 8)


def machines_of(tmp_path: Path, driver: ThisProcess, fewest: int = 1) -> OtherMachines:
    return OtherMachines(fleet_of(tmp_path, driver, scores=Cut(16, fewest)), ["a run"])


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("excludes", [True, False])
def test_shards_of_questions_give_what_one_machine_keeps_to_the_last_bit_and_leave_nothing(tmp_path, stored, excludes):
    work, driver = made_pass(300, 50, stored=stored), ThisProcess()
    if excludes:
        columns = {3: np.array([0, 299]), 40: np.array([7])}
        work = replace(work, dense=ExcludingScorer(work.dense, columns), words=ExcludingScorer(work.words, columns))
    rows = machines_of(tmp_path, driver).rows("test mixes", work)
    assert driver.done == [0, 1, 2, 3]
    assert rows is not None
    assert as_bytes(rows) == as_bytes(every_row(work))
    assert list((tmp_path / "shards").iterdir()) == []


@pytest.mark.parametrize("scorer", ["dense", "words"])
@pytest.mark.parametrize("floor", [None, 0.0])
def test_the_best_by_one_scorer_alone(tmp_path, work, scorer, floor):
    alone = BestOfEach(getattr(work, scorer), 10, floor)
    rows = machines_of(tmp_path, ThisProcess()).rows("test", alone)
    assert rows is not None
    assert packed(rows) == packed(every_row(alone))


def test_few_scores_and_scorers_that_are_no_numbers_stay_here(tmp_path, work):
    driver = ThisProcess()
    assert machines_of(tmp_path, driver, fewest=50 * 300 + 1).rows("test", work) is None
    table = TableScorer(np.zeros((50, 300), np.float32))
    assert machines_of(tmp_path, driver).rows("test", BestOfEach(table, 10)) is None
    assert machines_of(tmp_path, driver).rows("test", replace(work, words=table)) is None
    assert driver.done == []


def test_a_run_that_was_killed_asks_for_the_shards_that_are_left_and_for_no_other(tmp_path, work):
    with pytest.raises(KeyboardInterrupt):
        machines_of(tmp_path, ThisProcess(dies_after=2)).rows("test", work)
    driver = ThisProcess()
    # However few they are: this machine may be too small for it.
    rows = machines_of(tmp_path, driver, fewest=10**9).rows("test", work)
    assert driver.done == [2, 3]
    assert rows is not None
    assert as_bytes(rows) == as_bytes(every_row(work))


class GivesNonsense(ThisProcess):
    """Whose second shard is spoilt once, whole as it is."""

    def __init__(self, spoil) -> None:
        super().__init__()
        self._spoil = spoil

    def run(self, folder, numbers):
        for number in super().run(folder, numbers):
            if number == 1 and self.done.count(1) == 1:
                given = read_work(folder).digests[1]
                result = read_result(result_of(folder, 1), given)
                assert result is not None
                write_result(result_of(folder, 1), self._spoil(result.content), given, result.facts)
            yield number


def spoilt(at: int, value: float):
    def spoil(content: bytes) -> bytes:
        rows = unpacked(content, 16, 7)
        assert rows is not None
        rows[3][at][0] = value
        return packed(rows)

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[:100],
        lambda content: b"",
        lambda content: packed(unpacked(content, 16, 7)[:-1]),
        lambda content: packed([row[:5] for row in unpacked(content, 16, 7)]),
        spoilt(0, 300),
        spoilt(3, -1),
        spoilt(1, np.nan),
        spoilt(6, np.inf),
    ],
)
def test_what_a_faulty_node_gives_is_no_result(tmp_path, work, spoil):
    driver = GivesNonsense(spoil)
    rows = machines_of(tmp_path, driver).rows("test", work)
    assert driver.done == [0, 1, 2, 3, 1]
    assert rows is not None
    assert as_bytes(rows) == as_bytes(every_row(work))


def test_a_node_that_sees_half_of_the_index_says_so(tmp_path, work):
    class Halves(ThisProcess):
        def run(self, folder, numbers):
            file = folder / shards.SCORERS / "dense" / "passages.npy"
            file.write_bytes(file.read_bytes()[:-4])
            yield from super().run(folder, numbers)

    with pytest.raises(ScaleError, match="is not whole as seen from"):
        machines_of(tmp_path, Halves()).rows("test", work)


def test_rows_without_a_chunk_are_rows(work):
    rows = [(np.zeros(0, np.int64), np.zeros(0, np.float32))] * 3
    assert [list(map(len, row)) for row in unpacked(packed(rows), 3, 2) or []] == [[0, 0]] * 3
    assert row_arrays(rows[0])[0].dtype == np.int64


def test_what_a_shard_gets_is_its_stretches_of_questions(tmp_path, work):
    with pytest.raises(KeyboardInterrupt):
        machines_of(tmp_path, ThisProcess(dies_after=0)).rows("test", work)
    (folder,) = (path for path in (tmp_path / "shards").iterdir() if path.is_dir())
    assert folder.name.startswith("ranking-")
    lines = given_of(folder, 3).read_text().splitlines()
    assert [json.loads(line) for line in lines] == [[48, 50]]


@pytest.mark.slow
def test_questions_ranked_by_an_array_of_jobs_one_of_which_is_killed(tmp_path):
    pytest.importorskip("submitit", reason="submitit is not installed: pip install 'embft[slurm]'")
    settings = ["kind=slurm", "executor=local"]
    asking = subprocess.Popen(command(tmp_path, *settings), env=environment(), cwd=tmp_path)
    os.kill(who_gave_a_shard(tmp_path / "shards"), signal.SIGKILL)
    assert asking.wait(LIMIT) == 0
    same_as_here(tmp_path)


@pytest.mark.slow
def test_questions_ranked_on_a_cluster_that_loses_a_node(tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
    with ray_cluster() as cluster, (tmp_path / "out").open("w") as out:
        own = {**cluster.environment, **environment()}
        wanted = command(tmp_path, "kind=ray", f"address={cluster.address}")
        asking = cluster.head.start(*wanted, env=own, output=out)
        who_gave_a_shard(tmp_path / "shards", cluster.worker.processes)
        assert asking.poll() is None
        cluster.worker.lose_power()
        assert asking.wait(LIMIT) == 0, (tmp_path / "out").read_text()
    same_as_here(tmp_path)


def command(folder: Path, *settings: str) -> list[str]:
    return [sys.executable, str(Path(__file__).with_name("rank_elsewhere.py")), str(folder), *settings]


def environment() -> dict[str, str]:
    here = Path(__file__).parent
    return {**os.environ, "PYTHONPATH": f"{ROOT}:{here.parent}:{here}"}


def same_as_here(folder: Path) -> None:
    assert list((folder / "shards").iterdir()) == []
    assert (folder / "rows").read_bytes() == as_bytes(every_row(made_pass(CHUNKS, QUESTIONS)))
