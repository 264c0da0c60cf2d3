"""The command that exports a run's system."""

from __future__ import annotations

import argparse
import logging
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from embft.errors import EmbftError, RunError
from embft.files import write_text
from embft.records import MODEL_FOLDER

if TYPE_CHECKING:
    from embft.export.contents import Contents

TARGETS = ("parquet", "onnx", "qdrant", "lancedb", "elasticsearch")
_PACKAGES = {"onnx": ("onnx", "onnxruntime"), "qdrant": ("qdrant_client",), "lancedb": ("lancedb",)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line and exports. Returns 0, and 2 for a mistake in it or in the run folder."""
    parser = argparse.ArgumentParser(
        description="Exports the system that a run found best: index, model, settings, and check.py, which reproduces the "
        "report's figures from the export alone."
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="a finished run's folder")
    parser.add_argument("folder", type=Path, metavar="DIR", help="made by the export; must not be there yet")
    parser.add_argument(
        "--to", choices=TARGETS, required=True, help="what the files are for; OpenSearch takes those of elasticsearch"
    )
    parser.add_argument("--system", help="bm25, base, tuned or fused (default: what the verdict names)")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda", "mps"], help="default: as in the run")
    parser.add_argument("--int8", action="store_true", help="--to onnx: also a graph in 8 bits, with what it loses")
    parser.add_argument(
        "--refitted",
        action="store_true",
        help="with the tuned model that was trained again on everything (training.refit); no figure of the report is of it",
    )
    options = parser.parse_args(arguments)
    try:
        _export(options)
    except EmbftError as error:
        print(f"export: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        raise  # whoever reads the output has seen enough
    except OSError as error:
        print(
            f"export: {error.filename or options.folder} cannot be written: {error.strerror or error}.", file=sys.stderr
        )
        return 2
    return 0


def _export(options: argparse.Namespace) -> None:
    if options.int8 and options.to != "onnx":
        raise RunError("--int8 is a graph of --to onnx.")
    target: Path = options.folder
    if target.exists():
        raise RunError(f"{target} is there already: give a folder that is not, or move that one away.")
    if not target.parent.is_dir():
        raise RunError(f"{target} cannot be made: there is no folder {target.parent}.")
    _require(options.to)
    from embft.export.contents import collect, write_base
    from embft.models.loading import quiet
    from embft.serving.run_files import read_run

    for chatty in ("sentence_transformers", "transformers", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    run = read_run(options.run)
    system = run.system(options.system)
    if options.refitted and run.model_of(system) != "tuned":
        raise RunError(f"The system {system} has no tuned model: leave --refitted out.")
    if options.to == "onnx" and run.model_of(system) is None:
        raise RunError(f"The system {system} has no model that could be a graph: take --to parquet or elasticsearch.")
    with quiet():
        contents = collect(run, system, options.device, refitted=options.refitted)
    if options.to == "onnx" and contents.dense is None:
        raise RunError("The mix of this run is BM25 alone: there is no model to export.")
    # All in a folder beside it first: an export is whole, or it is not there.
    draft = target.with_name(f".{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        write_base(contents, draft, f"check_{options.to}")
        said = _WRITERS[options.to](contents, draft, options.int8)
        write_text(draft / "README.md", _readme(contents, options.to, said))
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    print(f"export: {system} is in {target}." + "".join(f" {sentence}" for sentence in said))
    if options.refitted:
        print("  The model was trained on the test's questions too, so its figures there are no estimate of anything.")
    elif run.setup.refitted is not None and run.model_of(system) == "tuned":
        print(
            f"  The model is the one that was judged; --refitted exports {run.folder / MODEL_FOLDER}, trained on everything."
        )
    print(f"  python {target / 'check.py'}   reproduces the report's figures from it alone")


def _require(target: str) -> None:
    import importlib.util

    lacking = [name for name in _PACKAGES.get(target, ()) if importlib.util.find_spec(name) is None]
    if lacking:
        raise RunError(f"--to {target} needs {' and '.join(lacking)}: pip install 'embft[export]'.")


def _parquet(contents: Contents, folder: Path, int8: bool) -> list[str]:
    from embft.export.contents import write_lexical, write_parquet

    write_parquet(contents, folder)
    write_lexical(contents, folder)
    return []


def _onnx(contents: Contents, folder: Path, int8: bool) -> list[str]:
    from embft.export.onnx_graph import write_graphs

    _parquet(contents, folder, int8)
    assert contents.dense is not None
    shutil.rmtree(folder / "model")  # the graph is the model
    cosines = write_graphs(contents.dense, folder / "onnx", int8)
    said = [
        f"Least cosine of {name} to the vectors that were ranked: {cosine:.5f}." for name, cosine in cosines.items()
    ]
    if int8:
        said.append(
            f"8 bits move vectors: index and questions must come from the same graph. Its figures:\n{_measured(folder)}"
        )
    return said


def _measured(folder: Path) -> str:
    """What the export's own script says of the graph in 8 bits: a loss stands beside it, or it does not stand there."""
    done = subprocess.run(
        [sys.executable, str(folder / "check.py"), "model_int8.onnx"], capture_output=True, text=True, check=False
    )
    if not done.stdout:
        raise RunError(f"The figures of the graph in 8 bits could not be measured: {done.stderr.strip()[-200:]}")
    return done.stdout


def _qdrant(contents: Contents, folder: Path, int8: bool) -> list[str]:
    from embft.export.contents import write_lexical
    from embft.export.stores import write_qdrant

    write_qdrant(contents, folder)
    write_lexical(contents, folder)
    return []


def _lancedb(contents: Contents, folder: Path, int8: bool) -> list[str]:
    from embft.export.contents import write_lexical
    from embft.export.stores import write_lancedb

    write_lancedb(contents, folder)
    write_lexical(contents, folder)
    return []


def _elasticsearch(contents: Contents, folder: Path, int8: bool) -> list[str]:
    from embft.export.elastic import write_elasticsearch

    write_elasticsearch(contents, folder)
    return []


_WRITERS: Mapping[str, Callable[[Contents, Path, bool], list[str]]] = {
    "parquet": _parquet,
    "onnx": _onnx,
    "qdrant": _qdrant,
    "lancedb": _lancedb,
    "elasticsearch": _elasticsearch,
}


def _readme(contents: Contents, target: str, said: Sequence[str]) -> str:
    figures = contents.figures
    seen = (
        " (No estimate of anything: the model was trained on these questions too; those of the judged one are in the report.)"
        if contents.refitted
        else ""
    )
    parts = [
        f"# {contents.system}, exported by embft to {target}",
        "",
        f"{contents.run.setup.headline} On the test questions: hit rate@5 {figures['hit_rate@5']:.3f}, nDCG@10 "
        f"{figures['ndcg@10']:.3f}.{seen} `python check.py` reproduces both from this folder alone.",
        "",
        *(f"{sentence}\n" for sentence in said),
        "`search.json` has prompts, windows, BM25 settings and the weight of the mix. A chunk scores as its best window. Scores "
        "of vectors and of BM25 are scaled to 0..1 over all chunks of a question (min-max) before they are mixed.",
        "",
        "`lexical.jsonl` (or the field `terms`) has the terms that BM25 indexed; `embft.text.terms` cuts new texts and questions "
        "the same way."
        if contents.lexical
        else "",
    ]
    return "\n".join(parts) + "\n"
