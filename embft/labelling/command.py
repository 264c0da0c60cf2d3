"""The command line of the page: what is labelled, where it is saved, and files of two people compared or merged."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from embft.config import ExperimentConfig, register
from embft.config.command_line import check_line
from embft.config.composing import CONFIG_DIR, config_tree
from embft.errors import ConfigError, EmbftError, QuestionError, in_words
from embft.labelling.agreement import compare, merge
from embft.labelling.labels import LabelFile
from embft.labelling.source import LabelSource, of_documents, of_run
from embft.serving.listening import listen

_EXAMPLES = """\
examples:
  embft label outputs/runs/2026-11-26_10-00-00        judge what a run's systems found for its test questions
  embft label RUN --questions log.csv                 judge chunks for other questions, of a query log for example
  embft label corpus.path=manual.pdf                  write questions about documents
  embft label corpus.path=docs --questions log.csv    the same, with questions to judge
  embft label --compare anna.jsonl ben.jsonl          how far two people agree
  embft label --merge anna.jsonl ben.jsonl --out both.jsonl

Then: embft corpus.path=manual.pdf questions.human=labels.jsonl
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line and does what it says.

    Args:
        arguments: Without the program's name.

    Returns:
        0, or 2 for a mistake of the user's.
    """
    parser = argparse.ArgumentParser(
        description="Opens a page on this machine on which people write questions about chunks and judge what systems found.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "what",
        nargs="*",
        metavar="RUN | KEY=VALUE",
        help="a run's folder, or settings of run.py that say which documents",
    )
    parser.add_argument("--corpus", metavar="PATH", help="documents; the same as corpus.path=PATH")
    parser.add_argument("--questions", metavar="FILE", help="questions to judge: JSON Lines, CSV, or one a line")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where labels are saved (default: labels.jsonl)")
    parser.add_argument("--judge", default="me", metavar="NAME", help="who judges (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="default: any that is free")
    parser.add_argument("--compare", nargs=2, type=Path, metavar="FILE", help="how far the labels of two people agree")
    parser.add_argument("--merge", nargs="+", type=Path, metavar="FILE", help="joins the labels of several people")
    options = parser.parse_args(arguments)
    try:
        if options.compare:
            print(compare(*options.compare))
            return 0
        if options.merge:
            print(merge(options.merge, _merged_file(options.out)))
            return 0
        _serve(options)
    except EmbftError as error:
        print(f"label: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        raise  # whoever reads the output has seen enough
    except OSError as error:
        print(f"label: {in_words(error)}", file=sys.stderr)
        return 2
    except ImportError as error:
        print(f"label: {error}. The page needs: pip install 'embft[label]'.", file=sys.stderr)
        return 2
    return 0


def _merged_file(out: Path | None) -> Path:
    if out is None:
        raise QuestionError("--merge needs --out FILE: where the joined labels go.")
    return out


def _serve(options: argparse.Namespace) -> None:
    import uvicorn

    from embft.labelling.app import make_app
    from embft.labelling.session import Session

    if not 0 <= options.port <= 65535:
        raise ConfigError([f"--port={options.port}: a port is a number from 1 to 65535."])
    words = [*([f"corpus.path={options.corpus}"] if options.corpus else []), *options.what]
    source, default = _source(words, options.questions)
    labels = LabelFile((options.out or default).absolute(), options.judge.strip() or "me")
    try:
        session = Session(source, labels)
        listening = listen("127.0.0.1", options.port)
        port = listening.getsockname()[1]
        token = secrets.token_urlsafe(16)
        for note in source.notes:
            print(f"label: {note}", file=sys.stderr)
        print(f"{len(source.passages):,} chunks, {len(source.questions):,} questions to judge.")
        print(f"Labels: {labels.path} (every key is saved at once, in {labels.log.name} beside it)")
        print(f"Open http://127.0.0.1:{port}/{token}/ in a browser. Ctrl-C ends the server.", flush=True)
        server = uvicorn.Server(
            uvicorn.Config(
                make_app(session, token, port), log_level="error", access_log=False, server_header=False, lifespan="off"
            )
        )
        server.run(sockets=[listening])
    finally:
        labels.close()
    print(f"{labels.judgements:,} judgements and {len(labels.written):,} written questions are in {labels.path}.")


def _source(words: Sequence[str], questions: str | None) -> tuple[LabelSource, Path]:
    """What is labelled, and where labels go if nothing is said."""
    folders = [word for word in words if "=" not in word]
    if folders and (len(words) > 1 or not Path(folders[0]).is_dir()):
        which = f"{folders[0]} is no folder" if not Path(folders[0]).is_dir() else "a run's folder stands alone"
        raise ConfigError([f"{which}: give a run's folder, or settings of run.py such as corpus.path=manual.pdf."])
    if folders:
        folder = Path(folders[0])
        return of_run(folder, questions), folder / "labels.jsonl"
    if not words:
        raise ConfigError(["Say what is labelled: a run's folder, or corpus.path=manual.pdf. --help shows examples."])
    return of_documents(_composed(words), questions), Path("labels.jsonl")


def _composed(words: Sequence[str]) -> ExperimentConfig:
    register()
    line = check_line(words, config_tree(CONFIG_DIR), sweep=False)
    if line.problems:
        raise ConfigError(line.problems)
    return line.configs[0]
