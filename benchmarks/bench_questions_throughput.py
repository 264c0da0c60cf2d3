"""How long questions about 500 chunks take at a server that answers after 300 ms: embft, and llama-index's generator.

    python benchmarks/bench_questions_throughput.py [--chunks 500] [--delay 0.3] [--theirs PYTHON]

``--theirs`` names a Python that has llama-index-finetuning and llama-index-llms-openai (setup_article_engine.sh makes one): its
``generate_qa_embedding_pairs`` asks the same server about the same chunks (``--their-chunks`` of them, for it takes one at
a time; its time is scaled to all). Each side runs in a process of its own, whose peak memory is shown.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from report import machine, write_result

ROOT = Path(__file__).resolve().parents[1]
ARTICLE = ROOT / "benchmarks" / ".venv-article" / "bin" / "python"
OURS = """
    import resource, sys, time
    from pathlib import Path
    from embft.config import QuestionsConfig
    from embft.questions import generate
    from embft.records import Chunk

    url, cache, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    text = "says something that takes room. " * 30
    chunks = [Chunk(f"c{n}", f"Passage number {n} {text}", "d", 1, 0, 9) for n in range(count)]
    config = QuestionsConfig(
        name="openai", backend="openai", base_url=url, api_key_env=None, model="m", concurrency=64, prompt="search"
    )
    import httpx
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.perf_counter()
    made = generate(chunks, config, cache, 1)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.perf_counter()
    generate(chunks, config, cache, 1)
    print(seconds, len(made.questions), before, peak, time.perf_counter() - started)
"""
THEIRS = """
    import resource, sys, time
    from llama_index.core.schema import TextNode
    from llama_index.finetuning import generate_qa_embedding_pairs
    from llama_index.llms.openai import OpenAI

    url, count = sys.argv[1], int(sys.argv[3])
    text = "says something that takes room. " * 30
    nodes = [TextNode(text=f"Passage number {n} {text}", id_=f"c{n}") for n in range(count)]
    llm = OpenAI(model="gpt-3.5-turbo", api_base=url, api_key="none", reuse_client=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.perf_counter()
    made = generate_qa_embedding_pairs(nodes, llm=llm, num_questions_per_chunk=2, output_path=sys.argv[2] + "/qa.json")
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(seconds, len(made.queries), before, peak, 0.0)
"""


def main() -> int:
    """Runs both sides and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=500)
    parser.add_argument("--delay", type=float, default=0.3, help="seconds that the server takes for a reply")
    parser.add_argument(
        "--theirs", default=str(ARTICLE) if ARTICLE.exists() else None, help="without it only embft is timed"
    )
    parser.add_argument("--their-chunks", type=int, default=50)
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests" / "questions"))
    from loopback import Answer, serving

    rows = []
    with serving(lambda passage, body: Answer(_two(body), wait=options.delay)) as (url, _):
        rows.append(("embft", options.chunks, *_measured(sys.executable, OURS, url, options.chunks)))
        rows.append(
            (
                "embft, four times the chunks",
                4 * options.chunks,
                *_measured(sys.executable, OURS, url, 4 * options.chunks),
            )
        )
        if options.theirs:
            count = options.their_chunks
            rows.append(("generate_qa_embedding_pairs", count, *_measured(options.theirs, THEIRS, url, count)))
    lines = [
        "# Writing questions: throughput",
        "",
        f"A loopback server that answers after {options.delay:g} s. {machine()}.",
        "",
        "| | chunks | seconds | for 500 | questions | MiB before | peak MiB | seconds of a rerun |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, count, seconds, questions, before, peak, again in rows:
        per_500 = 500 * seconds / count
        lines.append(
            f"| {name} | {count} | {seconds:.2f} | {per_500:.2f} | {questions:.0f} | {before:.0f} | {peak:.0f} | {again:.2f} |"
        )
    if options.theirs:
        ours, theirs = rows[0][2] / rows[0][1], rows[-1][2] / rows[-1][1]
        lines += ["", f"Times as long a chunk: {theirs / ours:.1f}."]
    write_result("questions_throughput", "\n".join(lines))
    return 0


def _measured(python: str, code: str, url: str, count: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [python, "-c", textwrap.dedent(code), url, folder, str(count)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return [float(value) for value in done.stdout.splitlines()[-1].split()]


def _two(body: dict) -> str:
    text = body["messages"][-1]["content"]
    name = text[text.index("number ") :].split()[1]
    return (
        json.dumps([f"What does number {name} say?", f"Who wrote number {name}?"])
        if "JSON" in text
        else (f"1. What does number {name} say?\n2. Who wrote number {name}?")
    )


if __name__ == "__main__":
    sys.exit(main())
