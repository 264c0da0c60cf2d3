"""Arrays that are too large for memory lie in a file, and are what they were."""

from __future__ import annotations

import errno
import gc
import os
from pathlib import Path

import numpy as np
import pytest

from embft.scratch import Scratch

ARRAYS = (
    np.arange(7),
    np.zeros(0, np.int32),
    np.linspace(0, 1, 5, dtype=np.float32),
    np.arange(9, dtype=np.uint32)[::2],
)


@pytest.mark.parametrize("in_memory", [0, 100, 1 << 20])
def test_arrays_are_what_they_were_wherever_they_are_kept(in_memory):
    scratch = Scratch(in_memory)
    kept = [scratch.keep(*ARRAYS) for _ in range(3)]
    for arrays in (one.open() for one in kept):
        for array, before in zip(arrays, ARRAYS, strict=True):
            assert array.dtype == before.dtype
            assert np.array_equal(array, before)


@pytest.mark.parametrize("in_memory", [0, 1 << 20])
def test_what_is_changed_in_place_stays_changed_and_nothing_beside_it(in_memory):
    scratch = Scratch(in_memory)
    one, other = scratch.keep(np.arange(4.0), np.arange(3)), scratch.keep(np.arange(4.0))
    one.open(to_change=True)[0][1:] = 9
    assert one.open()[0].tolist() == [0, 9, 9, 9]
    assert one.open()[1].tolist() == [0, 1, 2]
    assert other.open()[0].tolist() == [0, 1, 2, 3]


def test_what_is_only_read_cannot_be_changed_in_the_file():
    with pytest.raises(ValueError, match="read-only"):
        Scratch(0).keep(np.arange(4)).open()[0][0] = 1


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux says which files are open")
def test_the_file_has_no_name_stands_where_tmpdir_says_and_ends_with_its_arrays(tmp_path, monkeypatch):
    def open_there() -> int:
        links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
        return sum(str(link.readlink()).startswith(str(tmp_path)) for link in links)

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    kept = Scratch(0).keep(np.arange(4))
    assert list(tmp_path.iterdir()) == []
    assert open_there() == 1
    assert kept.open()[0].tolist() == [0, 1, 2, 3]
    del kept
    gc.collect()
    assert open_there() == 0


def test_memory_is_given_to_the_first_arrays_alone():
    scratch = Scratch(in_memory=100)
    first, second, third = (scratch.keep(np.zeros(size, np.uint8)) for size in (60, 60, 60))
    assert [type(one).__name__ for one in (first, second, third)] == ["_InMemory", "_InFile", "_InFile"]


def test_where_no_file_can_be_written_all_stays_in_memory_and_that_is_said_once(tmp_path, monkeypatch, caplog):
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    scratch = Scratch(0)
    kept = [scratch.keep(np.arange(4)), scratch.keep(np.arange(5))]
    assert [one.open()[0].tolist() for one in kept] == [[0, 1, 2, 3], [0, 1, 2, 3, 4]]
    (record,) = caplog.records
    assert "No space left" in record.getMessage()
    assert "TMPDIR" in record.getMessage()
