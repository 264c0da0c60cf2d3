"""Whitening: the map, and the stage that puts it at the end of a tuned model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tiny import SETTINGS, make_base, make_dataset, make_splits

from embft.config_training import TrainingConfig
from embft.retrieval.scoring import unit
from embft.stages import StageCache, StageResult
from embft.steps.dev_search import DevSearch
from embft.steps.embedding import Embedder
from embft.steps.ranking import tuned_embedder
from embft.steps.training import Tuned
from embft.steps.tuned_model import make_tuned_model
from embft.training.whitening import Whitening

DIM = 8


def vectors(count: int = 4000) -> Any:
    """Unit vectors around a common mean, most of them spread along a few directions."""
    draw = np.random.default_rng(0)
    spread = draw.normal(size=(count, DIM)) * np.geomspace(1, 0.1, DIM)
    return unit((spread @ np.linalg.qr(draw.normal(size=(DIM, DIM)))[0] + 1).astype(np.float32))


def variances(mapped: Any) -> Any:
    """From the weakest direction to the strongest."""
    return np.linalg.eigvalsh(np.cov(mapped.T))


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_the_mean_goes_and_variances_draw_nearer(strength):
    given = vectors()
    found = Whitening.of(given, strength)
    mapped = given @ found.weight + found.bias
    np.testing.assert_allclose(mapped.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(mapped, axis=1).mean(), 1, rtol=1e-4)
    before, after = variances(given), variances(mapped)
    # The ratio of any two variances is raised to 1 - strength, as far as the covariance is not shrunk.
    np.testing.assert_allclose(after[0] / after[-1], (before[0] / before[-1]) ** (1 - strength), rtol=0.15)
    np.testing.assert_allclose(found.weight, found.weight.T, atol=1e-6)
    np.testing.assert_allclose(found(given), unit(mapped), atol=1e-6)


def test_lengths_do_not_matter():
    given = vectors()
    stretched = given * np.linspace(0.5, 3, len(given), dtype=np.float32)[:, None]
    found, other = Whitening.of(given, 0.5), Whitening.of(stretched, 0.5)
    np.testing.assert_allclose(found(given), other(stretched), atol=1e-5)


def test_of_few_vectors_none_is_blown_up():
    given = vectors(DIM + 1)
    found = Whitening.of(given, 1.0)
    stretch = np.linalg.eigvalsh(found.weight.astype(np.float64))
    assert np.isfinite(found.weight).all()
    assert stretch[-1] / stretch[0] < 10


def tune(root: Any, base: Embedder, splits: Any = None, **settings: Any) -> StageResult[Tuned]:
    config = TrainingConfig(name="tiny", **{**SETTINGS, "whitening": 0.5, **settings})
    stages = StageCache(root / "cache")
    return make_tuned_model(stages, config, make_dataset(splits), base, 1, lambda values, step: None)


@pytest.fixture
def no_harm(monkeypatch) -> None:
    """Made-up words have no meaning that whitening could uncover."""
    monkeypatch.setattr(DevSearch, "_is_lower", lambda self, lower, higher: False)


def test_the_saved_model_gives_the_whitened_vectors(tmp_path, no_harm):
    from sentence_transformers import SentenceTransformer

    base, splits = make_base(tmp_path), make_splits()
    plain, whitened = tune(tmp_path, base, whitening=0.0).value, tune(tmp_path, base).value
    assert whitened.report["whitening"]["kept"]
    assert whitened.report["whitening"]["passages"] == len(splits.train.corpus)
    assert "whitening" not in plain.report
    assert plain.fingerprint != whitened.fingerprint
    texts = list(splits.test.corpus.values())
    before, after = (SentenceTransformer(str(model.folder), device="cpu").encode(texts) for model in (plain, whitened))
    train = SentenceTransformer(str(plain.folder), device="cpu").encode(sorted(set(splits.train.corpus.values())))
    np.testing.assert_allclose(after, Whitening.of(train, 0.5)(before), atol=1e-5)
    # What dev found is what the model gives: the ranking need not embed its texts again.
    embedder = tuned_embedder(base, whitened)
    asked = list(splits.dev.queries.values())
    kept = SentenceTransformer(str(whitened.folder), device="cpu").encode(asked)
    np.testing.assert_allclose(embedder.query_vectors(splits.dev), kept, atol=1e-5)


def test_it_is_found_again_and_its_seconds_are_the_training_s(tmp_path, no_harm):
    base = make_base(tmp_path)
    first, again = tune(tmp_path, base), tune(tmp_path, base)
    assert not first.cached
    assert again.cached
    assert again.value == first.value
    assert tune(tmp_path, base, whitening=0.0).built_seconds < again.built_seconds
    assert not tune(tmp_path, base, whitening=0.4).cached


def test_it_is_left_out_where_dev_shows_harm(tmp_path, monkeypatch):
    base = make_base(tmp_path)
    plain = tune(tmp_path, base, whitening=0.0).value
    monkeypatch.setattr(Whitening, "__call__", lambda self, given: np.roll(given, 1, axis=0))
    found = tune(tmp_path, base).value
    assert found.report["whitening"]["why"] == "harm"
    before, after = found.report["whitening"]["dev"]
    assert after < before
    assert (found.folder, found.fingerprint) == (plain.folder, plain.fingerprint)


def test_too_few_passages_and_a_kept_base_model_are_left_alone(tmp_path, monkeypatch):
    base = make_base(tmp_path)
    few = make_splits(train=16)  # as many as a vector has numbers
    assert tune(tmp_path, base, few).value.report["whitening"]["why"] == "few"
    monkeypatch.setattr(DevSearch, "does_harm", lambda self, model, epoch: True)
    kept = tune(tmp_path, base, learning_rate=1e-3).value
    assert kept.report["best_epoch"] == 0
    assert "whitening" not in kept.report


@pytest.mark.parametrize(
    ("mode", "settings", "strength"),
    [("windows", {}, 0.2), ("truncate", {}, None), ("windows", {"matryoshka": [8]}, None)],
)
def test_without_a_strength_windows_are_whitened_and_nothing_else(tmp_path, mode, settings, strength):
    base = make_base(tmp_path)
    base = replace(base, retrieval=replace(base.retrieval, mode=mode))
    found = tune(tmp_path, base, whitening=None, epochs=1, **settings).value.report.get("whitening")
    assert (found and found["strength"]) == strength
