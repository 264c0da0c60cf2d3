"""Replies are kept whole, under their exact request."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from embft.questions.reply_cache import ReplyCache

REQUEST = {
    "model": "m",
    "messages": [{"role": "user", "content": "ask"}],
    "temperature": 0.0,
    "seed": 1,
    "base_url": "u",
}


def test_a_reply_is_found_by_another_process_of_the_same_folder(tmp_path: Path) -> None:
    key = ReplyCache.key(REQUEST)
    ReplyCache(tmp_path / "new" / "replies.sqlite").put(key, REQUEST, {"text": "什么？"})
    assert ReplyCache(tmp_path / "new" / "replies.sqlite").get(key) == {"text": "什么？"}


def test_what_was_never_stored_is_none(tmp_path: Path) -> None:
    assert ReplyCache(tmp_path / "replies.sqlite").get("no such key") is None


def test_the_first_reply_stays(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path / "replies.sqlite")
    cache.put("k", REQUEST, {"text": "first"})
    cache.put("k", REQUEST, {"text": "second"})
    assert cache.get("k") == {"text": "first"}


def test_the_file_is_plain_json_in_sqlite(tmp_path: Path) -> None:
    ReplyCache(tmp_path / "replies.sqlite").put("k", REQUEST, {"text": "a"})
    with sqlite3.connect(tmp_path / "replies.sqlite") as connection:
        assert connection.execute("SELECT reply FROM replies").fetchall() == [('{"text": "a"}',)]
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@given(st.sampled_from(sorted(REQUEST)))
def test_every_part_of_a_request_counts(part: str) -> None:
    assert ReplyCache.key({**REQUEST, part: "another"}) != ReplyCache.key(REQUEST)


def test_the_order_of_keys_does_not_count() -> None:
    assert ReplyCache.key(dict(reversed(REQUEST.items()))) == ReplyCache.key(REQUEST)
