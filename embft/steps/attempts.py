"""What the stages that write questions share: the files behind their settings, and requests that failed at an earlier start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from embft.config import QuestionsConfig
from embft.files import digest, file_digest
from embft.questions.prompt import PAIRS, read_texts
from embft.stages import StageResult

T = TypeVar("T")
_asked_again: set[str] = set()
"""Attempts that this process has repeated: the jobs of a sweep do not each repeat them."""


def complete(
    attempt: Callable[[int], StageResult[T]], failed: Callable[[T], object], asked: Callable[[T], object]
) -> StageResult[T]:
    """The newest attempt; where requests failed at an earlier start, they are made once more, the others never.

    An attempt that changes nothing gives way to the one before it, so that nothing after it is worked out again.

    Args:
        attempt: Runs the stage; numbered from 0.
        failed: How many requests of a result failed.
        asked: Its questions.
    """
    number = 0
    best = last = attempt(number)
    while last.cached and failed(last.value) and last.key not in _asked_again:
        number += 1
        _asked_again.add(last.key)
        last = attempt(number)
        if asked(last.value) != asked(best.value):
            best = last
    return best


def values_of(config: QuestionsConfig, seed: int) -> Mapping[str, object]:
    """What decides questions besides settings: texts of prompts, weights of a local LLM, the seed of requests."""
    asks_llm = config.backend != "extractive"
    return {
        "prompt texts": _prompt_texts(config) if asks_llm else None,
        "weights": weights_digest(config),
        "seed": seed if asks_llm else None,
    }


def _prompt_texts(config: QuestionsConfig) -> str:
    """The texts of prompts and kinds, whether embft's or the user's: a changed word is another stage."""
    prompts = [read_texts(name, "questions.prompt", "prompts") for name in (config.prompt, PAIRS)]
    return digest([*prompts, *(read_texts(kind, "questions.types", "prompts/types") for kind in config.types)])


def weights_digest(config: QuestionsConfig) -> str | None:
    """Digest of the GGUF file that writes the questions: a file of that name may be another one tomorrow."""
    if config.backend != "local_llm":
        return None
    from embft.questions.local_llm import find_weights

    return file_digest(find_weights(config.model))
