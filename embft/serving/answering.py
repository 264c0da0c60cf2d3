"""Questions to ranked chunks, by the very rankers that the run was ranked by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from embft.models.hardware import pick_device
from embft.ranking.bench import Bench
from embft.records import Ranking, RetrievalDataset
from embft.retrieval.bm25 import BM25Scorer
from embft.retrieval.embedder import Embedder
from embft.retrieval.scoring import Scorer
from embft.serving.models import open_embedder
from embft.serving.run_files import ChunkRow, RunFiles

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

    _index: BM25Scorer | None = None

    def ask(self, questions: RetrievalDataset) -> None:
        """Puts other questions on the bench."""
        self.searched = {_LIVE: questions}
        self._scorers.clear()

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

    Raises:
        ModelError: A model is not available, or is not the one that was ranked.
    """

    def __init__(self, run: RunFiles, device: str | None = None) -> None:
        self.run = run
        self._empty = replace(run.test, queries={}, relevant_docs={}, grades={}, excluded={})
        base, tuned = self._models(device)
        self._bench = AnsweringBench(run.config.retrieval, run.config.evaluation, {}, base, tuned)
        self._bench.fusion = run.setup.fusion
        self._bench.reranking = run.setup.reranking

    def _models(self, device: str | None) -> tuple[Embedder, Embedder | None]:
        """Only those that a system of the run uses: a base model that nothing asks need not be available."""
        used = {self.run.model_of(system) for system in self.run.setup.systems}
        tuned = open_embedder(self.run, "tuned", device) if "tuned" in used else None
        if "base" in used or tuned is None:
            return open_embedder(self.run, "base", device), tuned
        return tuned, tuned

    def embedder(self, name: str) -> Embedder:
        """The embedder of ``base`` or ``tuned``."""
        return self._bench.embedder(name)

    def device(self) -> str:
        """What computes."""
        return pick_device(self._bench.base.encoder.device)

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

    def test_rankings(self, system: str) -> Mapping[str, tuple[str, ...]]:
        """The test questions' rankings, by question id."""
        test = self.run.test
        ids = list(test.queries)
        ranking = self.rank(system, [Asked(test.queries[key], test.excluded.get(key, ())) for key in ids])
        return {key: ranking.chunk_ids[str(place)] for place, key in enumerate(ids)}
