import json
from pathlib import Path

import numpy as np
import pytest
from werkzeug import Request, Response

from embft.config import EndpointConfig
from embft.errors import EndpointError
from embft.models.embeddings_endpoint import EndpointEncoder

KEY = "sk-sentinel-4711"


@pytest.fixture
def server(httpserver, monkeypatch):
    monkeypatch.setenv("EMBFT_TEST_KEY", KEY)
    return httpserver


def config(server, **changes) -> EndpointConfig:
    settings = {"base_url": server.url_for("/v1"), "api_key_env": "EMBFT_TEST_KEY", "max_retries": 2}
    return EndpointConfig(**{**settings, **changes})


def answer(request: Request) -> Response:
    body = json.loads(request.data)
    data = [
        {"object": "embedding", "index": index, "embedding": [float(len(text)), float(index)]}
        for index, text in enumerate(body["input"])
    ]
    reply = {
        "object": "list",
        "data": data[::-1],
        "model": body["model"],
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }
    return Response(json.dumps(reply), content_type="application/json")


def test_vectors_come_in_the_order_of_the_texts_whatever_the_batches(server):
    server.expect_request("/v1/embeddings").respond_with_handler(answer)
    encoder = EndpointEncoder(config(server, batch_size=2))
    vectors = encoder.encode_passages(["a", "bb", "ccc", ""])
    assert vectors[:, 0].tolist() == [1, 2, 3, 1]
    assert vectors.dtype == np.float32
    assert len(server.log) == 2
    assert server.log[0][0].headers["Authorization"] == f"Bearer {KEY}"


def test_questions_may_have_a_model_of_their_own(server):
    server.expect_request("/v1/embeddings").respond_with_handler(answer)
    encoder = EndpointEncoder(config(server, model="e5-passage", query_model="e5-query"))
    encoder.encode_questions(["a"])
    assert json.loads(server.log[0][0].data)["model"] == "e5-query"
    assert encoder.query_identity != encoder.document_identity


def test_a_text_beyond_the_limit_is_cut_and_counted(server):
    server.expect_request("/v1/embeddings").respond_with_handler(answer)
    encoder = EndpointEncoder(config(server, max_tokens=16))
    assert encoder.encode_passages(["x" * 100])[0, 0] == 32
    assert encoder.read_ends(["x" * 100, "y"]) == [32, 1]


def test_a_busy_server_is_asked_again(server):
    server.expect_ordered_request("/v1/embeddings").respond_with_data("{}", 429, headers={"Retry-After": "0"})
    server.expect_ordered_request("/v1/embeddings").respond_with_handler(answer)
    assert EndpointEncoder(config(server)).encode_passages(["a"]).shape == (1, 2)


@pytest.mark.parametrize(
    ("status", "says"),
    [(401, r"refused the key in \$EMBFT_TEST_KEY"), (404, "has no embedding model"), (500, "answered 500")],
)
def test_refusals_are_said_without_the_key(server, status, says):
    server.expect_request("/v1/embeddings").respond_with_json({"error": {"message": f"bad key {KEY}"}}, status=status)
    with pytest.raises(EndpointError, match=says) as caught:
        EndpointEncoder(config(server, max_retries=0)).encode_passages(["a"])
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_missing_key_names_its_variable_and_the_ways_out(server, monkeypatch):
    monkeypatch.delenv("EMBFT_TEST_KEY")
    with pytest.raises(EndpointError, match=r"EMBFT_TEST_KEY, which is not set.*evaluation\.openai\.api_key_env"):
        EndpointEncoder(config(server)).encode_passages(["a"])


def test_no_connection_is_said():
    closed = EndpointConfig(base_url="http://127.0.0.1:9/v1", api_key_env=None, max_retries=0)
    with pytest.raises(EndpointError, match="cannot be reached"):
        EndpointEncoder(closed).encode_passages(["a"])


def test_an_endpoint_without_keys_needs_none(server):
    server.expect_request("/v1/embeddings").respond_with_handler(answer)
    assert EndpointEncoder(config(server, api_key_env=None)).encode_passages(["a"]).shape == (1, 2)


def test_the_key_is_not_in_what_the_encoder_shows(server, tmp_path: Path):
    server.expect_request("/v1/embeddings").respond_with_handler(answer)
    encoder = EndpointEncoder(config(server))
    encoder.encode_passages(["a"])
    assert KEY not in repr(encoder.__dict__["_config"])


def test_the_same_endpoint_has_one_fingerprint_and_another_model_or_address_has_another():
    def fingerprint(**changes) -> str:
        return EndpointEncoder(EndpointConfig(**changes)).fingerprint

    assert fingerprint() == fingerprint(batch_size=3, api_key_env=None)
    assert (
        len({fingerprint(), fingerprint(model="m"), fingerprint(query_model="m"), fingerprint(base_url="http://a")})
        == 4
    )


def test_prompts_stand_before_what_is_sent_and_count_against_the_limit(server):
    server.expect_request("/v1/embeddings").respond_with_handler(answer)
    encoder = EndpointEncoder(config(server, max_tokens=16), query_prompt="query: ", document_prompt="passage: ")
    encoder.encode_questions(["a"])
    encoder.encode_passages(["b"])
    assert [json.loads(entry[0].data)["input"] for entry in server.log] == [["query: a"], ["passage: b"]]
    assert encoder.read_ends(["x" * 100]) == [32 - len("passage: ")]


def test_as_many_tokens_as_are_usable_are_sent_whole():
    encoder = EndpointEncoder(EndpointConfig(max_tokens=64))
    text = "ninechars " * encoder.usable_tokens()
    assert encoder.read_ends([text]) == [len(text)]
    assert len(encoder.token_spans([text])[0]) == encoder.usable_tokens() == 12


def test_what_is_wrong_names_the_setting_that_mends_it(server, monkeypatch):
    monkeypatch.delenv("EMBFT_TEST_KEY")
    with pytest.raises(
        EndpointError, match=r"^model\.endpoint needs a key.*model\.endpoint\.api_key_env.*model=minilm"
    ):
        EndpointEncoder(config(server), setting="model.endpoint").require_key()
