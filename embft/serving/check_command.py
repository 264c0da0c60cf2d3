"""The command that checks what is served against a run."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from embft.errors import EmbftError, RunError

if TYPE_CHECKING:
    from embft.serving.parity import Served
    from embft.serving.variants import Encode

_FOLDERS = ("sentence-transformers", "llama-index", "langchain", "haystack", "fastembed")
_CLIENTS = ("llama-index", "langchain", "haystack")


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line and checks. Returns 0 where all agrees, 1 where it does not, 2 for a mistake in the command."""
    options = _parser().parse_args(arguments)
    try:
        served = _check(options)
    except EmbftError as error:
        print(f"check_served: {error}", file=sys.stderr)
        return 2
    print(render(served))
    return 0 if served.agrees and served.figures_hold else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Embeds a run's test with what is served, and says whether vectors and figures are those of the report; if "
        "not, why: prompt, pooling, normalisation, a layer left out, truncation, dimension."
    )
    parser.add_argument(
        "served",
        metavar="URL|FOLDER",
        help="base URL of an OpenAI-compatible server, the address of text-embeddings-inference's /embed, or a model's folder",
    )
    parser.add_argument("--run", type=Path, required=True, metavar="RUN", help="the run's folder")
    parser.add_argument("--system", help="base, tuned or fused: whose model it is (default: what the verdict names)")
    parser.add_argument("--model", help="URL: name of the model (default: tuned or base)")
    parser.add_argument("--query-model", help="URL: its name for questions, where that is another one")
    parser.add_argument("--query-prompt", default=None, help="put before questions by your program (default: nothing)")
    parser.add_argument(
        "--document-prompt", default=None, help="put before passages by your program (default: nothing)"
    )
    parser.add_argument("--key-env", metavar="NAME", help="URL: environment variable that holds the key")
    parser.add_argument(
        "--library",
        choices=_FOLDERS,
        help="FOLDER: what loads it (default: sentence-transformers); URL: whose client asks it (default: plain HTTP)",
    )
    parser.add_argument(
        "--python", default=sys.executable, help="the interpreter that has the library (default: this one)"
    )
    return parser


def _check(options: argparse.Namespace) -> Served:
    from embft.models.loading import quiet
    from embft.serving.answering import Answering
    from embft.serving.parity import compare
    from embft.serving.run_files import read_run

    for chatty in ("sentence_transformers", "transformers", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    run = read_run(options.run)
    system = run.system(options.system)
    name = run.model_of(system)
    if name is None:
        raise RunError(f"The system {system} has no model whose vectors could be checked: give --system tuned or base.")
    if run.config.retrieval.mode == "late":
        raise RunError("The run has one vector per token (retrieval=late), which no endpoint of embeddings gives.")
    if system not in {"base", "tuned"} and (system != "fused" or (run.setup.fusion and run.setup.fusion.late > 0)):
        raise RunError(f"The figures of {system} are not of such vectors and BM25 alone: give --system tuned or base.")
    with _source(options, name) as served, quiet():
        return compare(Answering(run), name, system, served)


def _source(options: argparse.Namespace, name: str) -> AbstractContextManager[Encode]:
    from embft.serving.sources import Stranger, from_endpoint

    given = (options.query_prompt, options.document_prompt)
    prompts = None if given == (None, None) else (given[0] or "", given[1] or "")
    if options.served.startswith(("http://", "https://")):
        model = options.model or name
        models = (options.query_model or model, model)
        if options.library is None:
            return nullcontext(from_endpoint(options.served, *models, prompts or ("", ""), options.key_env))
        if options.library not in _CLIENTS:
            raise RunError(f"--library {options.library} asks no server; {', '.join(_CLIENTS)} do. Or leave it out.")
        return Stranger(options.library, options.python, options.served, prompts, models, options.key_env).opened()
    folder = Path(options.served)
    if not folder.is_dir():
        raise RunError(f"{folder} is neither an address that begins with http:// nor a folder.")
    library = options.library or "sentence-transformers"
    return Stranger(library, options.python, str(folder.absolute()), prompts).opened()


def render(served: Served) -> str:
    """What was found out, for people."""
    lines = []
    if served.least_passages >= 0:
        lines.append(
            f"Least cosine to the vectors that were ranked: questions {served.least_questions:.5f}, "
            f"passages {served.least_passages:.5f}."
        )
    lines.append("The vectors agree." if served.agrees else "The vectors are not those that were ranked.")
    lines += [f"  {sentence}" for sentence in served.sentences]
    for metric, (found, told) in served.figures.items():
        lines.append(f"  {served.system} {metric:10} {found:.4f}   report {told:.4f}   {_word(found, told)}")
    return "\n".join(lines)


def _word(found: float, told: float) -> str:
    return "agrees" if abs(found - told) <= 0.001 else "DIFFERS"
