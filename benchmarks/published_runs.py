"""Datasets of LLM-written questions that others made about documents of their own, to choose defaults on many corpora.

They lie in public repositories, and nothing of them is kept here: `python benchmarks/bench_corpora.py --clones DIR` clones what
is missing, and reads the pinned commits.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from embft.dataset.formats import write_llama_index
from embft.dataset.leaks import find_leaks
from embft.records import RetrievalDataset

_TRAIN_CHUNKS, _TEST_CHUNKS = 150, 250
"""What is used of larger ones, from the beginning: about the size of the article's own, so that a recipe takes minutes."""
_NUMBERING = re.compile(r"^(?:Question\s*)?\d*\s*[:.)]\s*")
_SHORTEST = 15
"""Characters; shorter "questions" are headings of an LLM's reply."""


@dataclass(frozen=True)
class PublishedRun:
    """One repository's dataset.

    Attributes:
        train: Path of a LlamaIndex dataset in the repository.
        test: Path of another, about other documents or chunks; None: the second half of ``train``'s chunks.
    """

    name: str
    repository: str
    commit: str
    train: str
    test: str | None = None


RUNS = (
    PublishedRun(
        "uber", "run-llama/finetune-embedding", "da96b6015be89c2fcce8d0d31fb9cef2d9e281f9",
        "data/train_dataset.json", "data/val_dataset.json",
    ),
    PublishedRun(
        "novels", "AI-Maker-Space/DataRepository", "fb114bd4138b35db0f8d35171f16794aa58cd0c3",
        "embedding_data/train_dataset.json", "embedding_data/eval_dataset.json",
    ),
    PublishedRun(
        "llamas", "AI-Maker-Space/DataRepository", "fb114bd4138b35db0f8d35171f16794aa58cd0c3",
        "high-performance-rag/train_dataset.json",
    ),
    PublishedRun(
        "networks", "Genie-Experiments/fine-tuning-embeddings", "f012789a0abfa82ced3001d1d427dacc73854a81",
        "data/testing.json",
    ),
    PublishedRun(
        "wiki", "Genie-Experiments/fine-tuning-embeddings", "f012789a0abfa82ced3001d1d427dacc73854a81",
        "data/qa_finetune_dataset.json",
    ),
    PublishedRun(
        "quality", "MistyDragon7/eil_embeddings", "8c4512d5c62a6a0c608b82980744614fcd027a48", "train_dataset.json"
    ),
    PublishedRun(
        "economics", "RodrigoGrijalba/fine-tuning-class-data", "0e8f9ea354f165d451ed91f237cf18b5fdd947fc",
        "train_dataset.json", "val_dataset.json",
    ),
    PublishedRun(
        "dermatology", "anushagadgil/Derm-RAG", "9a036d8157edc21dc2be6b5287305edc94bc1c78",
        "train_dataset.json", "val_dataset.json",
    ),
    PublishedRun(
        "food", "brevankumar/NutriChef-Your-Personal-Healthy-Recipe-Assistant",
        "5bc3f0b1128c91f31ec88731b0f9eeda4ee97dc0", "train_dataset.json",
    ),
)  # fmt: skip


def prepare(run: PublishedRun, clones: Path, folder: Path) -> tuple[Path, Path]:
    """Writes a run's train and test questions as LlamaIndex datasets to ``folder``, and returns their paths.

    Train chunks whose questions leak into the test (some authors split questions, or have a page twice) are left out.

    Args:
        clones: Folder of clones, each named ``owner+name``; a missing one is cloned from GitHub.
    """
    clone = clones / run.repository.replace("/", "+")
    if not clone.exists():
        subprocess.run(["git", "clone", "--quiet", f"https://github.com/{run.repository}", clone], check=True)
    first = _read(clone, run.commit, run.train)
    if run.test is None:
        chunks = list(first.corpus)
        half = len(chunks) // 2
        train, test = _part(first, chunks[:half]), _part(first, chunks[half:])
    else:
        train, test = first, _read(clone, run.commit, run.test)
    train, test = _part(train, list(train.corpus)[:_TRAIN_CHUNKS]), _part(test, list(test.corpus)[:_TEST_CHUNKS])
    leaking = {leak.chunk for leak in find_leaks(train, test)}
    train = _part(train, [chunk for chunk in train.corpus if chunk not in leaking])
    paths = folder / f"{run.name}.train.json", folder / f"{run.name}.test.json"
    folder.mkdir(parents=True, exist_ok=True)
    for path, part in zip(paths, (train, test), strict=True):
        write_llama_index(path, part)
    return paths


def _read(clone: Path, commit: str, path: str) -> RetrievalDataset:
    """A dataset without numbering, repeated questions and what is no question."""
    shown = subprocess.run(["git", "-C", clone, "show", f"{commit}:{path}"], check=True, capture_output=True).stdout
    content = json.loads(shown)
    corpus = {key: text for key, text in content["corpus"].items() if text.strip()}
    queries: dict[str, str] = {}
    relevant: dict[str, tuple[str, ...]] = {}
    seen = set()
    for key, text in content["queries"].items():
        asked = _NUMBERING.sub("", text).strip().strip('"')
        chunks = tuple(chunk for chunk in content["relevant_docs"].get(key, []) if chunk in corpus)
        if len(asked) >= _SHORTEST and asked not in seen and chunks:
            seen.add(asked)
            queries[key], relevant[key] = asked, chunks
    return RetrievalDataset(queries, corpus, relevant)


def _part(dataset: RetrievalDataset, chunks: Sequence[str]) -> RetrievalDataset:
    """Some of the chunks, and the questions about them."""
    corpus = {chunk: dataset.corpus[chunk] for chunk in chunks}
    relevant = {key: tuple(chunk for chunk in found if chunk in corpus) for key, found in dataset.relevant_docs.items()}
    relevant = {key: found for key, found in relevant.items() if found}
    return RetrievalDataset({key: dataset.queries[key] for key in relevant}, corpus, relevant)
