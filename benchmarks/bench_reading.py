"""How long it takes to read and to chunk text of each kind, of 1 MB and of 8 MB: reading is linear where the factor is near 8.

Processor seconds of the process (``time.process_time``), so that other work on the machine counts little. Each reading
runs in a process of its own, forked from one that has imported everything. Small files are read before and after each
large one and all readings count: a machine that is slow for a while is slow for both. (The best of several would favour
small files, which more often meet a quick moment.) A file is at least as large as the heading says, in bytes of UTF-8.

python benchmarks/bench_reading.py            # 1 and 8 MB, two rounds: half an hour
python benchmarks/bench_reading.py 0.25 2     # smaller
python benchmarks/bench_reading.py 1 8 Chinese.txt rows.jsonl    # these alone
"""

from __future__ import annotations

import csv
import gc
import io
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import fmean

from embft.config import CorpusConfig
from embft.corpus.chunking import chunk_pages
from embft.corpus.documents import read_documents
from embft.corpus.python_reference import read_topics, reference_pages

ROUNDS = 2
SMALL_READINGS = 3  # of the small file before, and as many after each reading of the large one
ENCODINGS = {
    "Chinese in GBK.txt": "gbk",
    "German in Windows-1252.txt": "cp1252",
    "UTF-16 without a mark.txt": "utf-16-le",
}
SHORTEST = 0.05  # seconds; what takes less at the large size has no factor


def texts(size: int) -> dict[str, str]:
    """A text of some ``size`` characters for each kind of file, by its name."""
    generator = random.Random(7)
    pages, _, _ = reference_pages(read_topics())
    prose = " ".join(" ".join(page.text for page in pages).split())
    prose = (prose * (size // len(prose) + 1))[:size]
    lines = [prose[start : start + 78] for start in range(0, size, 78)]
    paragraphs = [prose[start : start + 600] for start in range(0, size, 600)]
    table = io.StringIO()
    csv.writer(table).writerows([("title", "text"), *(("A title", paragraph) for paragraph in paragraphs)])
    halves = [(line[:39], line[39:]) for line in lines]
    sentence = "潮汐每天涨落两次，因为月球的引力拉动海水。"
    return {
        "paragraphs.txt": "\n\n".join(paragraphs),
        "lines without a blank one.txt": "\n".join(lines),
        "log.log": "\n".join(
            f"2026-11-26 20:{i % 60:02d} INFO worker-{i % 7} request {i} took {generator.random():.3f} s"
            for i in range(size // 58)
        ),
        "one line.txt": prose,
        "no spaces.txt": "".join(generator.choices("ABCDEFabcdef0123456789+/", k=size)),
        "Chinese.txt": sentence * (size // len(sentence.encode())),
        "blank lines.txt": "a" + "\n" * size + "b",
        "paragraphs.md": "\n\n".join(f"## Heading\n\n{p[:300]}\n\n- {p[300:450]}\n- {p[450:]}" for p in paragraphs),
        "lines without a blank one.md": "\n".join(lines),
        "components.mdx": "import A from 'a';\n\n" + "\n\n".join(f"<A>\n\n{p}\n\n</A>" for p in paragraphs),
        "paragraphs.html": "".join(f"<h2>Heading</h2><p>{p}</p>" for p in paragraphs),
        "nested.html": "<div>" * (size // 5) + prose[:1000],
        "rows.csv": table.getvalue(),
        "rows.jsonl": "\n".join(json.dumps({"text": p}) for p in paragraphs),
        "wide table.html": "<table>" + "".join(f"<tr><td>{a}</td><td>{b}</td></tr>" for a, b in halves) + "</table>",
        "one line.html": f"<p>{prose}</p>",
        "lists in lists.md": "\n".join("  " * (i % 12) + f"- {line}" for i, line in enumerate(lines)),
        "one line.md": prose,
        "table.md": "| a | b |\n| --- | --- |\n" + "\n".join(f"| {a} | {b} |" for a, b in halves),
        "manual.rst": "\n\n".join(f"Heading\n=======\n\n* {p[:300]}\n* {p[300:]}" for p in paragraphs),
        "Chinese in GBK.txt": sentence * (size // len(sentence.encode("gbk"))),
        "German in Windows-1252.txt": "\n\n".join(f"Übergröße – {p}" for p in paragraphs),
        "UTF-16 without a mark.txt": "\n".join(line for line in lines[: len(lines) // 2]),
        "chunks.jsonl": "\n".join(json.dumps({"id": i, "text": p}) for i, p in enumerate(paragraphs)),
        "chunks.csv": "id,text\n" + "\n".join(f'{i},"{p.replace(chr(34), chr(39))}"' for i, p in enumerate(paragraphs)),
    }


def seconds(name: str, text: str) -> tuple[float, float]:
    """Processor seconds of reading and of chunking, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(text.encode(ENCODINGS.get(name, "utf-8"), "replace"))
        receiver, sender = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.get_context("fork").Process(target=_read_and_chunk, args=(path, sender))
        process.start()
        sender.close()
        measured: tuple[float, float] = receiver.recv()
        process.join()
        return measured


def _read_and_chunk(path: Path, sender: Connection) -> None:
    started = time.process_time()
    kind = "chunks" if path.name.startswith("chunks") else "files"
    pages, chunks, _ = read_documents(CorpusConfig(name=kind, path=str(path)), path.parent / "cache")
    read = time.process_time()
    if chunks is None:
        chunk_pages(pages, 256)
    sender.send((read - started, time.process_time() - read))


def averages(runs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Mean seconds of reading and of chunking."""
    return fmean(read for read, _ in runs), fmean(chunk for _, chunk in runs)


def factor(few: float, many: float) -> str:
    """How much longer the large file took."""
    return "" if many < SHORTEST else f"{many / few:.1f}"


def main() -> None:
    arguments = sys.argv[1:]
    sizes = [1.0, 8.0] if len(arguments) < 2 else [float(argument) for argument in arguments[:2]]
    few, many = (texts(int(size * 1e6)) for size in sizes)
    names = arguments[2:] or list(few)
    _warm_up()
    # A fork that collects garbage would copy all of this process's objects first, the more often the larger the file.
    gc.freeze()
    heads = " | ".join(f"{verb} {sizes[0]:g} MB, s | {verb} {sizes[1]:g} MB, s | factor" for verb in ("read", "chunk"))
    print(f"| file | {heads} |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in names:
        small: list[tuple[float, float]] = []
        large: list[tuple[float, float]] = []
        for _ in range(ROUNDS):
            small += [seconds(name, few[name]) for _ in range(SMALL_READINGS)]
            large.append(seconds(name, many[name]))
            small += [seconds(name, few[name]) for _ in range(SMALL_READINGS)]
        cells = [name]
        for one, other in zip(averages(small), averages(large), strict=True):
            cells += [f"{one:.3f}", f"{other:.2f}", factor(one, other)]
        print(f"| {' | '.join(cells)} |", flush=True)


def _warm_up() -> None:
    """Imports in this process what the forks would import otherwise."""
    tiny = texts(3000)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in tiny.items():
            path = Path(folder, name)
            path.write_bytes(text.encode(ENCODINGS.get(name, "utf-8"), "replace"))
            _, sender = multiprocessing.Pipe(duplex=False)
            _read_and_chunk(path, sender)


if __name__ == "__main__":
    main()
