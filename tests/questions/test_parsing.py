"""No reply breaks the parser, or holds it up."""

from __future__ import annotations

import json
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from embft.questions.labels import unlabelled
from embft.questions.loose_json import Pairs, read_value
from embft.questions.parsing import parse_reply

TWO = ("Why does the water rise?", "How long does the ebb last?")
PLAIN = f"1. {TWO[0]}\n2. {TWO[1]}"
BOMBS = {
    "brackets": "[" * 100_000,
    "objects": '{"a":' * 40_000,
    "mixed": "[{(" * 40_000,
    "quotes": '["' + '" ' * 50_000,
    "labels": "- " * 50_000,
    "thoughts": "<think>" * 20_000,
    "ends": "</think>" * 20_000,
    "tags": "<question>" * 20_000,
    "bars": ("|-" * 50 + "\n") * 1000,
    "angles": "<" * 100_000,
    "marks": "Why? A: " * 12_000,
    "spaces": " " * 100_000 + "x",
    "spaces in lines": (" " * 1000 + "\n") * 100,
    "escapes": '["' + "\\" * 100_000,
    "comments": '["a" ' + "//" * 50_000,
    "numbers": "1. " * 40_000,
    "wrapped": '"1. ' * 30_000,
}


def test_bombs_take_linear_time() -> None:
    for name, bomb in BOMBS.items():
        begun = time.process_time()
        parsed = parse_reply(bomb, 2)
        assert time.process_time() - begun < 10, name
        assert all(len(question) <= 300 for question in parsed.questions), name


def test_what_follows_a_bomb_is_not_a_question_and_what_precedes_it_is() -> None:
    assert parse_reply(PLAIN + "\n" + "[" * 100_000, 2).questions[:1] in {(TWO[0],), ()}


# Brackets, quotation marks and labels, or letters of any kind.
REPLIES = st.text(alphabet="[]{}()\"'“”,:;：，\\ \n?<>/|`-.12aQ问答think", max_size=120) | st.text()


@settings(max_examples=250)
@given(REPLIES, st.integers(1, 5))
def test_no_reply_breaks_the_parser(reply: str, count: int) -> None:
    parsed = parse_reply(reply, count)
    keys = ["".join(letter for letter in text.casefold() if letter.isalnum()) for text in parsed.questions]
    assert len(parsed.questions) <= count
    assert len(set(keys)) == len(keys)
    assert all(keys)
    assert all("\n" not in text and unlabelled(text) for text in parsed.questions)


@given(cut=st.integers(0, 200))
def test_a_reply_may_end_anywhere(cut: int) -> None:
    reply = f"```json\n{json.dumps(TWO)}\n```"[:cut]
    assert set(parse_reply(reply, 2).questions) <= set(TWO)


_JSON = st.recursive(
    st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def _plain(value: object) -> object:
    if isinstance(value, Pairs):
        return {key: _plain(item) for key, item in value.items}
    return [_plain(item) for item in value] if isinstance(value, list) else value


@given(st.lists(_JSON, max_size=3), st.booleans(), st.sampled_from([None, 2]))
def test_loose_json_reads_strict_json(value: list[object], ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    found, end = read_value(text, 0)
    assert (_plain(found), end) == (value, len(text))


@given(st.lists(st.text(alphabet="abc ?'\"\\\n", max_size=10), min_size=1, max_size=4))
def test_loose_json_reads_python_lists(value: list[str]) -> None:
    assert _plain(read_value(repr(value), 0)[0]) == value
