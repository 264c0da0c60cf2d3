"""Forty questions, each with a labelled chunk and one as good that nobody labelled; two systems, each of which finds one kind."""

from __future__ import annotations

from embft.records import Ranking, RetrievalDataset

QUESTIONS = 40


def dataset() -> RetrievalDataset:
    numbers = range(QUESTIONS)
    corpus = {f"labelled{n}": f"Passage {n} answers, and is labelled." for n in numbers}
    corpus |= {f"hidden{n}": f"Passage {n} answers, and nobody looked." for n in numbers}
    corpus |= {f"other{n}": f"Something else, number {n}." for n in numbers}
    return RetrievalDataset(
        {f"q{n}": f"what is number {n}?" for n in numbers},
        dict(sorted(corpus.items())),
        {f"q{n}": (f"labelled{n}",) for n in numbers},
    )


def rankings() -> dict[str, Ranking]:
    """bm25 finds the labelled chunk first for two questions of three; base finds the hidden one for every question."""
    words = {
        f"q{n}": (f"labelled{n}", f"other{n}") if n % 3 else (f"other{n}", f"other{(n + 1) % QUESTIONS}")
        for n in range(QUESTIONS)
    }
    vectors = {f"q{n}": (f"hidden{n}", f"other{n}", f"labelled{n}") for n in range(QUESTIONS)}
    return {name: made(name, ids) for name, ids in (("bm25", words), ("base", vectors))}


def made(system: str, ids: dict[str, tuple[str, ...]]) -> Ranking:
    return Ranking(system, system, ids, {key: tuple(-float(at) for at in range(len(own))) for key, own in ids.items()})


def truth(question: str, passage: str) -> int:
    """3 where question and passage have one number and the passage answers, else 0."""
    number = question.removesuffix("?").split()[-1]
    return 3 if passage.startswith(f"Passage {number} ") else 0
