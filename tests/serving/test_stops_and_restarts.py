"""A server that is stopped or killed in the midst of many requests, and started anew: nothing is lost, nothing is wrong."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import openai
import pytest
from conftest_serving import Server, start

pytestmark = pytest.mark.slow
TEXTS = [f"{task} {thing}" for task in ("pay for", "find", "cancel") for thing in ("printer", "laptop", "contract")]


@pytest.fixture(scope="module")
def expected(finished: Path) -> dict[str, np.ndarray]:
    from sentence_transformers import SentenceTransformer

    vectors = SentenceTransformer(str(finished / "model"), device="cpu").encode(TEXTS)
    return dict(zip(TEXTS, vectors, strict=True))


def in_flight(running: Server) -> int:
    page = httpx.get(f"{running.url}/metrics", timeout=60).text
    found = re.search(r"^embft_in_flight (\d+)$", page, re.MULTILINE)
    assert found is not None
    return int(found.group(1)) - 1  # without the one that asks


def test_sigterm_in_the_midst_of_many_requests_answers_all_that_had_come(finished, tmp_path, expected):
    running = start(tmp_path / "log", str(finished), "--system", "tuned")
    texts = TEXTS * 12
    told: list[str] = []

    def ask(number: int) -> None:
        """One request on a connection of its own."""
        try:
            answer = httpx.post(f"{running.url}/v1/embeddings", json={"input": texts, "model": "x"}, timeout=120)
        except httpx.TransportError:  # it had not come yet when the server stopped listening
            told.append("no answer")
            return
        rows = [row["embedding"] for row in answer.json()["data"]] if answer.status_code == 200 else []
        right = len(rows) == len(texts) and all(
            np.abs(np.array(row) - expected[text]).max() < 1e-5 for text, row in zip(texts, rows, strict=True)
        )
        told.append("right" if right else f"{answer.status_code} {answer.text[:200]}")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(64)]
    for thread in threads:
        thread.start()
    answered, come, until = 0, 0, time.monotonic() + 60
    while come < 16 and time.monotonic() < until:
        answered, come = told.count("right"), in_flight(running)
    status, printed = running.end()
    for thread in threads:
        thread.join()
    assert (status, "every request that had come was answered" in printed) == (143, True)
    assert set(told) <= {"right", "no answer"}
    assert come >= 16
    assert told.count("right") >= answered + come


def test_clients_that_try_again_lose_nothing_when_the_server_is_killed_and_started_anew(finished, tmp_path, expected):
    running = start(tmp_path / "first", str(finished), "--system", "tuned")
    port = int(running.url.rpartition(":")[2])
    answered, again = threading.Semaphore(0), threading.Event()
    failed: list[Exception] = []

    asking = openai.OpenAI(base_url=f"{running.url}/v1", api_key="none", max_retries=0, timeout=60)

    def client(number: int) -> int:
        """Asks for all texts, one by one, until each is answered; returns how many vectors were right."""
        right = 0
        for text in TEXTS * 2:
            while True:
                try:
                    row = asking.embeddings.create(model="x", input=text).data[0].embedding
                    break
                except openai.APIConnectionError as error:
                    failed.append(error)
                    again.wait(120)
            right += bool(np.abs(np.array(row) - expected[text]).max() < 1e-5)
            answered.release()
        return right

    with ThreadPoolExecutor(16) as pool:
        counts = [pool.submit(client, number) for number in range(16)]
        for _ in range(60):
            answered.acquire()
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.join()
        anew = start(tmp_path / "again", str(finished), "--system", "tuned", port=port)
        again.set()  # nobody waits longer than it took
        assert [count.result() for count in counts] == [len(TEXTS) * 2] * 16
    assert failed
    assert anew.end()[0] == 143
