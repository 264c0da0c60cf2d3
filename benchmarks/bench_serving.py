"""A server against a bare encoder: 64 clients, 5,000 requests, none lost, none wrong, and how many a second.

    python benchmarks/bench_serving.py outputs/runs/NAME [--clients 64] [--requests 5000]

Each request embeds one question of the run's test, by HTTP. The bare encoder embeds the same questions in one call of
``SentenceTransformer.encode`` with the same batch size, before and after.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
import subprocess
import sys
import time
from itertools import cycle, islice
from pathlib import Path

import httpx
import numpy as np

from embft.serving.run_files import read_run

ROOT = Path(__file__).parents[1]
BATCH = 64


async def ask_all(url: str, texts: list[str], clients: int) -> tuple[float, list[list[float] | None]]:
    answers: list[list[float] | None] = [None] * len(texts)
    places = iter(range(len(texts)))

    async def client() -> None:
        async with httpx.AsyncClient(timeout=600) as http:
            for place in places:
                body = {"input": texts[place], "model": "tuned-query"}
                answer = await http.post(f"{url}/v1/embeddings", json=body)
                if answer.status_code == 200:
                    answers[place] = answer.json()["data"][0]["embedding"]

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return time.perf_counter() - started, answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--requests", type=int, default=5000)
    options = parser.parse_args()
    from sentence_transformers import SentenceTransformer

    run = read_run(options.run)
    texts = list(islice(cycle(run.test.queries.values()), options.requests))
    tuned = run.setup.tuned
    assert tuned is not None
    assert tuned.folder is not None
    model = SentenceTransformer(str(options.run / tuned.folder), device="cpu")

    def bare() -> tuple[float, np.ndarray]:
        started = time.perf_counter()
        vectors = model.encode(texts, prompt=tuned.query_prompt, batch_size=BATCH)
        return time.perf_counter() - started, vectors

    first, expected = bare()
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "scripts" / "serve.py"), str(options.run), "--port", "0", "--batch", str(BATCH),
         "--system", "tuned"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    printed = ""
    for line in server.stdout:
        printed += line
        if "/health" in line:
            break
    found = re.search(r"http://\S+", printed)
    assert found is not None, printed
    seconds, answers = asyncio.run(ask_all(found.group(), texts, options.clients))
    server.send_signal(signal.SIGTERM)
    server.wait()
    second, _ = bare()
    lost = sum(answer is None for answer in answers)
    wrong = sum(
        answer is not None and np.abs(np.array(answer) - row).max() > 1e-5
        for answer, row in zip(answers, expected, strict=True)
    )
    print(f"{options.clients} clients, {options.requests} requests: {lost} lost, {wrong} wrong")
    print(
        f"served {len(texts) / seconds:.0f} a second; bare encode {len(texts) / first:.0f} before, "
        f"{len(texts) / second:.0f} after"
    )


if __name__ == "__main__":
    main()
