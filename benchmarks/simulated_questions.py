"""Questions that share relevant chunks in known ways, and scores of two systems whose true means are known.

For bench_calibration.py and for the test of the same in short form. Nothing here knows the statistics that are judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.special import ndtr

Floats = npt.NDArray[np.float64]
Structure = list[list[int]]
"""For each question the numbers of its relevant chunks."""
_HITS = 5
_TRUTHS = 2_000_000


@dataclass(frozen=True)
class Kind:
    """How latent quality becomes scores.

    Attributes:
        name: As the table has it.
        score: From latent quality, about standard normal, to scores.
        own: Share of the latent variance that is a system's own; the rest is the question's difficulty, the same for both
            systems. The less of it, the more ties.
        shift: By how much the latent quality of the first system is higher.
    """

    name: str
    score: Callable[[Floats], Floats]
    own: float = 0.5
    shift: float = 0.0


def ndcg_of_one(latent: Floats) -> Floats:
    """nDCG@10 of a question with one relevant chunk: 0, or 1 / log2(rank + 1)."""
    rank = np.ceil(np.exp(0.9 - 1.3 * latent))
    return np.where(rank <= 10, 1 / np.log2(rank + 1), 0.0)


def ndcg_of_many(latent: Floats) -> Floats:
    """nDCG@10 of a question with many relevant chunks: any figure from 0 to 1, more of them low."""
    return np.maximum(0.0, np.round(ndtr(1.1 * latent - 0.4) - 0.05, 2))


def hit(latent: Floats) -> Floats:
    """Hit rate@5: 0 or 1; three in four are hits."""
    return (latent > -0.7).astype(np.float64)


def easy_hit(latent: Floats) -> Floats:
    """Hit rate@10 where nearly all are hits: 92%."""
    return (latent > -1.4).astype(np.float64)


def gaussian(latent: Floats) -> Floats:
    """Normal, and so not between 0 and 1: what textbooks assume."""
    return 0.3 * latent


def siblings(count: int, random: np.random.Generator) -> Structure:
    """One chunk a question; one to three questions a chunk."""
    sizes = random.integers(1, 4, count)
    return [[chunk] for chunk, size in enumerate(sizes) for _ in range(size)][:count]


def cranfield_like(count: int, random: np.random.Generator) -> Structure:
    """2 to 15 of 1,400 chunks a question."""
    return [sorted(set(random.integers(0, 1400, random.integers(2, 16)).tolist())) for _ in range(count)]


def giant(count: int, random: np.random.Generator) -> Structure:
    """A component of all questions: a median of 30 relevant chunks among 1,460, some of them relevant to many questions."""
    popular = random.lognormal(0, 0.55, 1460)
    sizes = np.clip(random.lognormal(3.4, 0.8, count), 3, 300).astype(int)
    return [random.choice(1460, size, replace=False, p=popular / popular.sum()).tolist() for size in sizes]


def judged(folder: Path) -> Callable[[int, np.random.Generator], Structure]:
    """The structure of a BEIR folder's judgements: a draw of its questions; where more are wanted, mixtures of them.

    A mixture takes each relevant chunk of a question as it is, or another chunk as often as chunks are relevant.
    """
    questions = _judgements(folder)
    every = np.array([chunk for chunks in questions for chunk in chunks])

    def draw(count: int, random: np.random.Generator) -> Structure:
        if count <= len(questions):
            return [questions[place] for place in random.permutation(len(questions))[:count]]
        drawn = (questions[place] for place in random.integers(0, len(questions), count))
        return [
            sorted({chunk if random.random() < 0.5 else int(random.choice(every)) for chunk in chunks})
            for chunks in drawn
        ]

    return draw


def relevant_docs(structure: Structure) -> dict[str, list[str]]:
    """As `Dependence.of` wants it."""
    return {str(place): [str(chunk) for chunk in chunks] for place, chunks in enumerate(structure)}


def scores_of_two(
    structure: Structure, kind: Kind, share: float, trials: int, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Scores of two systems, float64 [trials, n_questions] each.

    Args:
        share: Of all latent variance, what comes from the chunks: each has an effect of its own, and a question has the
            sum of its chunks' effects over the root of their number.
    """
    parts = _parts(structure)

    def effect() -> Floats:
        shared = np.asarray((parts @ random.standard_normal((parts.shape[1], trials))).T)
        return share**0.5 * shared + (1 - share) ** 0.5 * random.standard_normal((trials, len(structure)))

    difficulty = (1 - kind.own) ** 0.5 * effect()
    one, other = (kind.score(difficulty + kind.own**0.5 * effect() + shift) for shift in (kind.shift, 0.0))
    return one, other


@cache
def true_mean(score: Callable[[Floats], Floats], shift: float) -> float:
    """The mean score of a system over all questions that there could be."""
    return float(score(np.random.default_rng(1).standard_normal(_TRUTHS) + shift).mean())


def _parts(structure: Sequence[Sequence[int]]) -> csr_array:
    columns = {chunk: column for column, chunk in enumerate(dict.fromkeys(c for chunks in structure for c in chunks))}
    rows = np.repeat(np.arange(len(structure)), [len(chunks) for chunks in structure])
    places = [columns[chunk] for chunks in structure for chunk in chunks]
    weights = np.concatenate([np.full(len(chunks), len(chunks) ** -0.5) for chunks in structure])
    return csr_array((weights, (rows, np.array(places))), shape=(len(structure), len(columns)))


@cache
def _judgements(folder: Path) -> Structure:
    chunks: dict[str, int] = {}
    questions: dict[str, list[int]] = {}
    for file in sorted((folder / "qrels").glob("*.tsv")):
        for line in file.read_text(encoding="utf-8").splitlines()[1:]:
            question, chunk, grade = line.split("\t")
            if float(grade) > 0:
                questions.setdefault(question, []).append(chunks.setdefault(chunk, len(chunks)))
    return list(questions.values())
