"""What it will cost, and that it never costs more."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from loopback import Answer, serving

from embft.config import FiltersConfig, QuestionsConfig
from embft.errors import QuestionError
from embft.questions import estimate_questions, generate
from embft.questions.budget import in_words, price_of, read_total
from embft.records import Chunk

CHUNKS = [Chunk(f"c{place}", f"Passage number {place}.", "doc", 1, 0, 20) for place in range(12)]


def config(url: str | None = None, **changes: Any) -> QuestionsConfig:
    settings: dict[str, Any] = {"base_url": url, "api_key_env": None, "model": "gpt-4o-mini", "reply_tokens": 60}
    return QuestionsConfig(**{"name": "openai", "backend": "openai", **settings, **changes})


def two(passage: str, body: dict[str, Any]) -> Answer:
    name = passage.rstrip(".")
    return Answer(f"1. What does {name} say?\n2. Who wrote {name}?")


def test_an_estimate_asks_nothing_and_counts_what_is_stored(tmp_path: Path) -> None:
    with serving(two) as (url, log):
        found = estimate_questions(CHUNKS, config(url), tmp_path, 1)
        assert not log
        generate(CHUNKS[:5], config(url), tmp_path, 1)
        after = estimate_questions(CHUNKS, config(url), tmp_path, 1)
    assert (found.chunks, len(found.missing), found.stored, found.measured) == (12, 12, 0, False)
    assert found.usd == pytest.approx((found.prompt_tokens * 0.15 + found.reply_tokens * 0.60) / 1e6)
    assert (len(after.missing), after.stored, after.measured) == (7, 5, True)
    assert after.reply_tokens == 7 * 30  # what a reply took so far
    assert after.seconds < found.seconds


def test_an_estimate_needs_no_key_and_extractive_costs_nothing(tmp_path: Path) -> None:
    assert estimate_questions(CHUNKS, config(api_key_env="EMBFT_NO_SUCH_KEY"), tmp_path, 1) is not None
    assert estimate_questions(CHUNKS, QuestionsConfig(name="extractive"), tmp_path, 1) is None


def test_boilerplate_is_not_estimated_either(tmp_path: Path) -> None:
    contents = Chunk("toc", "Intro ........ 1\nEnd ........ 4\nA ........ 7\nB ........ 8", "d", 3, 0, 9)
    prose = Chunk("prose", "The garbage collector frees what nobody refers to.", "d", 1, 0, 9)
    filters = FiltersConfig(boilerplate=True)
    assert estimate_questions([prose, contents], config(filters=filters), tmp_path, 1).chunks == 1


def test_a_sweep_s_shared_requests_count_once(tmp_path: Path) -> None:
    files = []
    for place, changes in enumerate(({}, {}, {"per_chunk": 3})):
        files.append(tmp_path / f"{place}.json")
        found = estimate_questions(CHUNKS, config(**changes), tmp_path, 1)
        files[-1].write_text(json.dumps(found.as_json()), encoding="utf-8")
    assert "36 chunks, 24 requests to gpt-4o-mini" in read_total(files)


def test_a_model_without_a_price_is_said_to_have_none(tmp_path: Path) -> None:
    found = estimate_questions(CHUNKS, config(model="mine"), tmp_path, 1)
    assert found.usd is None
    assert "no price of mine is known, so tokens only" in in_words(found)
    with pytest.raises(QuestionError, match="needs the price of 'mine'"):
        generate(CHUNKS, config("http://127.0.0.1:9/v1", model="mine", max_cost_usd=1.0), tmp_path, 1)


def test_prices_of_one_s_own_dated_models_and_batches(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("date: 2030-01-01\nmodels: {mine: {input: 1, output: 2}}\n", encoding="utf-8")
    price, date = price_of(config(model="mine", prices=str(tmp_path / "p.yaml")))
    assert (price.input, price.output, date) == (1.0, 2.0, "2030-01-01")
    assert price_of(config(model="gpt-4o-mini-2024-07-18"))[0] == price_of(config())[0]
    assert price_of(config(backend="openai_batch"))[0].input == price_of(config())[0].input / 2


@pytest.mark.parametrize("text", ["models: 3", "[]", "date: 1\nmodels: {gpt-4o-mini: {input: a}}", "a: [", None])
def test_a_price_table_that_is_none_is_named(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(QuestionError, match=r"questions\.prices=.*p\.yaml"):
        price_of(config(prices=str(tmp_path / "p.yaml")))


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize(("cap", "most"), [({"max_tokens": 700}, 700), ({"max_cost_usd": 0.0002}, math.inf)], ids=str)
def test_the_cap_holds_and_a_higher_one_goes_on(tmp_path: Path, concurrency: int, cap: dict, most: float) -> None:
    with serving(two) as (url, log):
        with pytest.raises(
            QuestionError, match=r"budget of questions is spent: \d+ of 12 .*the same command continues"
        ):
            generate(CHUNKS, config(url, concurrency=concurrency, **cap), tmp_path, 1)
        first = len(log)
        assert 2 <= first < 12
        assert 100 * first <= most  # the server counts 70 and 30 tokens a reply
        assert first * (70 * 0.15 + 30 * 0.6) / 1e6 <= 0.0002
        # What was paid counts at the second start too: nothing more fits.
        with pytest.raises(QuestionError, match="budget of questions is spent"):
            generate(CHUNKS, config(url, concurrency=concurrency, **cap), tmp_path, 1)
        assert len(log) == first
        made = generate(CHUNKS, config(url, **{name: 100 * value for name, value in cap.items()}), tmp_path, 1)
        assert len(made.questions) == 24
        assert len(log) == 12
    assert made.report["usd"] == pytest.approx(12 * (70 * 0.15 + 30 * 0.6) / 1e6)


def test_requests_a_minute_are_spaced(tmp_path: Path) -> None:
    with serving(two) as (url, log):
        generate(CHUNKS[:4], config(url, requests_per_minute=600), tmp_path, 1)
    times = sorted(entry.time for entry in log)
    assert times[-1] - times[0] >= 0.25  # three gaps of 0.1 s, less what the first was late
