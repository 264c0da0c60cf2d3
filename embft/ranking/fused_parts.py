"""The system ``fused`` of two parts or of three: the vectors of windows, the words, and where asked for the vectors of tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from embft.evaluation.bootstrap import bagged_best
from embft.evaluation.costs import MeasuredCosts, Rates, SystemCosts, with_token_index
from embft.evaluation.dependence import Dependence
from embft.evaluation.metrics import dataset_scores
from embft.ranking.bench import Bench, Fusion, SystemFacts
from embft.ranking.fused import FusedRanker
from embft.records import RetrievalDataset
from embft.retrieval.excluding import excluding
from embft.retrieval.scoring import Scorer, Scores, min_max

_SHARES = tuple(round(float(share), 2) for share in np.linspace(0, 1, 21))
_EVEN_OF_TWO, _EVEN_OF_THREE = 0.5, 1 / 3
_ROUNDS = 2


class FusionRanker(FusedRanker):
    """See `embft.ranking.bench.Ranker`. Of two parts it is `embft.ranking.fused.FusedRanker`."""

    def __init__(self) -> None:
        self._late: dict[str, tuple[RetrievalDataset, Scorer]] = {}

    def scorers(self, bench: Bench, split: str) -> Mapping[str, Scorer]:
        """One score function, its own."""
        if "late" not in bench.retrieval.fuse:
            return super().scorers(bench, split)
        if bench.fusion is None:
            bench.fusion = self._choose(bench)
        return {"fused": self._mix(bench, split, bench.fusion.weight, bench.fusion.late)}

    def floor(self, bench: Bench) -> float | None:
        """As of two parts; a share of token vectors scores every chunk."""
        return None if bench.fusion is not None and bench.fusion.late else super().floor(bench)

    def describe(self, facts: SystemFacts) -> str:
        """The mix."""
        fusion = facts.fusion
        assert fusion is not None
        if not fusion.late:
            return super().describe(facts)
        words = 1 - fusion.weight - fusion.late
        shares = f"{fusion.weight:.0%} {fusion.dense} + {fusion.late:.0%} its token vectors + {words:.0%} BM25"
        return f"{shares}, weights chosen on dev" if fusion.curve else shares

    def costs(self, measured: MeasuredCosts, rates: Rates) -> SystemCosts:
        """Two indexes, or three."""
        return with_token_index(super().costs(measured, rates), measured)

    def _choose(self, bench: Bench) -> Fusion:
        """The shares that are best on dev, one after the other: of vectors against words, then of tokens against both.

        Each is averaged over bootstrap draws of dev as that of two parts is, and must be ahead of the even mix by as much.
        """
        metric, dev = bench.retrieval.fusion_metric, bench.choosing
        if dev is None:
            bench.notes.append(
                "Without dev questions to choose by, the fusion is an even mix of three; nothing says that these are its best "
                "weights."
            )
            return Fusion(_EVEN_OF_THREE, bench.dense, metric, [], _EVEN_OF_THREE)
        dependence = Dependence.of(list(dev.queries), dev.relevant_docs)

        def by_metric(mix: Scorer) -> npt.NDArray[np.float64]:
            return dataset_scores(bench.rank_by(mix, "fused", "fused", "dev"), dev)[metric]

        dense, late = _EVEN_OF_TWO, _EVEN_OF_THREE
        curve: list[tuple[float, float]] = []
        for _ in range(_ROUNDS):
            rows = np.stack([by_metric(self._shares(bench, "dev", share, late)) for share in _SHARES])
            dense = _SHARES[bagged_best(rows, dependence, (2 * np.array(_SHARES) - 1) ** 2)]
            curve = [(share, round(float(row.mean()), 6)) for share, row in zip(_SHARES, rows, strict=True)]
            rows = np.stack([by_metric(self._shares(bench, "dev", dense, share)) for share in _SHARES])
            far = np.where(np.array(_SHARES) < _EVEN_OF_THREE, _EVEN_OF_THREE, 1 - _EVEN_OF_THREE)
            late = _SHARES[bagged_best(rows, dependence, ((np.array(_SHARES) - _EVEN_OF_THREE) / far) ** 2)]
        return Fusion(round(dense * (1 - late), 6), bench.dense, metric, curve, late)

    def _shares(self, bench: Bench, split: str, dense: float, late: float) -> Scorer:
        """The mix of a share of vectors against words, and one of tokens against both."""
        return self._mix(bench, split, dense * (1 - late), late)

    def _mix(self, bench: Bench, split: str, dense: float, late: float) -> Scorer:
        return MixOfThree(
            bench.scorers(bench.dense, split)["cosine"],
            bench.scorers("bm25", split)["bm25"],
            self._tokens(bench, split),
            dense,
            late,
        )

    def _tokens(self, bench: Bench, split: str) -> Scorer:
        dataset = bench.searched[split]
        if split not in self._late or self._late[split][0] is not dataset:
            embedder = bench.embedder(bench.dense)
            embedder = replace(embedder.in_mode("late"), query_map=None, whitening=None)
            if not self._late:
                embedder.searcher.prepare(embedder, list(bench.searched.values()))
            self._late[split] = (dataset, excluding(embedder.scorers(dataset)["cosine"], dataset))
        return self._late[split][1]


@dataclass(frozen=True)
class MixOfThree:
    """A convex mix of three scorers, each question's scores min-max scaled to 0..1 first; see `embft.retrieval.scoring`.

    Attributes:
        dense, lexical, late: Scorers of the same questions and chunks.
        dense_share, late_share: Of the mix; the rest is ``lexical``'s.
    """

    dense: Scorer
    lexical: Scorer
    late: Scorer
    dense_share: float
    late_share: float

    @property
    def n_questions(self) -> int:
        """Rows."""
        return self.dense.n_questions

    @property
    def n_chunks(self) -> int:
        """Columns."""
        return self.dense.n_chunks

    def scores(self, start: int, end: int) -> Scores:
        """See `Scorer`. A part without a share must not even break ties."""
        parts = (
            (self.dense, self.dense_share),
            (self.lexical, 1 - self.dense_share - self.late_share),
            (self.late, self.late_share),
        )
        scaled = [np.float32(share) * min_max(part.scores(start, end)) for part, share in parts if share > 1e-6]
        mixed: Scores = np.round(np.sum(scaled, axis=0), 6).astype(np.float32)
        return mixed
