"""Asks about many chunks and is killed again and again at random moments: run by test_faults.py in a process of its own.

What is slow to import is imported once; each life is a fork. Prints a line of JSON for each death: when it was, and which
replies were stored by then. At the end one life is left alone, and its counts are printed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import sys
import time
from pathlib import Path

import openai  # noqa: F401  so that no life has to import it

from embft.config import QuestionsConfig
from embft.questions import generate
from embft.records import Chunk


def main(base_url: str, cache_dir: Path, kills: int, count: int) -> None:
    chunks = [Chunk(f"c{place}", f"Passage number {place}.", "doc", 1, 0, 20) for place in range(count)]
    config = QuestionsConfig(
        name="openai", backend="openai", base_url=base_url, api_key_env=None, model="m", concurrency=8, max_retries=2
    )
    dice = random.Random(7)
    killed = 0
    while killed < kills:
        child = os.fork()
        if child == 0:
            sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
            generate(chunks, config, cache_dir, 1)
            os._exit(0)
        # Some are killed as they start, most at work, wherever that is: however slow the machine, each life gets somewhere.
        wanted, limit = len(stored(cache_dir)) + dice.randint(0, 10), time.time() + 20
        while len(stored(cache_dir)) < wanted and time.time() < limit:
            time.sleep(0.01)
        time.sleep(dice.uniform(0.0, 0.08))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "it was done before it could be killed: ask about more chunks"
        killed += 1
        print(json.dumps({"time": time.time(), "stored": stored(cache_dir)}), flush=True)
    made = generate(chunks, config, cache_dir, 1)
    print(json.dumps({"questions": len(made.questions), **made.report}))


def stored(cache_dir: Path) -> list[str]:
    if not (cache_dir / "replies.sqlite").is_file():
        return []
    connection = sqlite3.connect(cache_dir / "replies.sqlite", timeout=20)
    try:
        return [key for (key,) in connection.execute("SELECT key FROM replies")]
    except sqlite3.OperationalError:
        return []  # killed before the table was made
    finally:
        connection.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
