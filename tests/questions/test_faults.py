"""Every third request meets a fault, and the process is killed twenty times: nothing is lost, nothing is paid twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from loopback import Answer, serving

from embft.config import FiltersConfig, QuestionsConfig
from embft.questions import generate
from embft.records import Chunk

ROOT = Path(__file__).parents[2]
FAULTS = ("busy", "broken", "slow", "cut", "empty", "wrong language", "always broken", "always empty", "cut list")
PER_HUNDRED = 30
REQUESTS = 300


def fault_of(passage: str) -> str | None:
    place = int(passage.strip(".").rsplit(" ", 1)[1])
    return FAULTS[place % len(FAULTS)] if place % 100 < PER_HUNDRED else None


@pytest.mark.slow
def test_three_hundred_requests_with_thirty_percent_faults_lose_nothing(tmp_path: Path) -> None:
    seen: Counter[str] = Counter()

    def answer(passage: str, body: dict[str, Any]) -> Answer:
        seen[passage] += 1
        fault, name = fault_of(passage), passage.rstrip(".")
        good = Answer(json.dumps({"questions": [f"What does {name} say?", f"Who wrote {name}?"]}))
        if fault == "always broken":
            return Answer(status=500)
        if fault == "always empty":
            return Answer("")
        if seen[passage] > 1 or fault is None:
            return good
        return {
            "busy": Answer(status=429, headers=(("Retry-After", "0.2"),)),
            "broken": Answer(status=500),
            "slow": Answer(wait=5.5, drop=True),
            "cut": Answer(good.text, cut=True),
            "empty": Answer(""),
            "wrong language": Answer(f"1. {name}这段话说了什么内容？\n2. 谁写了这段话的全部内容？"),
            "cut list": Answer(good.text[:45]),
        }[fault]

    chunks = [Chunk(f"c{place}", f"Passage number {place}.", "doc", 1, 0, 20) for place in range(REQUESTS)]
    with serving(answer) as (url, log):
        config = QuestionsConfig(
            name="openai", backend="openai", base_url=url, api_key_env=None, model="m", concurrency=32, max_retries=2,
            timeout_seconds=5.0, filters=FiltersConfig(language=True),
        )  # fmt: skip
        made = generate(chunks, config, tmp_path, 1)
        paid = Counter(entry.key for entry in log if entry.delivered)
        assert max(paid.values()) == 1
        assert "" not in paid
        questions = Counter(chunk_id for question in made.questions for chunk_id in question.chunk_ids)
        reasons = {row.chunk_ids[0]: row.reason for row in made.rejected}
        for chunk in chunks:
            fault = fault_of(chunk.text)
            wanted = {
                "always broken": "request failed", "always empty": "request failed", "wrong language": "language",
            }.get(fault or "")  # fmt: skip
            assert reasons.get(chunk.id) == wanted, (chunk.id, fault)
            assert questions[chunk.id] == (0 if wanted else 2), (chunk.id, fault)
        # Once more: only what failed is asked again.
        before = len(log)
        again = generate(chunks, config, tmp_path, 1)
        assert again.questions == made.questions
        assert {fault_of(entry.passage) for entry in log[before:]} == {"always broken", "always empty"}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="lives are forks")
def test_twenty_kills_at_random_moments_pay_for_nothing_that_was_stored(tmp_path: Path) -> None:
    count, kills, concurrency = 300, 20, 8

    def answer(passage: str, body: dict[str, Any]) -> Answer:
        name = passage.rstrip(".")
        return Answer(f"1. What does {name} say?\n2. Who wrote {name}?", wait=0.05)

    with serving(answer) as (url, log):
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("ask_and_be_killed.py")), url, tmp_path, str(kills), str(count)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        *deaths, end = map(json.loads, done.stdout.splitlines())
        asked = Counter(entry.key for entry in log)
    assert len(deaths) == kills
    assert deaths[-1]["stored"], "every kill came before the first reply"
    for death in deaths:
        stored = set(death["stored"])
        assert not [entry for entry in log if entry.time > death["time"] and entry.key in stored]
    # What was under way at a kill is all that may have been asked again.
    assert sum(asked.values()) - len(asked) <= kills * concurrency
    assert len(asked) == count
    assert (end["questions"], end["rejected"], end["chunks_without_questions"]) == (2 * count, {}, [])
