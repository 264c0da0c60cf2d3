"""Questions, contexts and judgements by a local LLM: each goes to other machines, and each of their replies is in the cache."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ask_elsewhere import config_of
from this_process import ThisProcess, fleet_of
from tiny_gguf import save_tiny_gguf

from embft.config.judging import JudgingConfig
from embft.judging.asking import ask_judge, estimate_judge
from embft.judging.judgements import Pair
from embft.questions import estimate_questions, generate
from embft.questions.contexts import estimate_contexts, write_contexts
from embft.records import Chunk, Page, RetrievalDataset
from embft.scaling.kinds import Cut

TEXTS = [f"Passage number {place} says that sales rose." for place in range(3)]
PAGES = [Page("a.pdf", place, text, "Report") for place, text in enumerate(TEXTS)]
CHUNKS = [Chunk(f"c{place}", text, "a.pdf", place, 0, len(text)) for place, text in enumerate(TEXTS)]
CUT = Cut(2, 3)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("xllamacpp", reason="llama.cpp is not installed: make llm")
    return save_tiny_gguf(tmp_path_factory.mktemp("llm") / "tiny.gguf")


def test_questions(tmp_path, weights):
    driver = ThisProcess()
    config = replace(config_of(weights), reply_tokens=16, structured="never", prompt="simple")
    made = generate(CHUNKS, config, tmp_path, 1, machines=fleet_of(tmp_path, driver, requests=CUT))
    # Each reply is one question of two that were asked for: what is missing is asked for there too, few as it is.
    assert driver.done == [0, 1, 0, 1]
    assert (made.report["requests"], made.report["asked_again"], made.report["failures"]) == (6, 3, [])
    assert {question.origin for question in made.questions} == {"local_llm"}
    estimate = estimate_questions(CHUNKS, config, tmp_path, 1)
    assert estimate is not None
    assert not estimate.missing


def test_contexts(tmp_path, weights):
    driver, config = ThisProcess(), config_of(weights)
    written = write_contexts(PAGES, CHUNKS, config, tmp_path, 1, fleet_of(tmp_path, driver, requests=CUT))
    assert driver.done == [0, 1]
    assert (written.report["requests"], written.report["failed_requests"]) == (3, 0)
    assert not estimate_contexts(PAGES, CHUNKS, config, tmp_path, 1).missing


def test_judgements(tmp_path, weights):
    driver = ThisProcess()
    config = JudgingConfig(
        backend="local_llm", model=str(weights), api_key_env=None, reply_tokens=16, concurrency=1, structured="never"
    )
    corpus = {f"c{place}": text for place, text in enumerate(TEXTS)}
    dataset = RetrievalDataset({"q": "did sales rise?"}, corpus, {"q": ("c0",)})
    pairs = [Pair("q", key) for key in corpus]
    asked = ask_judge(pairs, dataset, config, tmp_path, 1, fleet_of(tmp_path, driver, requests=CUT))
    assert driver.done == [0, 1]
    assert (asked.failed, len(asked.grades) + asked.unread) == (0, 3)
    assert not estimate_judge(pairs, dataset, config, tmp_path, 1).missing
