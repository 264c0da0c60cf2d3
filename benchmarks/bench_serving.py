"""A server against a bare encoder: 64 clients, 5,000 requests, none lost, none wrong, and how many a second.

    python benchmarks/bench_serving.py outputs/runs/NAME [--requests 5000] [--rounds 2] [--at-once] [--core 0] [--client-core 1]

Each request embeds one text, by HTTP, as OpenAI's client asks (base64). Texts are runs of words of the Python reference, all
different, as long as the questions that people asked about it. The bare encoder calls ``SentenceTransformer.encode`` for every 64
of them, as they come, as a server has to; with --at-once it gets all of them in one call, and sorts them by length, so that next
to nothing is padded. Server and bare encoder have one core, the same one, by turns; the clients have another. Processor time is
printed too: what other programs do at the same time does not count in it. The table of all rounds at the end is what stands in
benchmarks/results/serving.md.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import random
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from embft.corpus.python_reference import read_topics
from embft.serving.run_files import read_run

ROOT = Path(__file__).parents[1]
BATCH = 64
BARE = f"""
import json, sys, time
import numpy as np
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu")
texts = json.loads(open(sys.argv[2]).read())
model.encode(texts[:{BATCH}])
for line in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    size = len(texts) if sys.argv[5] == "at once" else {BATCH}
    parts = [texts[start : start + size] for start in range(0, len(texts), size)]
    vectors = np.concatenate([model.encode(part, prompt=sys.argv[3], batch_size={BATCH}) for part in parts])
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    np.save(sys.argv[4], vectors)
    print("took", wall, cpu, flush=True)
"""


def texts_of(count: int) -> list[str]:
    """Runs of words, all different, with the lengths of people's questions."""
    bundled = (ROOT / "embft" / "corpus" / "bundled").glob("python_reference.*.jsonl")
    asked = [json.loads(row)["question"] for file in sorted(bundled) for row in file.read_text("utf-8").splitlines()]
    lengths = [len(text.split()) for text in asked]
    words = re.findall(r"[A-Za-z]+", " ".join(text for _, text in sorted(read_topics().items())))
    draw, found = random.Random(0), dict[str, None]()
    while len(found) < count:
        start = draw.randrange(len(words) - 100)
        found[" ".join(words[start : start + draw.choice(lengths)])] = None
    return list(found)


@dataclass(frozen=True)
class Round:
    """One way to embed all texts.

    Attributes:
        seconds: By the clock.
        cpu: Of processor, of the server or of the bare encoder.
    """

    seconds: float
    cpu: float


async def ask_all(url: str, texts: list[str], clients: int) -> tuple[float, list[bytes | None], list[float]]:
    """Seconds, the body of each answer, None where there was none, and how long each was waited for."""
    place_of = urlsplit(url)
    assert place_of.hostname is not None
    answers: list[bytes | None] = [None] * len(texts)
    waited = [0.0] * len(texts)
    bodies = [
        json.dumps({"input": text, "model": "tuned-query", "encoding_format": "base64"}).encode() for text in texts
    ]
    places = iter(range(len(texts)))

    async def client() -> None:
        reader, writer = await asyncio.open_connection(place_of.hostname, place_of.port)
        for place in places:
            head = f"POST /v1/embeddings HTTP/1.1\r\nhost: {place_of.netloc}\r\ncontent-length: {len(bodies[place])}\r\n\r\n"
            sent = time.perf_counter()
            writer.write(head.encode() + bodies[place])
            got = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = re.search(rb"content-length: (\d+)", got)
            assert size is not None
            body = await reader.readexactly(int(size.group(1)))
            waited[place] = time.perf_counter() - sent
            if got.startswith(b"http/1.1 200"):
                answers[place] = body
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return time.perf_counter() - started, answers, waited


def cpu_of(pid: int) -> float:
    import psutil

    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def vector_of(body: bytes) -> np.ndarray:
    return np.frombuffer(base64.b64decode(json.loads(body)["data"][0]["embedding"]), np.float32)


def start_server(run: Path, on_core: list[str]) -> tuple[subprocess.Popen[str], str]:
    command = [str(ROOT / "scripts" / "serve.py"), str(run), "--port", "0", "--batch", str(BATCH), "--system", "tuned"]
    server = subprocess.Popen([*on_core, sys.executable, *command], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    printed = ""
    for line in server.stdout:
        printed += line
        if "/health" in line:
            break
    found = re.search(r"http://\S+", printed)
    assert found is not None, printed
    return server, found.group()


def measure(
    options: argparse.Namespace, texts: list[str], served_at: tuple[subprocess.Popen[str], str], bare: subprocess.Popen[str],
    vectors: Path,
) -> tuple[int, int, list[Round], list[Round], list[float]]:  # fmt: skip
    """Requests lost and answered wrongly, the rounds of both, and how long each answer was waited for."""
    server, url = served_at
    assert bare.stdin is not None
    assert bare.stdout is not None
    asyncio.run(ask_all(url, texts[: 2 * BATCH], options.clients))
    lost = wrong = 0
    served, alone, waits = list[Round](), list[Round](), list[float]()
    for number in range(1, options.rounds + 1):
        print("go", file=bare.stdin, flush=True)
        took = next(line for line in bare.stdout if line.startswith("took"))  # libraries print their own lines
        alone.append(Round(*map(float, took.split()[1:])))
        before = cpu_of(server.pid)
        seconds, answers, waited = asyncio.run(ask_all(url, texts, options.clients))
        served.append(Round(seconds, cpu_of(server.pid) - before))
        waits += waited
        print(
            f"round {number}: served {described(served[-1], len(texts))}; bare {described(alone[-1], len(texts))}",
            flush=True,
        )
        expected = np.load(vectors)
        lost += sum(answer is None for answer in answers)
        wrong += sum(
            answer is not None and np.abs(vector_of(answer) - row).max() > 1e-5
            for answer, row in zip(answers, expected, strict=True)
        )
    return lost, wrong, served, alone, waits


def described(one: Round, count: int) -> str:
    return f"{count / one.seconds:.1f} a second, {1000 * one.cpu / count:.2f} ms of processor each"


def table(served: list[Round], alone: list[Round], count: int) -> list[str]:
    """Each round, and the ratios of both by clock and by processor."""
    head = "| round | bare, a second | served, a second | times as fast | bare, ms of processor | served, ms | times as much |"
    rows = [
        f"| {number} | {count / bare.seconds:.1f} | {count / ours.seconds:.1f} | {bare.seconds / ours.seconds:.3f} "
        f"| {1000 * bare.cpu / count:.2f} | {1000 * ours.cpu / count:.2f} | {ours.cpu / bare.cpu:.3f} |"
        for number, (ours, bare) in enumerate(zip(served, alone, strict=True), 1)
    ]
    return [head, f"| --- |{' ---: |' * 6}", *rows]


def latencies(waits: list[float]) -> str:
    middle, most, nearly_all = (1000 * float(np.quantile(waits, share)) for share in (0.5, 0.95, 0.99))
    return f"An answer took {middle:.0f} ms (p50), {most:.0f} ms (p95), {nearly_all:.0f} ms (p99)."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--at-once", action="store_true")
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--client-core", type=int, default=1)
    options = parser.parse_args()
    os.sched_setaffinity(0, {options.client_core})
    os.environ["OMP_NUM_THREADS"] = "1"
    on_core = ["taskset", "-c", str(options.core)]
    tuned = read_run(options.run).setup.tuned
    assert tuned is not None
    assert tuned.folder is not None
    texts = texts_of(options.requests)
    work = Path(f"/tmp/bench_serving.{os.getpid()}")
    work.mkdir()
    (work / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    model = str(options.run / tuned.folder)
    command = [model, str(work / "texts.json"), tuned.query_prompt or "", str(work / "v.npy")]
    command.append("at once" if options.at_once else "as they come")
    bare = subprocess.Popen(
        [*on_core, sys.executable, "-c", BARE, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    started = [bare]
    try:
        server, url = start_server(options.run, on_core)
        started.append(server)
        lost, wrong, served, alone, waits = measure(options, texts, (server, url), bare, work / "v.npy")
    finally:
        for process in started:
            process.terminate()
            process.wait()
    print(f"{options.clients} clients, {options.rounds} times {options.requests} requests: {lost} lost, {wrong} wrong")
    print("\n".join(["", *table(served, alone, len(texts)), "", latencies(waits)]))


if __name__ == "__main__":
    main()
