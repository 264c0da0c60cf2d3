"""How long it takes to read and to chunk text of each kind, at two sizes: reading is linear where the factor is near 8.

python benchmarks/bench_reading.py            # 1 and 8 MB, some minutes
python benchmarks/bench_reading.py 0.25 2     # smaller
python benchmarks/bench_reading.py 1 8 Chinese.txt rows.jsonl    # these alone, the best of three
"""

from __future__ import annotations

import csv
import io
import json
import random
import sys
import tempfile
import time
from pathlib import Path

from embft.config import CorpusConfig
from embft.corpus.chunking import chunk_pages
from embft.corpus.python_reference import read_topics, reference_pages
from embft.corpus.reading import read_corpus


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
    }


def seconds(name: str, text: str) -> tuple[float, float]:
    """CPU seconds of reading and of chunking."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_text(text, encoding="utf-8")
        started = time.process_time()
        pages, _ = read_corpus(CorpusConfig(name="files", path=str(path)), Path(folder, "cache"))
        read = time.process_time()
        chunk_pages(pages, 256)
        return read - started, time.process_time() - read


def best(name: str, text: str, times: int) -> tuple[float, float]:
    """The shortest of some times: what is longer waited for other work."""
    runs = [seconds(name, text) for _ in range(times)]
    return min(read for read, _ in runs), min(cut for _, cut in runs)


def main() -> None:
    small, large = (float(argument) for argument in sys.argv[1:3]) if len(sys.argv) > 2 else (1.0, 8.0)
    few, many = texts(int(small * 1e6)), texts(int(large * 1e6))
    only = sys.argv[3:]
    seconds("warm-up.md", "word")
    sizes = f"{small:g} MB, s | {{0}} {large:g} MB, s | factor"
    print(f"| file | read {sizes.format('read')} | chunk {sizes.format('chunk')} |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in only or few:
        (read, cut), (read_many, cut_many) = (best(name, kind[name], 3 if only else 1) for kind in (few, many))
        factors = [f"{after / max(before, 0.01):.1f}" for before, after in ((read, read_many), (cut, cut_many))]
        print(
            f"| {name} | {read:.2f} | {read_many:.2f} | {factors[0]} | {cut:.2f} | {cut_many:.2f} | {factors[1]} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
