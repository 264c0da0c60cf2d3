"""Checks that every dataset passes before anything is trained or measured on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from embft.records import RetrievalDataset

_EXAMPLES = 3


@dataclass(frozen=True)
class Findings:
    """What is wrong with a dataset, one sentence a problem.

    Attributes:
        fatal: It cannot be used.
        warnings: It can, but figures suffer.
    """

    fatal: list[str]
    warnings: list[str]


def validate(dataset: RetrievalDataset, name: str) -> Findings:
    """Checks one split.

    Args:
        dataset: The split, with the corpus that its relevant chunks must stand in.
        name: What the findings call it: ``train``, ``dev`` or ``test``.

    Returns:
        All problems. Each names the split, how many questions or chunks it is about, up to three of their ids, and what
        to do. Fatal are an empty split, ids that lead nowhere, questions that are empty or have no relevant chunk.
        Empty chunks are warnings.
    """
    queries, corpus, relevant_docs = dataset.queries, dataset.corpus, dataset.relevant_docs
    fatal: list[str] = []
    warnings: list[str] = []
    if not queries:
        fatal.append(f"{name}: there are no questions.")
    if not corpus:
        fatal.append(f"{name}: the corpus is empty.")

    def note(findings: list[str], ids: Sequence[str], what: str, remedy: str) -> None:
        if ids:
            shown = ", ".join(ids[:_EXAMPLES]) + (", ..." if len(ids) > _EXAMPLES else "")
            findings.append(f"{name}: {what}: {len(ids)} ({shown}). {remedy}")

    note(
        fatal,
        [key for key in queries if not relevant_docs.get(key)],
        "questions without a relevant chunk",
        "Name their chunks in relevant_docs, or remove them.",
    )
    note(
        fatal,
        [key for key in relevant_docs if key not in queries],
        "entries of relevant_docs about questions that are not there",
        "Add the questions, or remove the entries.",
    )
    note(
        fatal,
        [
            f"{key} -> {missing}"
            for key, ids in relevant_docs.items()
            if (missing := next((chunk_id for chunk_id in ids if chunk_id not in corpus), None)) is not None
        ],
        "questions whose relevant chunks are not in the corpus",
        "Add the chunks, or remove them from relevant_docs.",
    )
    note(fatal, [key for key, text in queries.items() if not text.strip()], "empty questions", "Remove them.")
    note(
        warnings,
        [key for key, text in corpus.items() if not text.strip()],
        "empty chunks",
        "No system can find them: remove them.",
    )
    return Findings(fatal, warnings)
