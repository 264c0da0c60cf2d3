"""How a sentence is said, and said again, in another language."""

from __future__ import annotations

import threading

import pytest

from embft.wording import counted, joined, listed, retold, say, speaking, spoken
from embft.wording.catalogue import Catalogue

BOTH = Catalogue(
    {
        "{system} has {n:,} chunks": "{system}有{n:,}个分块",
        "{n:,} of {things} {are:w} about chunks": "{things!t}中{n}个",
        "{n:,} test questions": "{n}个测试问题",
        "passed over{hint:o}.": "略过{hint!t}。",
        " (it has {name})": "（有{name}）",
        "the base model": "基座模型",
    }
)


@pytest.mark.parametrize(
    ("system", "said"), [("BM25", "BM25 有 1,200 个分块"), ("基座模型", "基座模型有 1,200 个分块")]
)
def test_a_space_stands_where_han_and_latin_meet_and_nowhere_else(system: str, said: str) -> None:
    assert BOTH.say("{system} has {n:,} chunks", {"system": system, "n": 1200}) == said


def test_a_name_from_outside_is_left_as_it_is() -> None:
    assert BOTH.say("{system} has {n:,} chunks", {"system": "报告v2.pdf", "n": 1}) == "报告v2.pdf 有 1 个分块"


def test_a_sentence_that_was_written_down_is_told_again_with_what_stands_in_it() -> None:
    assert BOTH.retold("12 of 1,204 test questions are about chunks") == "1,204 个测试问题中 12 个"
    assert BOTH.retold("the base model") == "基座模型"
    assert BOTH.retold("passed over.") == "略过。"
    assert BOTH.retold("passed over (it has B).") == "略过（有 B）。"


@pytest.mark.parametrize("text", ["no sentence of ours", "many of 3 test questions are about chunks", ""])
def test_an_unknown_sentence_stays_as_it_is(text: str) -> None:
    assert BOTH.retold(text) == text


@pytest.mark.parametrize("text", ["Fighting against malware.pdf", "sweep the floor.docx", "default", "2 of 3 jobs"])
def test_what_only_the_comparison_says_is_never_taken_for_something_written_down(text: str) -> None:
    with speaking("zh"):
        assert retold(text) == text


def test_a_sentence_without_a_translation_is_said_in_english() -> None:
    assert BOTH.say("{n} moons", {"n": 2}) == "2 moons"


def test_english_is_said_outside_and_in_other_threads() -> None:
    heard = []
    with speaking("zh"):
        assert say("the base model") == "基座模型"
        thread = threading.Thread(target=lambda: heard.append(spoken()))
        thread.start()
        thread.join()
        with speaking("en"):
            assert say("the base model") == "the base model"
    assert heard == ["en"]
    assert say("Ship {system}.", system="BM25") == "Ship BM25."


def test_an_error_inside_ends_the_language() -> None:
    with pytest.raises(ValueError, match="x"), speaking("zh"):
        raise ValueError("x")
    assert spoken() == "en"


def test_lists_numbers_and_sentences_follow_the_language() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert joined(["A.", "", "B."]) == "A. B."
    assert counted(1, "{n:,} chunk", "{n:,} chunks") == "1 chunk"
    with speaking("zh"):
        assert listed(["a", "b"]) == "a、b"
        assert joined(["甲。", "", "乙。"]) == "甲。乙。"
        assert counted(1, "{n:,} chunk", "{n:,} chunks") == "1 个分块"
        assert retold("1,204 chunks") == "1,204 个分块"
