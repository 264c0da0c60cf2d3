"""An API inside of a `SentenceTransformer` that is saved and loaded."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from werkzeug import Request, Response

from embft.config import EndpointConfig
from embft.errors import EndpointError
from embft.models.embeddings_endpoint import EndpointEncoder

KEY = "sk-sentinel-4711"


@pytest.fixture
def saved(httpserver, monkeypatch, tmp_path):
    def answer(request: Request) -> Response:
        body = json.loads(request.data)
        data = [
            {"object": "embedding", "index": at, "embedding": [float(len(text)), 1.0]}
            for at, text in enumerate(body["input"])
        ]
        return Response(
            json.dumps({"object": "list", "data": data, "model": body["model"]}), 200, None, "application/json"
        )

    monkeypatch.setenv("EMBFT_TEST_KEY", KEY)
    httpserver.expect_request("/v1/embeddings").respond_with_handler(answer)
    config = EndpointConfig(
        "passages", httpserver.url_for("/v1"), "EMBFT_TEST_KEY", query_model="questions", price_per_million_tokens=3.0
    )
    EndpointEncoder(config).as_module().save_pretrained(str(tmp_path / "model"), create_model_card=False)
    return tmp_path / "model"


def load(folder) -> SentenceTransformer:
    return SentenceTransformer(str(folder), device="cpu", trust_remote_code=True)


def test_it_gives_the_endpoints_vectors_in_order_each_side_by_its_own_model(saved, httpserver):
    model = load(saved)
    assert model.encode_document(["aaa", "b", "cc"]).tolist() == [[3, 1], [1, 1], [2, 1]]
    assert model.encode_query(["a"], prompt="query: ").tolist() == [[8, 1]]
    assert model.encode("ab").dtype == np.float32
    asked = [json.loads(entry[0].data) for entry in httpserver.log]
    assert [body["model"] for body in asked] == ["passages", "questions", "passages"]
    assert asked[1]["input"] == ["query: a"]


def test_its_folder_names_the_keys_variable_and_holds_no_key(saved):
    (settings,) = (json.loads(path.read_text()) for path in saved.glob("*EndpointModule/config.json"))
    assert settings["api_key_env"] == "EMBFT_TEST_KEY"
    assert "price_per_million_tokens" not in settings
    load(saved).encode(["a"])
    assert not [path for path in saved.rglob("*") if path.is_file() and KEY in path.read_text(errors="replace")]


def test_it_loads_without_a_key_and_says_what_is_missing_when_it_is_asked(saved, monkeypatch):
    monkeypatch.delenv("EMBFT_TEST_KEY")
    model = load(saved)
    with pytest.raises(EndpointError, match="needs a key in the environment variable EMBFT_TEST_KEY"):
        model.encode(["a"])
