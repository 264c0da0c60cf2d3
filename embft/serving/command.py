"""The command that serves a run."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from embft.errors import EmbftError, RunError
from embft.runs.stopping import catch_signals
from embft.serving.listening import listen

TOKEN = "EMBFT_SERVE_TOKEN"


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line and serves until a signal. Returns 0, and 2 for a mistake in it or in the run folder."""
    options = _parser().parse_args(arguments)
    try:
        return _serve(options)
    except EmbftError as error:
        print(f"serve: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Serves what a run found best: /v1/embeddings as OpenAI's (any client switches by its base_url), /search as "
        "the run ranked, /health, /metrics.",
        epilog=f"With the environment variable {TOKEN} set, clients must send it (Authorization: Bearer TOKEN). SIGTERM and "
        "Ctrl-C let requests in work finish.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="a finished run's folder")
    parser.add_argument("--system", help="what /search asks unless told otherwise (default: what the verdict names)")
    parser.add_argument(
        "--refitted",
        action="store_true",
        help="with the tuned model that was trained again on everything (training.refit); no figure of the report is of it",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="0 takes any that is free (default: %(default)s)")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda", "mps"], help="default: as in the run")
    parser.add_argument("--batch", type=_positive, default=64, help="texts computed at once (default: %(default)s)")
    parser.add_argument("--waiting", type=_positive, default=8192, help="texts that may wait (default: %(default)s)")
    parser.add_argument(
        "--in-flight", type=_positive, default=1024, help="requests that may be in work (default: %(default)s)"
    )
    parser.add_argument(
        "--body-mb", type=_positive, default=8, help="megabytes of a request at most (default: %(default)s)"
    )
    parser.add_argument(
        "--unnamed",
        choices=["query", "document"],
        help="what texts are whose request does not say, for a model that embeds questions and passages differently "
        "(default: such requests are refused)",
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 at least")
    return number


def _serve(options: argparse.Namespace) -> int:
    token = _token()
    _check_address(options.host, token)
    try:
        import starlette  # noqa: F401
        import uvicorn
    except ImportError:
        raise RunError("Serving needs Starlette and uvicorn: pip install 'embft[serve]'.") from None
    # The port first: one that is taken is known before a model is loaded.
    listening = listen(options.host, options.port)
    with listening:
        from embft.models.loading import quiet
        from embft.serving.answering import Answering
        from embft.serving.app import Limits, Service
        from embft.serving.engine import Engine
        from embft.serving.gauges import Gauges
        from embft.serving.reading_http import protocol
        from embft.serving.run_files import read_run

        for chatty in ("sentence_transformers", "transformers", "httpx"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
        run = read_run(options.run)
        system = run.system(options.system) if options.system or run.setup.system else None
        gauges = Gauges()
        with quiet():
            engine = Engine(Answering(run, options.device, refitted=options.refitted), system, gauges)
        limits = Limits(options.batch, options.waiting, options.in_flight, options.body_mb << 20)
        service = Service(engine, gauges, limits, token, options.unnamed)
        config = uvicorn.Config(
            service.app(), http=protocol(), log_level="warning", access_log=False, timeout_keep_alive=30
        )
        server = uvicorn.Server(config)
        host, port = listening.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        if run.setup.refitted and not options.refitted:
            print("serve: the tuned model is the one that was judged; --refitted serves the one trained on everything.")
        print(_greeting(options.run, f"http://{shown}:{port}", engine.served.name, system), flush=True)
        catch_signals()  # uvicorn lets requests in work finish, then sends the signal on to us
        try:
            server.run(sockets=[listening])
        finally:
            print("serve: ended; every request that had come was answered.", flush=True)
    return 0


def _greeting(run: Path, address: str, model: str, system: str | None) -> str:
    search = f"by {system}" if system else "by any system (the verdict of the run names none: requests must)"
    return (
        f"serve: {run} is served at {address}\n"
        f"  POST /v1/embeddings   vectors of the {model} model, as OpenAI's\n"
        f"  POST /search          chunks, {search}\n"
        "  GET /health, /metrics"
    )


def _token() -> str | None:
    token = os.environ.get(TOKEN)
    if token is None:
        return None
    if len(token) < 16 or not (token.isascii() and token.isprintable()) or " " in token:
        raise RunError(
            f"The token in ${TOKEN} must have 16 characters at least, of ASCII and without spaces (its value is not shown): "
            "python -c 'import secrets; print(secrets.token_urlsafe())' makes one."
        )
    return token


def _check_address(host: str, token: str | None) -> None:
    if host == "localhost":
        return
    try:
        local = ip_address(host).is_loopback
    except ValueError:
        raise RunError(
            f"--host {host} is no IP address: 127.0.0.1 is this machine alone, 0.0.0.0 all networks."
        ) from None
    if not local and token is None:
        raise RunError(
            f"--host {host} lets other machines in, and there is no token: set the environment variable {TOKEN}, or stay with "
            "127.0.0.1 behind a proxy of yours."
        )
