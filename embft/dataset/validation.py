"""Checks that every dataset passes before anything is trained or measured on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from embft.records import RetrievalDataset


@dataclass(frozen=True)
class Findings:
    """What is wrong with a dataset.

    Attributes:
        fatal: It cannot be used.
        warnings: It can, but figures suffer.
    """

    fatal: list[str]
    warnings: list[str]


def validate(dataset: RetrievalDataset, name: str) -> Findings:
    """Checks one split; each finding names the split, the count and up to three examples."""
    fatal, warnings = [], []
    if not dataset.queries:
        fatal.append(f"{name}: there are no questions.")
    if not dataset.corpus:
        fatal.append(f"{name}: the corpus is empty.")
    checks: list[tuple[Iterable[str], str, list[str]]] = [
        (
            (key for key in dataset.queries if not dataset.relevant_docs.get(key)),
            "questions have no relevant chunk",
            fatal,
        ),
        (
            (key for key in dataset.relevant_docs if key not in dataset.queries),
            "entries of relevant_docs are about questions that queries lacks",
            fatal,
        ),
        (
            (f"{key} -> {ids[0]}" for key, ids in _dangling(dataset)),
            "questions point to chunks that the corpus lacks",
            fatal,
        ),
        ((key for key, text in dataset.queries.items() if not text.strip()), "questions are empty", fatal),
        ((key for key, text in dataset.corpus.items() if not text.strip()), "chunks are empty", warnings),
    ]
    for keys, what, findings in checks:
        found = list(keys)
        if found:
            findings.append(f"{name}: {len(found)} {what}: {_examples(found)}.")
    same = [text for text, count in Counter(" ".join(t.lower().split()) for t in dataset.queries.values()).items() if count > 1]
    if same:
        warnings.append(f"{name}: {len(same)} questions stand more than once: {_examples([repr(text) for text in same])}.")
    return Findings(fatal, warnings)


def _dangling(dataset: RetrievalDataset) -> Iterable[tuple[str, list[str]]]:
    for key, ids in dataset.relevant_docs.items():
        missing = [chunk_id for chunk_id in ids if chunk_id not in dataset.corpus]
        if missing:
            yield key, missing


def _examples(keys: list[str]) -> str:
    return ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "")
