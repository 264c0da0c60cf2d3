"""Jobs that are stopped, or run beside each other: nothing is asked, or paid, twice."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from chat_server import chunks, config, passage, serve, two_about
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from embft.questions import generate

_JOB = """
    import signal
    import sys
    from pathlib import Path
    from embft.config import QuestionsConfig
    from embft.questions import generate
    from embft.records import Chunk

    # Below nohup, or in the background of a script, SIGINT is ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    chunks = [Chunk(f"c{place}", f"Passage number {place}.", "doc", 1, 0, 20) for place in range(8)]
    config = QuestionsConfig(
        name="openai", backend="openai", base_url=sys.argv[1], api_key_env="EMBFT_TEST_KEY", model="m", concurrency=1,
        max_retries=2,
    )
    print(len(generate(chunks, config, Path(sys.argv[2]), 1)[0]))
"""


def job(server: HTTPServer, cache_dir: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(_JOB), server.url_for("/v1"), str(cache_dir)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def until(condition: Any) -> None:
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit, "waited for a minute"
        time.sleep(0.01)


def asked(server: HTTPServer) -> Counter[str]:
    return Counter(passage(request) for request, _ in server.log)


@pytest.mark.slow
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_a_job_that_was_stopped_goes_on_with_what_is_missing(server: HTTPServer, tmp_path: Path, blow: int) -> None:
    def slow(request: Request) -> Response:
        time.sleep(0.3)
        return two_about(request)

    serve(server, slow)
    first = job(server, tmp_path)
    until(lambda: len(server.log) >= 3)
    first.send_signal(blow)
    first.communicate(timeout=20)
    assert first.returncode != 0
    stopped_at = sum(asked(server).values())
    assert stopped_at < 8  # nothing was asked after the signal

    second = job(server, tmp_path)
    assert second.communicate(timeout=60)[0].strip() == "16"
    counts = asked(server)
    assert len(counts) == 8
    # Only a request that was under way at the signal may have been asked again.
    assert sum(counts.values()) <= 9


def test_two_jobs_at_once_pay_once(server: HTTPServer, tmp_path: Path) -> None:
    serve(server, two_about)
    jobs = [job(server, tmp_path) for _ in range(2)]
    assert [one.communicate(timeout=60)[0].strip() for one in jobs] == ["16", "16"]
    assert sum(asked(server).values()) == 8


def test_a_lock_file_left_by_a_killed_job_stops_nobody(server: HTTPServer, tmp_path: Path) -> None:
    serve(server, two_about)
    (tmp_path / "replies.lock").touch()
    assert len(generate(chunks(1), config(server), tmp_path, 1)[0]) == 2
