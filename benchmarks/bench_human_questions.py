"""What tuning gains on people's questions, by who wrote the training questions: nobody, the text, a small LLM, a large one.

    python benchmarks/bench_human_questions.py [--only windows extractive large_llm]

The Python reference with its hand-written questions as dev and test; the same train chunks for all, none of which a person
asked about. Without questions windows ask for their neighbours. The small LLM is the packaged SmolLM2 (`make llm`); those
of the large one lie in benchmarks/data: a frontier model read the train chunks, and nothing else, with the prompt ``search``.
Default recipe; differences are paired, question by question, with 95% intervals that know which questions share chunks.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from report import write_result

from embft.config import FiltersConfig, QuestionsConfig
from embft.dataset.formats import read_llama_index, write_llama_index
from embft.evaluation.dependence import Dependence
from embft.evaluation.significance import compare
from embft.questions import generate
from embft.records import Chunk, RetrievalDataset

ROOT = Path(__file__).resolve().parents[1]
LARGE = ROOT / "benchmarks" / "data" / "python_reference.large_llm.jsonl"
METRICS = ("hit_rate@5", "ndcg@10")
Make = Callable[[RetrievalDataset, Path], RetrievalDataset]


def main() -> int:
    """Trains on each kind of questions, writes results/human_questions.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("outputs/benchmarks/human_questions"))
    parser.add_argument("--only", nargs="+", choices=KINDS, help="kinds of questions")
    options = parser.parse_args()
    work = options.work.absolute()
    ours = run(work / "windows", work, [])
    train = read_llama_index(ours / "dataset" / "train.json")
    lines = [
        "# What tuning gains on people's questions",
        "",
        f"The Python reference, {len(train.corpus)} train chunks, hand-written test questions, all-MiniLM-L6-v2, the default "
        "recipe. Where dev showed harm the base model was kept.",
        "",
        "| retrieval | train questions | number | dev nDCG@10 by epoch, from base | kept | test hit rate@5 | test nDCG@10 "
        "| less base's |",
        "| --- | --- | ---: | --- | --- | ---: | ---: | --- |",
    ]  # fmt: skip
    for retrieval in ("windows", "late"):
        lines.append(
            row(retrieval, "none: base model", run(work / retrieval, work, [f"retrieval={retrieval}"]), "base")
        )
        for name, make in KINDS.items():
            if not options.only or name in options.only:
                folder = tuned(name, make, retrieval, train, ours, work)
                lines.append(row(retrieval, name.replace("_", " "), folder, "tuned"))
                print(lines[-1], flush=True)
    write_result("human_questions", "\n".join(lines))
    return 0


def tuned(name: str, make: Make | None, retrieval: str, train: RetrievalDataset, ours: Path, work: Path) -> Path:
    """The folder of a run that learns from one kind of questions."""
    how = [f"retrieval={retrieval}"]
    if name == "extractive":
        return run(work / f"{name}.{retrieval}", work, [*how, "training.learn_from=questions"])
    if make is None:
        return run(work / retrieval, work, how)
    data = {"train": work / f"{name}.json", **{part: ours / "dataset" / f"{part}.json" for part in ("dev", "test")}}
    if not data["train"].exists():
        write_llama_index(data["train"], make(train, work))
    how += ["dataset=llama_index", "dataset.candidates=all", *(f"dataset.{part}={path}" for part, path in data.items())]
    return run(work / f"{name}.{retrieval}", work, how)


def run(folder: Path, work: Path, overrides: list[str]) -> Path:
    """A run's folder; a run that is there is not run again."""
    place = folder / "run"
    if not (place / "metrics.json").is_file():
        command = ["run.py", "tracking=local", f"cache_dir={work / 'cache'}", f"hydra.run.dir={place}", *overrides]
        subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return place


def row(retrieval: str, name: str, folder: Path, system: str) -> str:
    """A line of the table."""
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    found = metrics["systems"][system]
    values = " | ".join(f"{found[metric]:.3f}" for metric in METRICS)
    if system == "base":
        return f"| {retrieval} | {name} | 0 | | | {values} | |"
    training = metrics["training"]
    curve = ", ".join(f"{epoch['dev_ndcg@10']:.3f}" for epoch in training["history"])
    kept = f"epoch {training['best_epoch']}" if training["best_epoch"] else "base"
    rows = [json.loads(line) for line in (folder / "per_query.jsonl").read_text(encoding="utf-8").splitlines()]
    mine, base = (np.array([row["systems"][one]["ndcg@10"] for row in rows]) for one in ("tuned", "base"))
    dependence = Dependence.of(
        [row["question_id"] for row in rows], {row["question_id"]: row["relevant"] for row in rows}
    )
    low, high = (difference := compare(mine, base, dependence)).ci95
    said = f"{difference.delta:+.3f} [{low:+.3f}, {high:+.3f}], p={difference.p_value:.2f}"
    return f"| {retrieval} | {name} | {training['questions']} | {curve} | {kept} | {values} | {said} |"


def small(train: RetrievalDataset, work: Path) -> RetrievalDataset:
    """Two questions a chunk by the packaged SmolLM2."""
    config = QuestionsConfig(
        name="local_llm", backend="local_llm", model="smollm2", prompt="simple", api_key_env=None, concurrency=2,
        timeout_seconds=300.0, structured="never",
        filters=FiltersConfig(
            boilerplate=True, fewest_words=2, most_words=60, language=True, passage_dependent=True, near_duplicates=95.0
        ),
    )  # fmt: skip
    chunks = [Chunk(key, text, "python", None, 0, len(text)) for key, text in train.corpus.items()]
    made = generate(chunks, config, work / "cache", 42).questions
    return RetrievalDataset(
        {one.id: one.text for one in made}, train.corpus, {one.id: tuple(one.chunk_ids) for one in made}
    )


def large(train: RetrievalDataset, work: Path) -> RetrievalDataset:
    """The questions of benchmarks/data; chunks are known by how they begin, for another Python words some otherwise."""
    rows = [json.loads(line) for line in LARGE.read_text(encoding="utf-8").splitlines()]
    chunk_of = {" ".join(text.split())[:150]: key for key, text in train.corpus.items()}
    asked = [
        (f"{chunk_of[row['begins']]}-{number}", text, chunk_of[row["begins"]])
        for row in rows
        if row["begins"] in chunk_of
        for number, text in enumerate(row["questions"])
    ]
    return RetrievalDataset(
        {key: text for key, text, _ in asked}, train.corpus, {key: (chunk,) for key, _, chunk in asked}
    )


KINDS: dict[str, Make | None] = {
    "windows": None,
    "extractive": None,
    "small_llm": small,
    "large_llm": large,
}


if __name__ == "__main__":
    sys.exit(main())
