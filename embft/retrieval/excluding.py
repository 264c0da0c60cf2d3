"""Scorers that leave chunks out of a question's ranking: its own copy in the corpus, as BEIR does with identical ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from embft.records import Ranking, RetrievalDataset
from embft.retrieval.scoring import Scorer, Scores


@dataclass(frozen=True)
class ExcludingScorer:
    """Another scorer, for which the excluded chunks of a question score as its worst chunk does.

    So a mix of two scorers is scaled as though they were not there.

    Attributes:
        columns: Row (a question's position) to the positions of its excluded chunks.
    """

    scorer: Scorer
    columns: Mapping[int, npt.NDArray[np.int64]]

    @property
    def n_questions(self) -> int:
        """Rows."""
        return self.scorer.n_questions

    @property
    def n_chunks(self) -> int:
        """Columns."""
        return self.scorer.n_chunks

    def scores(self, start: int, end: int) -> Scores:
        """See `Scorer`."""
        scores = np.array(self.scorer.scores(start, end))
        for row in range(start, end):
            if row in self.columns:
                scores[row - start, self.columns[row]] = scores[row - start].min()
        return scores


def excluding(scorer: Scorer, dataset: RetrievalDataset) -> Scorer:
    """The scorer less what ``dataset.excluded`` names; the scorer itself where that is nothing."""
    if not dataset.excluded:
        return scorer
    place = {chunk_id: column for column, chunk_id in enumerate(dataset.corpus)}
    columns = {
        row: np.array([place[key] for key in dataset.excluded[question_id] if key in place], np.int64)
        for row, question_id in enumerate(dataset.queries)
        if question_id in dataset.excluded
    }
    return ExcludingScorer(scorer, columns)


def without_excluded(ranking: Ranking, dataset: RetrievalDataset) -> Ranking:
    """The ranking less what ``dataset.excluded`` names: in a small corpus even the worst chunk is in it."""
    if not dataset.excluded:
        return ranking
    kept = {
        key: [at for at, chunk_id in enumerate(ids) if chunk_id not in dataset.excluded.get(key, ())]
        for key, ids in ranking.chunk_ids.items()
    }
    return replace(
        ranking,
        chunk_ids={key: tuple(ranking.chunk_ids[key][at] for at in places) for key, places in kept.items()},
        scores={key: tuple(ranking.scores[key][at] for at in places) for key, places in kept.items()},
    )
