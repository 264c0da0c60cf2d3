"""The server as its clients meet it: OpenAI's package, plain HTTP, many at once, signals."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import openai
import pytest
from conftest_serving import TOKEN, start

from embft.config import RANK_METRICS
from embft.evaluation.metrics import dataset_scores
from embft.records import Ranking
from embft.serving.command import main
from embft.serving.run_files import read_run

pytestmark = pytest.mark.slow

KEY = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def client(server) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key=TOKEN, max_retries=0)


def test_a_client_of_ada_switches_by_its_base_url(client, finished):
    from sentence_transformers import SentenceTransformer

    texts = ["pay for the printer", "cancel a contract"]
    answer = client.embeddings.create(model="text-embedding-ada-002", input=texts)
    expected = SentenceTransformer(str(finished / "model"), device="cpu").encode(texts)
    assert np.abs(np.array([row.embedding for row in answer.data]) - expected).max() < 1e-6
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == 6 + 5
    plain = client.embeddings.create(model="tuned", input=texts[0], encoding_format="float")
    assert np.abs(np.array(plain.data[0].embedding) - expected[0]).max() < 1e-6


def test_the_report_s_figures_come_out_of_search(server, finished):
    run = read_run(finished)
    for system in ("bm25", "base", "tuned", "fused"):
        body = {"queries": list(run.test.queries.values()), "system": system, "top_k": 100, "text": False}
        answer = httpx.post(f"{server.url}/search", json=body, headers=KEY, timeout=60).json()
        ids = {
            key: tuple(hit["id"] for hit in row["hits"])
            for key, row in zip(run.test.queries, answer["results"], strict=True)
        }
        scores = dataset_scores(Ranking(system, "", ids, {}), run.test)
        for metric in RANK_METRICS:  # what is read of the chunks' text is answer@N's
            assert scores[metric].mean() == pytest.approx(run.setup.figures[system][metric], abs=1e-6)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"input": [[1, 2]]}, "token numbers"),
        ({"input": [3]}, "token numbers"),
        ({"input": " "}, "is empty"),
        ({"input": ["a", None]}, r"input\[1\] is no text"),
        ({"input": []}, "neither a text nor a list"),
        ({"input": ["a"] * 2049}, "2,048 may come"),
        ({"input": "a", "dimensions": 7}, "no vectors of 7 numbers"),
        ({"input": "a", "dimensions": True}, "no vectors of True numbers"),
        ({"input": "a", "encoding_format": "int8"}, "only float and base64"),
        ({"input": "a", "model": "tuned-qury"}, "Did you mean 'tuned-query'"),
        ({"input": "a", "input_type": "poem"}, "only query and document"),
    ],
)
def test_bad_requests_for_vectors_are_refused_in_words(server, body, said):
    answer = httpx.post(f"{server.url}/v1/embeddings", json=body, headers=KEY)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert re.search(said, error["message"]), error["message"]


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (b"{", 400, "no JSON"),
        (b"[]", 400, "no JSON object"),
        (b'{"query": "a", "system": "fuzed"}', 400, "has no system 'fuzed'"),
        (b'{"query": "a", "tpo_k": 3}', 400, "Did you mean 'top_k'"),
        (b'{"query": "a", "top_k": 0}', 400, "from 1 to 100"),
        (b'{"query": "a", "exclude": ["x"]}', 400, "no chunk here"),
        (b'{"query": "\\ud800"}', 400, "half of a character"),
        (b'{"query": "a", "queries": ["a"]}', 400, "Give either"),
        (b"[" * 100_000, 400, "no JSON"),
        (b'{"query": "' + b"a" * (1 << 20) + b'"}', 413, "more than 1,048,576 bytes"),
    ],
)
def test_bad_searches_are_refused_in_words(server, content, status, said):
    answer = httpx.post(f"{server.url}/search", content=content, headers=KEY)
    assert (answer.status_code, said in answer.json()["error"]["message"]) == (status, True), answer.text


def test_without_the_token_nobody_gets_in_but_health(server):
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"}):
        assert httpx.get(f"{server.url}/metrics", headers=headers).status_code == 401
        assert httpx.post(f"{server.url}/search", json={"query": "a"}, headers=headers).status_code == 401
    assert httpx.get(f"{server.url}/health").json()["status"] == "ok"
    assert TOKEN not in httpx.get(f"{server.url}/metrics", headers=KEY).text


def test_many_clients_get_their_own_answers_in_shared_batches(server, client):
    texts = [f"pay for {thing} {number}" for number in range(40) for thing in ("printer", "laptop", "contract")]
    alone = {text: client.embeddings.create(model="x", input=text).data[0].embedding for text in texts[:3]}

    def ask(place: int) -> bool:
        text = texts[place % 3]
        vector = client.embeddings.create(model="x", input=text).data[0].embedding
        return bool(np.abs(np.array(vector) - np.array(alone[text])).max() < 1e-6)

    with ThreadPoolExecutor(32) as pool:
        assert all(pool.map(ask, range(300)))
    page = httpx.get(f"{server.url}/metrics", headers=KEY).text
    rows = dict(line.rsplit(" ", 1) for line in page.splitlines() if line.startswith("embft_batch_size_"))
    assert float(rows["embft_batch_size_sum"]) > float(rows["embft_batch_size_count"])
    assert 'embft_requests_total{path="/v1/embeddings",status="200"}' in page


def test_sigterm_finishes_what_has_come_and_a_new_start_answers_alike(finished, tmp_path):
    running = start(tmp_path / "first", str(finished))
    ask = {"queries": ["pay for the printer", "find my contract"] * 400, "system": "fused", "top_k": 3}
    answers = []
    thread = threading.Thread(target=lambda: answers.append(httpx.post(f"{running.url}/search", json=ask, timeout=120)))
    thread.start()
    while not answers and "embft_in_flight 2" not in httpx.get(f"{running.url}/metrics", timeout=60).text:
        pass
    status, printed = running.end()
    thread.join()
    assert status == 143
    assert "every request that had come was answered" in printed
    assert answers[0].status_code == 200
    again = start(tmp_path / "again", str(finished))
    assert httpx.post(f"{again.url}/search", json=ask, timeout=120).json() == answers[0].json()
    again.process.kill()  # no farewell, and nothing left behind that hinders the next start
    again.process.join()


@pytest.mark.parametrize(
    ("arguments", "token", "said"),
    [
        (["nowhere", "--port", "0"], None, "There is no folder"),
        (["RUN", "--port", "0", "--system", "fuzed"], None, "has no system 'fuzed'"),
        (["RUN", "--host", "0.0.0.0"], None, "there is no token"),
        (["RUN", "--host", "example"], None, "no IP address"),
        (["RUN"], "short", "16 characters at least"),
        (["RUN", "--port", "TAKEN"], None, "give another --port"),
    ],
)
def test_mistakes_in_the_command_are_said_in_words(finished, server, monkeypatch, capsys, arguments, token, said):
    taken = server.url.rpartition(":")[2]
    typed = [str(finished) if item == "RUN" else taken if item == "TAKEN" else item for item in arguments]
    if token:
        monkeypatch.setenv("EMBFT_SERVE_TOKEN", token)
    assert main(typed) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert token is None or token not in printed


def test_search_json_is_described_by_the_run_itself(finished):
    setup = json.loads((finished / "search.json").read_text(encoding="utf-8"))
    metrics = json.loads((finished / "metrics.json").read_text(encoding="utf-8"))
    assert setup["fusion"]["weight"] == metrics["fusion"]["weight"]
    assert setup["chunks"] == 24
    assert setup["tuned"]["folder"] == "model"
    assert str(finished) not in (finished / "search.json").read_text(encoding="utf-8")
