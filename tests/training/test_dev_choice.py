"""Which epoch dev keeps: the last one, the best one, or none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tiny import train

from embft.records import RetrievalDataset
from embft.training.dev_search import DevResult, DevSearch

QUESTIONS = 40
DATASET = RetrievalDataset(
    {f"q{at}": "?" for at in range(QUESTIONS)},
    {f"c{at}": "." for at in range(QUESTIONS)},
    {f"q{at}": (f"c{at}",) for at in range(QUESTIONS)},
)


def search(*scores: list[float]) -> DevSearch:
    """One whose base model and epochs have these scores."""
    nothing: Any = SimpleNamespace()
    results = [DevResult(nothing, {}, np.array(values)) for values in scores]
    return DevSearch(DATASET, nothing, nothing, "ndcg@10", results[0], results[1:])


BASE = [0.5] * QUESTIONS
LITTLE_BETTER = [0.9, 0.2, *BASE[2:]]
"""On the whole, by less than its standard error."""
BETTER = [0.8 + 0.01 * (at % 3) for at in range(QUESTIONS)]
WORSE = [0.2 + 0.01 * (at % 3) for at in range(QUESTIONS)]


@pytest.mark.parametrize(
    ("best", "last", "harm", "below"),
    [
        (BETTER, BETTER, False, False),
        (LITTLE_BETTER, BASE, False, False),
        (BETTER, BASE, False, True),
        (LITTLE_BETTER, WORSE, False, True),
        (WORSE, WORSE, True, None),
    ],
)
def test_one_standard_error_decides_between_the_last_epoch_the_best_and_the_base_model(best, last, harm, below):
    dev = search(BASE, best, last)
    assert dev.does_harm(None, 1) == harm
    if below is not None:
        assert dev.is_below(None, 2) == below
        assert dev.best is dev.epochs[0 if below else 1]


@pytest.mark.slow
def test_the_weights_of_the_last_epoch_are_kept_where_an_earlier_one_is_hardly_better(tmp_path, monkeypatch):
    # Dev is made to find the first epoch the best, by nothing that one standard error would not cover.
    whole = DevSearch.metrics
    monkeypatch.setattr(
        DevSearch, "metrics", lambda self, model: {**whole(self, model), "ndcg@10": 0.9 - 0.1 * len(self.epochs)}
    )
    monkeypatch.setattr(DevSearch, "does_harm", lambda self, model, epoch: bool(setattr(self, "best", self.epochs[0])))
    answers = iter([False, True])
    monkeypatch.setattr(DevSearch, "is_below", lambda self, model, epoch: next(answers))
    kept = [train(tmp_path / name).value.report for name in ("last", "best")]
    assert [report.best_epoch for report in kept] == [2, 1]
    assert kept[0].fingerprint != kept[1].fingerprint
