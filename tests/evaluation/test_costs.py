import pytest

from embft.evaluation.costs import cost_cells, cost_sentence, costs_of, rate_of, untried_sentence

MEASURED = {
    "chunks": 441,
    "chunk_tokens": 90_000,
    "dense": {"vectors": 1160, "dimension": 384, "tokens": 91_234, "vectors_per_second": 58.0, "query_ms": 9.6},
    "bm25": {"index_bytes": 144_000, "query_ms": 0.2},
}
ALL = ("bm25", "base", "tuned", "fused", "openai")


def test_costs_by_hand():
    costs = costs_of(ALL, MEASURED, "text-embedding-ada-002", None)
    assert costs["base"]["embed_seconds"] == 20
    assert costs["base"]["index_bytes"] == 1160 * 384 * 4
    assert costs["fused"]["index_bytes"] == costs["base"]["index_bytes"] + 144_000
    assert costs["fused"]["query_ms"] == pytest.approx(9.8)
    assert costs["openai"]["dollars"] == pytest.approx(0.009)  # 90,000 tokens at 0.10 a million
    assert costs["bm25"]["vectors"] == 0


def test_a_price_that_is_given_goes_before_the_list_and_an_unknown_one_is_not_made_up():
    assert costs_of(["openai"], MEASURED, "text-embedding-ada-002", 2.0)["openai"]["dollars"] == pytest.approx(0.18)
    unknown = costs_of(["openai"], MEASURED, "mine", None)["openai"]
    assert (unknown["dollars"], unknown["dimension"], unknown["index_bytes"]) == (None, None, None)
    assert "an index" not in cost_sentence("openai", unknown, 441)


def test_sentences_and_cells():
    costs = costs_of(ALL, MEASURED, "text-embedding-ada-002", None)
    assert cost_sentence("bm25", costs["bm25"], 441) == (
        "It needs no vectors: an index of 144 kB, 0.2 ms a question here."
    )
    assert cost_sentence("tuned", costs["tuned"], 441) == (
        "It takes embedding 441 chunks (1,160 windows, 91,234 tokens): about 20 s at 58 a second here; an index of 1.8 MB; "
        "9.6 ms a question."
    )
    assert "$0.01 for the API" in cost_sentence("openai", costs["openai"], 441)
    assert cost_cells(costs["tuned"]) == ["1,160", "384", "91,234", "58", "20 s", "1.8 MB", "9.6 ms", "–"]


def test_a_base_model_behind_an_api_costs_money_and_no_speed_is_claimed():
    dense = {**MEASURED["dense"], "vectors_per_second": None, "query_ms": None}
    costs = costs_of(ALL, {**MEASURED, "dense": dense}, "mine", None, rate_of("text-embedding-3-small", None))
    assert costs["tuned"]["dollars"] == pytest.approx(91_234 * 0.02 / 1e6)
    assert costs["fused"]["index_bytes"] == costs["base"]["index_bytes"] + 144_000
    assert cost_cells(costs["fused"]) == ["1,160", "384", "91,234", "–", "–", "1.9 MB", "–", "under $0.01"]
    assert cost_sentence("tuned", costs["tuned"], 441) == (
        "It takes embedding 441 chunks (1,160 windows, 91,234 tokens), under $0.01 for the API; an index of 1.8 MB."
    )


def test_a_model_that_no_system_uses_has_no_costs():
    assert costs_of(["bm25", "openai"], {**MEASURED, "dense": None}, "x", None)["bm25"]["index_bytes"] == 144_000


def test_a_vector_a_token_is_told_from_a_vector_a_window():
    dense = {**MEASURED["dense"], "vectors": 90_445, "tokens": 90_445, "vectors_per_second": 9_000.0}
    costs = costs_of(ALL, {**MEASURED, "dense": dense}, "mine", None)
    assert cost_sentence("tuned", costs["tuned"], 441) == (
        "It takes embedding 441 chunks (90,445 tokens, each with a vector): about 10 s at 9,000 a second here; an index of "
        "139 MB; 9.6 ms a question."
    )


def test_what_was_not_tried_is_said_with_the_size_of_its_index():
    assert untried_sentence(MEASURED).endswith(
        "(retrieval=late), an index of 138 MB."
    )  # 90,000 tokens x 384 numbers x 4 bytes
    assert untried_sentence({**MEASURED, "dense": None}) == ""
