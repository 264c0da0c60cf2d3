from __future__ import annotations

import os
import time
from threading import Thread

from embft.heartbeat import Heartbeat, alone


def test_a_lock_has_one_holder_and_goes_with_it(tmp_path):
    first, second = Heartbeat(tmp_path / "lock"), Heartbeat(tmp_path / "lock")
    assert first.take()
    assert not second.take()
    assert str(os.getpid()) in second.holder()
    first.release()
    assert second.take()
    first.release()  # no longer its own
    assert (tmp_path / "lock").exists()
    second.release()
    assert list(tmp_path.iterdir()) == []


def test_a_dead_holder_is_replaced_and_a_living_one_is_not(tmp_path):
    (tmp_path / "lock").write_text("elsewhere 1 x")
    os.utime(tmp_path / "lock", (time.time() - 70,) * 2)
    assert not Heartbeat(tmp_path / "lock", dead_after=80).take()
    lock = Heartbeat(tmp_path / "lock", dead_after=60)
    assert lock.take()
    lock.release()

    living = Heartbeat(tmp_path / "lock", dead_after=0.3)
    assert living.take()
    time.sleep(0.8)
    assert not Heartbeat(tmp_path / "lock", dead_after=0.3).take()
    living.release()


def test_of_many_who_find_a_dead_lock_one_takes_it(tmp_path):
    for _ in range(20):
        (tmp_path / "lock").write_text("elsewhere 1 x")
        os.utime(tmp_path / "lock", (1, 1))
        locks, taken = [Heartbeat(tmp_path / "lock") for _ in range(8)], []
        threads = [Thread(target=lambda lock=lock, results=taken: results.append(lock.take())) for lock in locks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert taken.count(True) == 1
        for lock in locks:
            lock.release()
        assert list(tmp_path.iterdir()) == []


def test_who_waits_comes_next(tmp_path):
    order = []
    with alone(tmp_path / "lock"):
        thread = Thread(target=lambda: _enter(tmp_path / "lock", order))
        thread.start()
        time.sleep(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def _enter(path, order):
    with alone(path):
        order.append("second")
