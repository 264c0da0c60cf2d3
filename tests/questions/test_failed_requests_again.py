"""Requests that failed are made once more at the next start, and nothing after them is worked out again in vain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from embft.records import Question
from embft.results import QuestionSet
from embft.stages import StageResult
from embft.steps import attempts


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> Callable[..., StageResult[QuestionSet]]:
    """A start of the program over attempts that are kept; each new one gives the next of some outcomes."""
    kept: dict[int, QuestionSet] = {}

    def start(*outcomes: tuple[str, int]) -> StageResult[QuestionSet]:
        monkeypatch.setattr(attempts, "_asked_again", set())
        coming = iter(outcomes)

        def attempt(number: int) -> StageResult[QuestionSet]:
            cached = number in kept
            if not cached:
                texts, failed = next(coming)
                questions = [Question(text, text, ("c",), "openai") for text in texts]
                kept[number] = QuestionSet(questions, {"failed_requests": failed})
            return StageResult(kept[number], f"key{number}", Path(), 0.0, 0.0, cached)

        return attempts.complete(attempt, lambda value: value.report["failed_requests"], lambda value: value.questions)

    return start


def test_a_start_without_failures_is_never_repeated(starts: Callable[..., StageResult[QuestionSet]]) -> None:
    assert starts(("ab", 0)).key == "key0"
    assert starts().key == "key0"


def test_what_failed_is_asked_again_at_the_next_start_and_then_stays(
    starts: Callable[..., StageResult[QuestionSet]],
) -> None:
    assert starts(("a", 1)).key == "key0"
    assert starts(("ab", 0)).key == "key1"
    assert starts().key == "key1"


def test_an_attempt_that_changes_nothing_gives_way_to_the_one_before(
    starts: Callable[..., StageResult[QuestionSet]],
) -> None:
    assert starts(("a", 1)).key == "key0"
    assert starts(("a", 1)).key == "key0"
    assert starts(("ab", 0)).key == "key2"
    assert starts().key == "key2"
