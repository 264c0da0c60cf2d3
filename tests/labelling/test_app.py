"""The page's server: who may ask, and what odd requests get."""

import pytest
from starlette.testclient import TestClient

from embft.config import RetrievalConfig
from embft.embedded_text import IndexedCorpus
from embft.labelling.app import make_app
from embft.labelling.labels import LabelFile
from embft.labelling.session import Session
from embft.labelling.source import LabelSource, Passage

TOKEN, PORT = "a-token", 4321
PAGE = {"Origin": f"http://127.0.0.1:{PORT}"}
TEXTS = {
    "milk": "Cold milk foams best. Hold the nozzle below the surface.",
    "lime": "When the orange light blinks, the boiler is full of lime. 🙂 Lime is dissolved by citric acid.",
    "zh": "本机保修期为两年。请保留购买发票。",
}


@pytest.fixture
def session(tmp_path):
    passages = {key: Passage(text, "manual.md", 3) for key, text in TEXTS.items()}
    source = LabelSource(
        "x",
        RetrievalConfig(name="windows"),
        passages,
        IndexedCorpus(TEXTS),
        ["get rid of lime", "保修期多长", "cables?"],
    )
    labels = LabelFile(tmp_path / "labels.jsonl", "ann")
    yield Session(source, labels)
    labels.close()


@pytest.fixture
def client(session):
    return TestClient(make_app(session, TOKEN, PORT), base_url=f"http://127.0.0.1:{PORT}")


def post(client, name, given, **headers):
    return client.post(f"/{TOKEN}/{name}", json=given, headers={**PAGE, **headers})


def test_a_question_comes_with_its_pool_and_the_words_that_it_shares(client):
    shown = client.get(f"/{TOKEN}/question", params={"at": 0}).json()
    assert shown["question"] == "get rid of lime"
    (chunk,) = shown["chunks"]
    assert (chunk["id"], chunk["document"], chunk["page"], chunk["grade"]) == ("lime", "manual.md", 3, None)
    assert [chunk["text"][start:end] for start, end in chunk["marks"]] == ["lime", "Lime"]
    chinese = client.get(f"/{TOKEN}/question", params={"at": 1}).json()["chunks"][0]
    assert "保修期" in {chinese["text"][start:end] for start, end in chinese["marks"]}


def test_what_is_judged_is_saved_and_counted(client, session):
    assert post(client, "judge", {"at": 0, "chunk": "lime", "grade": 3}).json()["overview"]["done"] == 1
    assert post(client, "nothing", {"at": 2}).json()["overview"]["done"] == 2
    assert session.labels.judgements == 1
    assert post(client, "undo", {}).json()["said"] == {"undone": "cables?", "at": 2}
    found = client.get(f"/{TOKEN}/search", params={"at": 2, "text": "milk"}).json()
    assert [passage["id"] for passage in found] == ["milk"]
    post(client, "pool", {"at": 2, "chunk": "milk"})
    assert [chunk["id"] for chunk in client.get(f"/{TOKEN}/question?at=2").json()["chunks"]] == ["milk"]


def test_a_written_question_says_how_far_its_words_give_it_away(client, session):
    assert post(client, "trace", {"chunk": "milk", "text": "how is foam made of cold milk"}).json()["rank"] == 1
    assert post(client, "trace", {"chunk": "milk", "text": "cappuccino"}).json()["rank"] is None
    assert post(client, "write", {"chunk": "milk", "text": " cappuccino\n like at the bar "}).status_code == 200
    assert session.labels.written == {"cappuccino like at the bar": "milk"}
    assert post(client, "write", {"chunk": "milk", "text": "cappuccino like at the bar"}).status_code == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": f"evil.example:{PORT}"}, 421),
        ({"Host": "127.0.0.1:80"}, 421),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_another_sites_page_can_neither_write_nor_read(client, session, headers, status):
    body = '{"at": 0, "chunk": "lime", "grade": 3}'
    own = {**PAGE, "Content-Type": "application/json", **headers}
    assert client.post(f"/{TOKEN}/judge", content=body, headers=own).status_code == status
    if "Content-Type" not in headers:
        assert client.get(f"/{TOKEN}/question?at=0", headers=headers).status_code == status
    assert session.labels.judgements == 0


def test_without_origin_nothing_is_written(client):
    assert client.post(f"/{TOKEN}/undo", json={}).status_code == 403


@pytest.mark.parametrize("path", ["/", "/wrong/", "/wrong/question?at=0", f"/{TOKEN}/nothing-here", f"/{TOKEN}/../x"])
def test_without_the_token_there_is_nothing(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("judge", b"{", "not JSON"),
        ("judge", b"[]", "no JSON object"),
        ("judge", b'{"at": 0, "chunk": "lime", "grade": 9}', "from 0 to 3"),
        ("judge", b'{"at": 0, "chunk": "lime", "grade": true}', "no whole number"),
        ("judge", b'{"at": 0, "chunk": "nowhere", "grade": 1}', "no such chunk"),
        ("judge", b'{"at": 99, "chunk": "lime", "grade": 1}', "no question 100"),
        ("judge", b'{"at": -1, "chunk": "lime", "grade": 1}', "no question"),
        ("write", b'{"chunk": "lime", "text": "  "}', "empty"),
        ("write", b'{"chunk": "lime", "text": "\\ud800 half"}', "half a character"),
        ("write", b'{"chunk": "lime", "text": "' + b"a" * 3000 + b'"}', "3,000 characters"),
        ("write", b'{"chunk": "lime", "text": "' + b"a" * 70_000 + b'"}', "bytes"),
        ("write", b"[" * 50_000, "not JSON"),
    ],
)
def test_odd_requests_are_answered_in_words(client, session, name, body, words):
    answer = client.post(f"/{TOKEN}/{name}", content=body, headers={**PAGE, "Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert words in answer.json()["error"]
    assert session.labels.judgements == 0


def test_the_page_runs_no_script_but_its_own(client):
    page = client.get(f"/{TOKEN}/")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["Referrer-Policy"] == "no-referrer"
