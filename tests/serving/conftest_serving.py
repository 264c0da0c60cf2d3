"""A server of a small run."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from forks import CONTEXT

TOKEN = "a-token-of-this-test-alone"


@dataclass
class Server:
    """A server in a process of its own: a fork that has its imports behind it."""

    process: Any
    url: str
    log: Path

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Ends it; returns its status and what it printed."""
        os.kill(self.process.pid, number)
        self.process.join(120)
        return self.process.exitcode, self.log.read_text(encoding="utf-8")


def start(log: Path, *arguments: str, token: str | None = None, port: int = 0) -> Server:
    """Types the command, and waits for its greeting in the log."""
    process = CONTEXT.Process(target=_serve, args=([*arguments, "--port", str(port)], str(log), token))
    process.start()
    until = time.monotonic() + 300
    while time.monotonic() < until and process.is_alive():
        printed = log.read_text(encoding="utf-8") if log.is_file() else ""
        if "GET /health" in printed:
            found = re.search(r"http://\S+", printed)
            assert found is not None
            return Server(process, found.group(), log)
        time.sleep(0.05)
    raise AssertionError(log.read_text(encoding="utf-8"))


def _serve(arguments: list[str], log: str, token: str | None) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT)
    for number in (1, 2):
        os.dup2(descriptor, number)
    if token:
        os.environ["EMBFT_SERVE_TOKEN"] = token
    from embft.runs.stopping import quietly
    from embft.serving.command import main

    sys.exit(quietly(lambda: main(arguments)))


@pytest.fixture(scope="session")
def server(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the run that asks for a token."""
    log = tmp_path_factory.mktemp("server") / "log"
    running = start(log, str(finished), "--system", "fused", "--body-mb", "1", token=TOKEN)
    yield running
    if running.process.is_alive():
        running.end()
