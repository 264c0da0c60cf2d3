"""On one GPU: embedding and training against sentence-transformers' own, large steps, token vectors, models of today's layouts.

    EMBFT_NVIDIA_DATA=DIR python benchmarks/bench_gpu.py [--rounds 3] [--only encode train recipes layouts compile] [--beir DIR]

DIR holds the article's published train_dataset.json and val_dataset.json; --beir a BEIR folder of some thousand texts, for steps
of 1,024 chunks. Without a GPU there is nothing to run. Each training is a process of its own with an empty cache. The layouts
have real sizes and random weights: their speed is real, their vectors mean nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench_training import base_model, embft_command
from large_layouts import SIZES, large_layout
from report import machine, write_result

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("encode", "train", "recipes", "layouts", "compile")
PEAK = "import runpy,sys,torch\nsys.argv = sys.argv[1:]\ntry:\n runpy.run_path(sys.argv[0], run_name='__main__')\nfinally:\n print('PEAK', torch.cuda.max_memory_allocated(), file=sys.__stdout__)"  # noqa: E501
TRUNCATED = ["retrieval=truncate", "training.epochs=2"]


def main() -> int:
    """Runs the parts and writes results/gpu.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("EMBFT_NVIDIA_DATA"))
    parser.add_argument("--beir", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    import torch

    if not torch.cuda.is_available() or options.data is None:
        print("Nothing to run: a GPU is needed, and --data.")
        return 0
    data = Path(options.data).resolve()
    lines = [
        "# On one GPU",
        "",
        f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {machine()}; medians of {options.rounds} in turns.",
    ]
    with tempfile.TemporaryDirectory() as scratch:
        parts: dict[str, Callable[[], list[str]]] = {
            "encode": lambda: encoding(data, options.rounds),
            "train": lambda: training(data, Path(scratch), options.rounds),
            "recipes": lambda: recipes(data, options.beir, Path(scratch)),
            "layouts": lambda: layouts(data, Path(scratch)),
            "compile": lambda: compiled(data, Path(scratch)),
        }
        for name in options.only:
            began = time.perf_counter()
            try:
                lines += ["", *parts[name]()]
            except (
                Exception,
                SystemExit,
            ) as error:  # the card is lent for minutes: one part's fault must not cost the others
                print(f"{name} failed: {error!r}", file=sys.stderr)
            print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
            write_result("gpu", "\n".join(lines))
    return 0


def encoding(data: Path, rounds: int) -> list[str]:
    """`SentenceTransformer.encode` against embft, windows of the 10-K ten times over."""
    import numpy as np
    import torch

    from embft.dataset.formats import read_llama_index
    from embft.models.encoder import Computing, Encoder
    from embft.models.loading import load_model
    from embft.retrieval.windows import cut_windows

    corpus = read_llama_index(data / "val_dataset.json").corpus | read_llama_index(data / "train_dataset.json").corpus
    folder = base_model()
    theirs = load_model(folder, "cuda")
    encoders = {
        f"embft, {precision}, {size} at once": Encoder(folder, "base", computing=Computing("cuda", size, precision))
        for precision in ("fp32", "auto")
        for size in (32, 256)
    }
    windows = cut_windows(corpus, next(iter(encoders.values())).token_spans, 96, 24)
    texts = list(windows.texts) * 10

    def plain(size: int) -> Callable[[list[str]], Any]:
        return lambda texts: theirs.encode(texts, batch_size=size, show_progress_bar=False)

    systems: dict[str, Callable[[list[str]], Any]] = {
        f"SentenceTransformer.encode, {size} at once": plain(size) for size in (32, 256)
    }
    systems |= {name: encoder.encode_passages for name, encoder in encoders.items()}
    seconds: dict[str, list[float]] = {name: [] for name in systems}
    vectors: dict[str, Any] = {}
    for number in range(rounds + 1):
        for name, encode in systems.items():
            torch.cuda.synchronize()
            started = time.perf_counter()
            vectors[name] = np.asarray(encode(texts))
            if number:  # the first is for warming up
                seconds[name].append(time.perf_counter() - started)
    exact = vectors["SentenceTransformer.encode, 32 at once"]
    first = statistics.median(seconds["SentenceTransformer.encode, 32 at once"])
    lines = [
        "## Embedding",
        "",
        f"{len(texts):,} windows of 96 tokens of the article's 10-K, all-MiniLM-L6-v2.",
        "",
        "| | texts per second | times as fast | least cosine to the first row |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, found in seconds.items():
        median = statistics.median(found)
        cosine = (
            (vectors[name] * exact).sum(1) / np.linalg.norm(vectors[name], axis=1) / np.linalg.norm(exact, axis=1)
        ).min()
        lines.append(f"| {name} | {len(texts) / median:,.0f} | {first / median:.2f} | {cosine:.5f} |")
    return lines


def training(data: Path, scratch: Path, rounds: int) -> list[str]:
    """sentence-transformers' documented trainer in bf16 on the card, against embft's stage."""
    base = base_model()
    train, val = data / "train_dataset.json", data / "val_dataset.json"
    found: dict[str, list[tuple[float, float]]] = {}
    for number in range(rounds):
        for name, seconds in (
            ("sentence-transformers' trainer, bf16", lambda out: documented(train, val, base, out)),
            ("embft", lambda out: stage(embft_command(train, val, out, *TRUNCATED), out)),
            (
                "embft, training=fast",
                lambda out: stage(embft_command(train, val, out, *TRUNCATED, "training=fast"), out),
            ),
        ):
            found.setdefault(name, []).append(seconds(scratch / f"{name.replace(' ', '')}-{number}"))
    lines = [
        "## Fine-tuning",
        "",
        "The article's published data (97 train chunks), chunks truncated at 256 tokens, two epochs with dev evaluations. "
        "Seconds of the trainer from loading to saving, of embft's whole training stage from text to saved model.",
        "",
        "| | seconds | peak GPU memory |",
        "| --- | ---: | ---: |",
    ]
    for name, runs in found.items():
        lines.append(
            f"| {name} | {statistics.median(one[0] for one in runs):.1f} | {statistics.median(one[1] for one in runs):.2f} GB |"
        )
    return lines


def recipes(data: Path, beir: Path | None, scratch: Path) -> list[str]:
    """Whole runs of single recipes: seconds of their stages, memory, figures."""
    train, val = data / "train_dataset.json", data / "val_dataset.json"
    rows = {
        "the default, windows": ("training=default", "retrieval=windows"),
        "late interaction": ("training=default", "retrieval=late"),
        "lora": ("training=lora", "retrieval=windows"),
    }
    commands = {
        name: embft_command(train, val, scratch / f"recipe-{at}", *given)
        for at, (name, given) in enumerate(rows.items())
    }
    if beir is not None:
        for size, mini in ((1024, 128), (1024, 0)):
            at = scratch / f"cached-{size}-{mini}"
            commands[f"steps of {size:,} chunks, {f'GradCache of {mini} texts' if mini else 'all at once'} ({beir.name})"] = [
                sys.executable, str(ROOT / "run.py"), "dataset=beir", f"dataset.path={beir}", "dataset.train_on=all",
                "training=cached", f"training.batch_size={size}", f"training.mini_batch={mini}", "training.window_chunks=null",
                "tracking=local", f"cache_dir={at / 'cache'}", f"hydra.run.dir={at / 'run'}",
            ]  # fmt: skip
    lines = [
        "## Recipes",
        "",
        "| | training, s | ranking, s | whole run, s | peak GPU memory | base, nDCG@10 | tuned |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, command in commands.items():
        folder = Path(next(part for part in command if part.startswith("hydra.run.dir=")).partition("=")[2]).parent
        started = time.perf_counter()
        try:
            seconds, peak = stage(command, folder)
        except (SystemExit, subprocess.TimeoutExpired) as error:
            print(name, error, file=sys.stderr)
            lines.append(f"| {name} | failed | | | | | |")
            continue
        whole = time.perf_counter() - started
        metrics = json.loads((folder / "run" / "metrics.json").read_text(encoding="utf-8"))
        ranking = sum(took["seconds"] for key, took in metrics["timings"].items() if "ranking" in key)
        figures = [f"{metrics['systems'][system]['ndcg@10']:.3f}" for system in ("base", "tuned")]
        lines.append(
            f"| {name} | {seconds:.1f} | {ranking:.1f} | {whole:.0f} | {peak:.2f} GB | {' | '.join(figures)} |"
        )
    return lines


def compiled(data: Path, scratch: Path) -> list[str]:
    """A longer training with and without torch.compile."""
    train, val = data / "train_dataset.json", data / "val_dataset.json"
    lines = ["## torch.compile", "", "Ten epochs, truncated chunks.", "", "| | training, s |", "| --- | ---: |"]
    for name in ("false", "true"):
        at = scratch / f"compile-{name}"
        given = ["retrieval=truncate", "training.epochs=10", f"training.compile={name}"]
        lines.append(f"| training.compile={name} | {stage(embft_command(train, val, at, *given), at)[0]:.1f} |")
    return lines


def layouts(data: Path, scratch: Path) -> list[str]:
    """Real sizes, random weights: seconds of a default training by kind of attention."""
    train, val = data / "train_dataset.json", data / "val_dataset.json"
    lines = [
        "## Models of today's layouts",
        "",
        "Real sizes, random weights, truncated chunks, one epoch over the article's train chunks in bf16, steps of 16 chunks "
        "with their questions, no layer frozen.",
        "",
        "| model | attention | training, s | peak GPU memory |",
        "| --- | --- | ---: | ---: |",
    ]
    for name in SIZES:
        model = large_layout(name, scratch / name)
        for attention in ("sdpa", "eager"):
            at = scratch / f"{name}-{attention}"
            given = [
                f"model.path={model}",
                f"training.attention={attention}",
                "retrieval=truncate",
                "training.epochs=1",
            ]
            try:
                seconds, peak = stage(
                    embft_command(train, val, at, *given, "training.frozen_share=0", "dataset.dev_fraction=0"), at
                )
                lines.append(f"| {name} | {attention} | {seconds:.1f} | {peak:.1f} GB |")
            except (SystemExit, subprocess.TimeoutExpired) as error:
                print(name, attention, error, file=sys.stderr)
                lines.append(f"| {name} | {attention} | failed | |")
    return lines


def documented(train: Path, val: Path, base: Path, out: Path) -> tuple[float, float]:
    """Seconds and peak GB of the documented trainer."""
    out.mkdir(parents=True)
    script = str(ROOT / "benchmarks" / "documented_trainer.py")
    output, peak = measured(
        [script, "--train", str(train), "--val", str(val), "--model", str(base), "--out", str(out / "model"), "--cuda"]
    )
    return json.loads(next(line for line in output.splitlines() if line.startswith("{")))["seconds"], peak


def stage(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds of a run's training stage, and its process's peak GB on the card."""
    _, peak = measured(command[1:])
    metrics = json.loads((folder / "run" / "metrics.json").read_text(encoding="utf-8"))
    return metrics["timings"]["training"]["seconds"], peak


def measured(arguments: list[str]) -> tuple[str, float]:
    """A script's output, and the most memory that its process had on the card, in GB.

    Raises:
        SystemExit: It failed; with the end of what it said.
    """
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *arguments], cwd=ROOT, check=False, capture_output=True, text=True, timeout=120
    )
    if done.returncode:
        raise SystemExit(done.stdout[-1500:] + done.stderr[-1500:])
    output, _, peak = done.stdout.rpartition("PEAK ")
    return output, int(peak) / 1e9


if __name__ == "__main__":
    sys.exit(main())
