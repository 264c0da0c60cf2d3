"""A rerank API that answers in every dialect, and oddly: each ends in right scores or in words, and nothing odd is kept."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from fault_server import Answer, serving

from embft.config.reranking import RerankApiConfig
from embft.embedded_text import IndexedCorpus
from embft.errors import EndpointError
from embft.models.rerank_service import RerankService
from embft.retrieval.api_reranker import ApiReranker
from embft.retrieval.candidates import Candidates
from embft.retrieval.score_cache import ScoreCache

KEY = "sk-sentinel-7741-never-shown"
TEXTS = ["three", "one", "two"]
WORTH = {"one": 0.9, "two": 0.5, "three": -0.1}
RIGHT = [-0.1, 0.9, 0.5]


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("EMBFT_TEST_KEY", KEY)


def service(url, **settings):
    return RerankService(
        RerankApiConfig(
            **{
                "model": "m",
                "base_url": url,
                "api_key_env": "EMBFT_TEST_KEY",
                "max_retries": 0,
                "timeout_seconds": 5,
                **settings,
            }
        )
    )


def rows(texts, score="relevance_score"):
    """Best first, as servers give them."""
    return sorted(({"index": at, score: WORTH[text]} for at, text in enumerate(texts)), key=lambda row: -row[score])


def cohere(body, count):
    return Answer({"id": "1", "results": rows(body["documents"]), "meta": {"billed_units": {"search_units": 1}}})


def jina(body, count):
    echoed = [{**row, "document": {"text": body["documents"][row["index"]]}} for row in rows(body["documents"])]
    return Answer({"model": "m", "results": echoed, "usage": {"total_tokens": 1000}})


def voyage(body, count):
    if set(body) - {"query", "documents", "model"}:
        return Answer({"detail": "Argument not supported by our API."}, status=400)
    return Answer({"object": "list", "data": rows(body["documents"]), "usage": {"total_tokens": 20}})


def tei(body, count):
    if "texts" not in body:
        return Answer(
            {"error": "Failed to deserialize the JSON body: missing field `texts`", "error_type": "Validation"},
            status=422,
        )
    if len(body["texts"]) > 2:
        return Answer({"error": "batch size 3 > maximum allowed batch size 2", "error_type": "Validation"}, status=422)
    return Answer(rows(body["texts"], "score"))


def best_only(body, count):
    return Answer({"results": rows(body["documents"])[: body.get("top_n", 2)]})


@pytest.mark.parametrize("server", [cohere, jina, voyage, tei, best_only])
def test_every_dialect_gives_the_scores_in_the_order_of_the_texts(server):
    with serving(server) as (url, _):
        ranked = service(url)
        for _ in range(2):
            (scores,) = ranked.scores([("question", TEXTS)])
            assert np.allclose(scores, RIGHT)


def result(*pairs):
    return {"results": [{"index": index, "relevance_score": score} for index, score in pairs]}


ODD = {
    "index out of range": (result((0, 1), (1, 2), (3, 3)), "gave a score for 3, where texts are numbered from 0 to 2"),
    "negative index": (result((0, 1), (1, 2), (-1, 3)), "gave a score for -1"),
    "index is text": (result((0, 1), (1, 2), ("2", 3)), "gave a score for '2'"),
    "index is true": (result((0, 1), (True, 2), (2, 3)), "gave a score for True"),
    "no index": ({"results": [{"relevance_score": 1}] * 3}, "gave a score for no index"),
    "double": (result((0, 1), (1, 2), (1, 3)), "gave two scores for text 1"),
    "missing": (result((0, 1), (1, 2)), "gave scores for 2 of 3 texts"),
    "none": ({"results": []}, "gave scores for 0 of 3 texts"),
    "NaN": (b'{"results": [{"index": 0, "relevance_score": NaN}]}', "no finite number for text 0"),
    "infinite": (b'{"results": [{"index": 0, "relevance_score": 1e999}]}', "no finite number for text 0"),
    "huge": (b'{"results": [{"index": 0, "relevance_score": 1' + b"0" * 400 + b"}]}", "no finite number for text 0"),
    "null": (result((0, None)), "gave NoneType in place of a score"),
    "text": (result((0, "0.5")), "gave str in place of a score"),
    "true": (result((0, True)), "gave bool in place of a score"),
    "HTML": (b"<html><title>Sign in</title></html>", "no JSON: Sign in"),
    "empty": (b"", "no JSON"),
    "a null": (b"null", "without a list of scores"),
    "words": ({"error": {"message": "overloaded"}}, "without a list of scores, but said: overloaded"),
    "rows are texts": ({"results": ["a", "b", "c"]}, "no index"),
    "nested": (b"[" * 100_000, "no JSON"),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_answers_end_in_words_and_are_not_kept(tmp_path, name):
    body, words = ODD[name]
    corpus = IndexedCorpus(dict(zip("abc", TEXTS, strict=True)))
    asked = [Candidates("question", ("a", "b", "c"), corpus)]
    cache = ScoreCache(tmp_path / "scores.sqlite")
    with serving(lambda request, count: Answer(body)) as (url, seen):
        with pytest.raises(EndpointError) as raised:
            cache.scores(ApiReranker(service(url)), asked)
        assert words in str(raised.value)
        assert KEY not in str(raised.value)
        assert 2 <= len(seen.requests) <= 3  # asked once more, and no further
    with serving(cohere) as (other, _):
        honest = service(other)
        honest._config.base_url = other
        (scores,) = cache.scores(ApiReranker(honest), asked)
        assert np.allclose(scores, RIGHT)


@pytest.mark.parametrize(
    ("status", "said", "words"),
    [
        (401, f"bad key {KEY}", "refused the key in $EMBFT_TEST_KEY"),
        (404, "Not Found", "has no /rerank at this address"),
        (404, "model 'm' not found", "has no reranker 'm'"),
        (402, "no credit", "Check the account"),
        (400, "model m is not supported", "Check evaluation.reranker.api.model"),
        (500, "out of memory", "tried 1 times"),
        (302, "", "has moved"),
    ],
)
def test_refusals_name_what_to_change_and_never_the_key(status, said, words):
    with serving(lambda request, count: Answer({"message": said}, status=status)) as (url, _):
        with pytest.raises(EndpointError) as raised:
            service(url).scores([("q", TEXTS)])
        assert words in str(raised.value)
        assert KEY not in str(raised.value)


def test_a_slow_server_and_none_at_all_end_in_words():
    with (
        serving(lambda request, count: Answer({}, wait=3)) as (url, _),
        pytest.raises(EndpointError, match="timeout_seconds"),
    ):
        service(url, timeout_seconds=0.3).scores([("q", TEXTS)])
    with pytest.raises(EndpointError, match="cannot be reached"):
        service("http://127.0.0.1:9/v1").scores([("q", TEXTS)])


def test_a_key_that_is_not_set_and_a_cap_without_a_price_are_said_before_anything_is_asked(monkeypatch):
    with pytest.raises(EndpointError, match="max_cost_usd needs a price"):
        ApiReranker(service("http://127.0.0.1:9/v1", max_cost_usd=1.0)).check()
    monkeypatch.delenv("EMBFT_TEST_KEY")
    with pytest.raises(EndpointError, match="kind=late, which needs no API"):
        ApiReranker(service("http://127.0.0.1:9/v1")).check()


def test_caps_stop_before_they_are_passed_and_what_was_paid_for_is_not_asked_again(tmp_path):
    corpus = IndexedCorpus(dict(zip("abc", TEXTS, strict=True)))
    asked = [Candidates(f"question {number}", ("a", "b", "c"), corpus) for number in range(20)]
    cache = ScoreCache(tmp_path / "scores.sqlite")
    with serving(cohere) as (url, seen):
        price = {"price_per_thousand_requests": 2.0, "concurrency": 1}
        with pytest.raises(EndpointError, match=r"would pass evaluation.reranker.api.max_cost_usd=0\.0261"):
            cache.scores(ApiReranker(service(url, max_cost_usd=0.0261, **price)), asked)
        assert len(seen.requests) == 13
        with pytest.raises(EndpointError, match=r"max_requests=5"):
            cache.scores(ApiReranker(service(url, max_requests=5, **price)), asked)
        # All thirteen of the first try are stored, within a block too, and five more.
        assert len(seen.requests) == 18
        assert len(cache.scores(ApiReranker(service(url, **price)), asked)) == 20
        assert len({body["query"] for body in seen.bodies}) == 20
        before = len(seen.requests)
        cache.scores(ApiReranker(service(url, **price)), asked)
        assert len(seen.requests) == before


def test_a_question_that_fails_costs_none_of_the_scores_of_the_others(tmp_path):
    corpus = IndexedCorpus(dict(zip("abc", TEXTS, strict=True)))
    asked = [Candidates(f"question {number}", ("a", "b", "c"), corpus) for number in range(12)]
    cache = ScoreCache(tmp_path / "scores.sqlite")

    def fails_once(body, count):
        return Answer({"message": "overloaded"}, status=500) if body["query"] == "question 5" else cohere(body, count)

    with serving(fails_once) as (url, seen), pytest.raises(EndpointError, match="All scores that came are kept"):
        cache.scores(ApiReranker(service(url, concurrency=3)), asked)
    answered = {body["query"] for body in seen.bodies} - {"question 5"}
    assert {f"question {number}" for number in range(5)} <= answered
    with serving(cohere) as (other, again):
        honest = service(url, concurrency=3)
        honest.open = lambda: service(other, concurrency=3).open()
        assert len(cache.scores(ApiReranker(honest), asked)) == 12
        assert not answered & {body["query"] for body in again.bodies}


def test_money_is_counted_by_requests_or_by_the_tokens_that_the_server_names():
    with serving(jina) as (url, _):
        by_tokens, by_requests = (
            service(url, price_per_million_tokens=20.0),
            service(url, price_per_thousand_requests=2.0),
        )
        by_tokens.scores([("q", TEXTS)])
        by_requests.scores([("q", TEXTS), ("r", TEXTS)])
    assert by_tokens.usd == pytest.approx(0.02)
    assert by_requests.usd == pytest.approx(0.004)


def test_questions_that_go_out_at_once_all_learn_the_servers_form():
    """The answers to the first form come when another question has learnt the second one already."""
    together = threading.Barrier(4, timeout=5)

    def slow(body, count):
        if "texts" not in body:
            together.wait()
        return tei(body, count)

    with serving(slow) as (url, _):
        scores = service(url, batch_size=2, concurrency=4).scores([(f"question {at}", TEXTS[:2]) for at in range(4)])
    assert [list(map(float, own)) for own in scores] == [pytest.approx([-0.1, 0.9])] * 4
