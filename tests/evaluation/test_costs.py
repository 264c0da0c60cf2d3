from dataclasses import replace

import pytest

from embft.evaluation.costs import MeasuredCosts, MeasuredDense, MeasuredLexical, Rates
from embft.prices import embedding_price
from embft.ranking.bench import ranker_of
from embft.reporting.cost_phrases import cost_cells, cost_sentence, untried_sentence

DENSE = MeasuredDense(vectors=1160, dimension=384, tokens=91_234, vectors_per_second=58.0, query_ms=9.6)
MEASURED = MeasuredCosts("cpu", 2, 441, 90_000, DENSE, MeasuredLexical(144_000, 0.2))
ADA = Rates(0.0, embedding_price("text-embedding-ada-002"), "text-embedding-ada-002")
ALL = ("bm25", "base", "tuned", "fused", "openai")


def costs_of(systems=ALL, measured=MEASURED, rates=ADA):
    return {name: ranker_of(name).costs(measured, rates) for name in systems}


def test_costs_by_hand():
    costs = costs_of()
    assert costs["base"].embed_seconds == 20
    assert costs["base"].index_bytes == 1160 * 384 * 4
    assert costs["fused"].index_bytes == costs["base"].index_bytes + 144_000
    assert costs["fused"].query_ms == pytest.approx(9.8)
    assert costs["openai"].dollars == pytest.approx(0.009)  # 90,000 tokens at 0.10 a million
    assert costs["bm25"].vectors == 0


def test_an_unknown_price_is_not_made_up():
    assert embedding_price("mine") is None
    given = costs_of(["openai"], rates=Rates(0.0, 2.0, "text-embedding-ada-002"))["openai"]
    assert given.dollars == pytest.approx(0.18)
    unknown = costs_of(["openai"], rates=Rates(0.0, None, "mine"))["openai"]
    assert (unknown.dollars, unknown.dimension, unknown.index_bytes) == (None, None, None)
    assert "an index" not in cost_sentence(unknown, 441)


def test_sentences_and_cells():
    costs = costs_of()
    assert cost_sentence(costs["bm25"], 441) == "It needs no vectors: an index of 144 kB, 0.2 ms per question here."
    assert cost_sentence(costs["tuned"], 441) == (
        "It takes embedding 441 chunks (1,160 windows, 91,234 tokens): about 20 s at 58 per second here; an index of 1.8 MB; "
        "9.6 ms per question."
    )
    assert "$0.01 for the API" in cost_sentence(costs["openai"], 441)
    assert cost_cells(costs["tuned"]) == ["1,160", "384", "91,234", "58", "20 s", "1.8 MB", "9.6 ms", "–"]


def test_a_base_model_behind_an_api_costs_money_and_no_speed_is_claimed():
    measured = replace(MEASURED, dense=replace(DENSE, vectors_per_second=None, query_ms=None))
    costs = costs_of(measured=measured, rates=Rates(embedding_price("text-embedding-3-small"), None, "mine"))
    assert costs["tuned"].dollars == pytest.approx(91_234 * 0.02 / 1e6)
    assert costs["fused"].index_bytes == costs["base"].index_bytes + 144_000
    assert cost_cells(costs["fused"]) == ["1,160", "384", "91,234", "–", "–", "1.9 MB", "–", "under $0.01"]
    assert cost_sentence(costs["tuned"], 441) == (
        "It takes embedding 441 chunks (1,160 windows, 91,234 tokens), under $0.01 for the API; an index of 1.8 MB."
    )


def test_a_model_that_no_system_uses_has_no_costs():
    assert costs_of(["bm25", "openai"], replace(MEASURED, dense=None))["bm25"].index_bytes == 144_000


def test_one_vector_per_token_is_told_from_one_per_window():
    dense = replace(DENSE, vectors=90_445, tokens=90_445, vectors_per_second=9_000.0)
    assert cost_sentence(costs_of(measured=replace(MEASURED, dense=dense))["tuned"], 441) == (
        "It takes embedding 441 chunks (90,445 tokens, each with a vector): about 10 s at 9,000 per second here; an index of "
        "139 MB; 9.6 ms per question."
    )


def test_what_was_not_tried_is_said_with_the_size_of_its_index():
    # 90,000 tokens x 384 numbers x 4 bytes
    assert untried_sentence(MEASURED).endswith("(retrieval=late), which takes an index of 138 MB.")
    assert untried_sentence(replace(MEASURED, dense=None)) == ""
