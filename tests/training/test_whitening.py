"""Whitening: the map, and the stage that puts it at the end of a tuned model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tiny import make_base, make_splits
from tiny import tune as tune_as_configured

from embft.config import RetrievalConfig
from embft.dataset.formats import read_llama_index
from embft.evaluation.dependence import Dependence
from embft.evaluation.metrics import per_question
from embft.evaluation.significance import compare
from embft.models.encoder import Encoder
from embft.models.vectors import Whitening, read_whitening
from embft.records import RetrievalDataset
from embft.results import Tuned
from embft.retrieval.embedder import Embedder
from embft.retrieval.scoring import rank, unit
from embft.retrieval.vector_cache import VectorCache
from embft.stages import StageResult
from embft.steps.training import tuned_embedder
from embft.training.dev_search import DevSearch
from embft.training.whitening import save_whitened, whitening_of

DIM = 8


def tune(root: Any, base: Any = None, splits: Any = None, **settings: Any) -> StageResult[Tuned]:
    return tune_as_configured(root, base, splits, **{"whitening": 0.5, **settings})


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
    found = whitening_of(given, strength)
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
    found, other = whitening_of(given, 0.5), whitening_of(stretched, 0.5)
    np.testing.assert_allclose(found(given), other(stretched), atol=1e-5)


def test_of_few_vectors_none_is_blown_up():
    given = vectors(DIM + 1)
    found = whitening_of(given, 1.0)
    stretch = np.linalg.eigvalsh(found.weight.astype(np.float64))
    assert np.isfinite(found.weight).all()
    assert stretch[-1] / stretch[0] < 10


@pytest.fixture
def no_harm(monkeypatch) -> None:
    """Made-up words have no meaning that whitening could uncover."""
    monkeypatch.setattr(DevSearch, "_is_lower", lambda self, lower, higher: False)


def test_the_saved_model_gives_the_whitened_vectors(tmp_path, no_harm):
    from sentence_transformers import SentenceTransformer

    base, splits = make_base(tmp_path), make_splits()
    plain, whitened = tune(tmp_path, base, whitening=0.0).value, tune(tmp_path, base).value
    assert whitened.report.whitening.left_out is None
    assert whitened.report.whitening.passages == len(splits.train.corpus)
    assert plain.report.whitening is None
    assert plain.fingerprint != whitened.fingerprint
    texts = list(splits.test.corpus.values())
    before, after = (SentenceTransformer(str(model.folder), device="cpu").encode(texts) for model in (plain, whitened))
    train = SentenceTransformer(str(plain.folder), device="cpu").encode(sorted(set(splits.train.corpus.values())))
    np.testing.assert_allclose(after, whitening_of(train, 0.5)(before), atol=1e-5)
    # The ranking's vectors are those that the training had embedded, mapped.
    embedder = tuned_embedder(base, whitened)
    np.testing.assert_allclose(embedder.passage_vectors(embedder.passages(splits.test.corpus)), after, atol=1e-5)
    assert embedder.encoder.document_identity == tuned_embedder(base, plain).encoder.document_identity


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
    assert found.report.whitening.left_out == "harm"
    dev = found.report.whitening.dev
    assert dev["with"] < dev["without"]
    assert (found.folder, found.fingerprint) == (plain.folder, plain.fingerprint)


def test_too_few_passages_and_a_kept_base_model_are_left_alone(tmp_path, monkeypatch):
    base = make_base(tmp_path)
    few = make_splits(train=16)  # as many as a vector has numbers
    assert tune(tmp_path, base, few).value.report.whitening.left_out == "few"
    monkeypatch.setattr(DevSearch, "does_harm", lambda self, model, epoch: True)
    kept = tune(tmp_path, base, learning_rate=1e-3).value
    assert kept.report.kept_base
    assert kept.report.whitening is None


def test_a_model_that_ends_in_normalize_gets_two_modules_more(tmp_path, minilm_folder):
    from sentence_transformers import SentenceTransformer

    draw = np.random.default_rng(1)
    whitening = whitening_of(draw.normal(size=(500, 384)).astype(np.float32) + 1, 0.5)
    model = SentenceTransformer(str(minilm_folder), device="cpu")
    before = model.encode(["one", "two"])
    save_whitened(model, whitening, tmp_path / "model")
    assert [type(module).__name__ for module in model][-3:] == ["Normalize", "Dense", "Normalize"]
    after = SentenceTransformer(str(tmp_path / "model"), device="cpu").encode(["one", "two"])
    np.testing.assert_allclose(after, whitening(before), atol=1e-5)
    np.testing.assert_array_equal(read_whitening(tmp_path / "model").weight, whitening.weight)


def test_it_needs_no_dev_questions(tmp_path, no_harm):
    whitening = tune(tmp_path, splits=make_splits(dev=0)).value.report.whitening
    assert (whitening.left_out, whitening.dev) == (None, None)


def test_a_training_that_was_found_again_says_the_settings_of_this_run(tmp_path):
    base = make_base(tmp_path)
    for strength in (0.0, 0.4):
        assert tune(tmp_path, base, whitening=strength).value.report.settings["whitening"] == strength


@pytest.mark.slow
def test_questions_about_the_second_half_of_the_10_k_are_found_better_by_the_first_half_s_whitening(
    tmp_path, minilm_folder, nvidia_data
):
    whole = read_llama_index(nvidia_data / "train_dataset.json")
    first = dict(list(whole.corpus.items())[: len(whole.corpus) // 2])
    relevant = {key: ids for key, ids in whole.relevant_docs.items() if ids[0] not in first}
    asked = RetrievalDataset({key: whole.queries[key] for key in relevant}, whole.corpus, relevant)
    retrieval = RetrievalConfig(name="windows", mode="windows")
    base = Embedder(Encoder(minilm_folder, "minilm"), retrieval, VectorCache(tmp_path / "vectors"))
    whitening = whitening_of(base.passage_vectors(base.passages(first)), 0.5)
    scores = []
    for embedder in (base, replace(base, whitening=whitening)):
        scorer, ids = embedder.scorers(asked)["cosine"], list(relevant)
        ranking = rank(scorer, ids, list(asked.corpus), system="base", score_name="cosine", depth=100)
        scores.append(per_question(ranking, relevant, ids)["ndcg@10"])
    assert compare(scores[1], scores[0], Dependence.of(ids, relevant)).ci95[0] > 0


@pytest.mark.parametrize(
    ("mode", "settings", "strength"),
    [("windows", {}, 0.2), ("truncate", {}, None), ("windows", {"matryoshka": [8]}, None)],
)
def test_without_a_strength_windows_are_whitened_and_nothing_else(tmp_path, no_harm, mode, settings, strength):
    base = make_base(tmp_path)
    base = replace(base, retrieval=replace(base.retrieval, mode=mode))
    report = tune(tmp_path, base, whitening=None, epochs=1, **settings).value.report
    assert report.best_epoch == 1
    assert (report.whitening.strength if report.whitening else None) == strength
