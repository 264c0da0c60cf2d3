"""Questions to ranked chunks, by the very rankers that the run was ranked by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from embft.ranking.bench import Bench
from embft.records import Ranking, RetrievalDataset
from embft.retrieval.bm25 import BM25Scorer
from embft.retrieval.embedder import Embedder
from embft.retrieval.scoring import Scorer
from embft.serving.models import open_embedder
from embft.serving.run_files import ChunkRow, RunFiles
from embft.serving.standing import StandingEmbedder, StandingIndex

_LIVE = "test"
"""The bench's name for whatever is being asked: rankers know splits."""


@dataclass(frozen=True)
class Hit:
    """A chunk of a ranking."""

    chunk: ChunkRow
    score: float


@dataclass(frozen=True)
class Asked:
    """A question, and chunks that its ranking leaves out."""

    text: str
    excluded: tuple[str, ...] = ()


class AnsweringBench(Bench):
    """A bench whose questions change while its indexes stand."""

    keeps_scores = False  # what people ask is not stored
    _index: BM25Scorer | None = None

    def ask(self, questions: RetrievalDataset) -> None:
        """Puts other questions on the bench."""
        self.searched = {_LIVE: questions}
        self._scorers.clear()

    def _from_mixes(self, scorer: Scorer, system: str, score_name: str, split: str) -> None:
        """One system is asked for: nothing is worked out for the others."""

    def lexical(self, split: str) -> Scorer:
        """See `Bench.lexical`; the index is made once."""
        dataset = self.searched[split]
        if self._index is None:
            self._index = BM25Scorer.of(self.retrieval, dataset.indexed, None)
        return self._index.asking(list(dataset.queries.values()))

    def embedder(self, name: str) -> Embedder:
        """See `Bench.embedder`; nothing is embedded ahead."""
        embedder = self.base if name == "base" else self.tuned
        assert embedder is not None
        return embedder


class Answering:
    """A run's systems, ready to be asked. Not for several threads at once.

    Args:
        run: The run.
        device: What the model computes on; None: as in the run.
        refitted: With the tuned model that was trained again on everything, of which no figure speaks.

    Raises:
        ModelError: A model is not available, or is not the one that was ranked.
    """

    def __init__(self, run: RunFiles, device: str | None = None, *, refitted: bool = False) -> None:
        self.run = run
        self._empty = replace(run.test, queries={}, relevant_docs={}, grades={}, excluded={})
        base, tuned = self._models(device, refitted)
        self._bench = AnsweringBench(run.config.retrieval, run.config.evaluation, {}, base, tuned)
        self._bench.fusion = run.setup.fusion
        self._bench.reranking = run.setup.reranking

    def _models(self, device: str | None, refitted: bool) -> tuple[Embedder, Embedder | None]:
        """Only those that a system of the run uses: a base model that nothing asks need not be available."""
        used = {self.run.model_of(system) for system in self.run.setup.systems}
        tuned = open_embedder(self.run, "tuned", device, refitted=refitted) if "tuned" in used else None
        if "base" in used or tuned is None:
            return open_embedder(self.run, "base", device), tuned
        return tuned, tuned

    def embedder(self, name: str) -> Embedder:
        """The embedder of ``base`` or ``tuned``."""
        return self._bench.embedder(name)

    def index(self, embedder: Embedder) -> StandingIndex:
        """All that is searched, as one of the embedders embeds it."""
        assert isinstance(embedder, StandingEmbedder)
        return embedder.index(self._empty)

    def lexical(self, questions: Sequence[str]) -> Scorer:
        """BM25's scorer of any questions."""
        self._bench.ask(replace(self._empty, queries={str(place): text for place, text in enumerate(questions)}))
        return self._bench.lexical(_LIVE)

    def rank(self, system: str, asked: Sequence[Asked]) -> Ranking:
        """Ranks chunks for questions as the run did: same chunks, same order, same scores.

        Args:
            system: One of the run's.
            asked: One at least.

        Returns:
            The ranking that stands for the system; questions are named by their position, from "0".
        """
        self._bench.ask(
            replace(
                self._empty,
                queries={str(place): question.text for place, question in enumerate(asked)},
                excluded={str(place): question.excluded for place, question in enumerate(asked) if question.excluded},
            )
        )
        return next(iter(self._bench.rank(system, _LIVE).values()))

    def search(self, system: str, asked: Sequence[Asked]) -> list[list[Hit]]:
        """The chunks of each question's ranking, best first."""
        ranking = self.rank(system, asked)
        return [
            [
                Hit(self.run.chunks[chunk_id], score)
                for chunk_id, score in zip(ranking.chunk_ids[key], ranking.scores[key], strict=True)
            ]
            for key in map(str, range(len(asked)))
        ]
