"""The model that ships may be trained on everything, once it has been judged."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from tiny import make_dataset, make_lab, make_splits

from embft.config import EvaluationConfig
from embft.config.problems import problems
from embft.config.untrained import leave_out_tuned
from embft.dataset.holding_back import HeldBack
from embft.records import Question
from embft.results import Asked
from embft.stages import StageResult
from embft.steps import refit
from embft.steps.refit import refit_model
from embft.steps.tuning import tune_model
from embft.training.everything import everything, same_recipe


def ignore(values, step):
    """Figures go nowhere."""


def test_everything_is_trained_on_and_nothing_is_held_back():
    splits = replace(make_splits(10, 4, 5), distractors={"left": "w1 w2"})
    (question, *_) = splits.test.queries
    cut_out = Question(
        question, splits.test.queries[question], splits.test.relevant_docs[question], "extractive", "w3 w4"
    )
    whole = everything(splits, [cut_out])
    assert len(whole.train.queries) == 2 * 19
    assert len(whole.train.corpus) == 20
    assert set(whole.train.relevant_docs) == set(whole.train.queries)
    assert not whole.dev.queries
    assert not whole.test.queries
    assert whole.sources == {question: "w3 w4"}


def test_the_sentences_that_dev_and_test_were_cut_out_of_are_hidden_too(tmp_path, monkeypatch):
    trained = []
    monkeypatch.setattr(refit, "tune_model", lambda lab, dataset, log: trained.append(dataset.value.splits))
    lab, dataset = make_lab(tmp_path, refit=True), make_dataset()
    (key, *_) = dataset.value.splits.test.queries
    own = Question(key, "?", dataset.value.splits.test.relevant_docs[key], "extractive", "w3 w4")
    asked = StageResult(Asked(HeldBack({"dev": [], "test": [own]}), {}, []), "asked", tmp_path, 0.0, 0.0, False)
    judged = SimpleNamespace(kept_base=False, learned_from="questions", best_epoch=1, whitening=None)
    refit_model(lab, dataset, None, SimpleNamespace(value=SimpleNamespace(report=judged)), asked)
    assert trained[0].sources[key] == "w3 w4"


@pytest.mark.slow
def test_a_refit_has_the_judged_recipe_more_chunks_and_its_own_place(tmp_path):
    lab, dataset = make_lab(tmp_path, refit=True), make_dataset()
    tuned = tune_model(lab, dataset, ignore)
    refitted = refit_model(lab, dataset, None, tuned)
    report = refitted.value.report
    assert report.chunks == 64
    assert tuned.value.report.chunks == 40
    assert report.epochs == tuned.value.report.best_epoch
    assert report.learned_from == tuned.value.report.learned_from
    assert refitted.key != tuned.key
    assert refitted.value.fingerprint != tuned.value.fingerprint
    assert all(not epoch.dev for epoch in report.history)
    assert refit_model(lab, dataset, None, tuned).cached
    # Whether there is a refit decides nothing about the model that is judged.
    assert tune_model(make_lab(tmp_path, refit=False), dataset, ignore).cached


def test_without_being_asked_for_there_is_none(tmp_path):
    lab, dataset = make_lab(tmp_path), make_dataset()
    assert refit_model(lab, dataset, None, tune_model(lab, dataset, ignore)) is None
    assert refit_model(make_lab(tmp_path, refit=True), dataset, None, None) is None


def test_a_base_model_that_dev_kept_is_not_trained_after_all(tmp_path, caplog):
    lab, dataset = make_lab(tmp_path, refit=True), make_dataset()
    tuned = tune_model(lab, dataset, ignore)
    kept = replace(tuned, value=replace(tuned.value, report=replace(tuned.value.report, best_epoch=0)))
    assert refit_model(lab, dataset, None, kept) is None
    assert "nothing to refit" in caplog.text


def test_windows_stay_windows_where_people_asked(tmp_path):
    lab, dataset = make_lab(tmp_path), make_dataset()
    judged = replace(tune_model(lab, dataset, ignore).value.report, learned_from="windows", best_epoch=1)
    recipe = same_recipe(lab.config.training, judged)
    assert (recipe.learn_from, recipe.epochs, recipe.whitening) == ("windows", 1, 0.0)


@pytest.mark.parametrize(("systems", "left"), [(["bm25", "base", "tuned", "fused"], ["bm25", "base", "fused"])])
def test_without_training_the_tuned_model_is_left_out(tmp_path, systems, left):
    config = make_lab(tmp_path, enabled=False).config
    config = leave_out_tuned(replace(config, evaluation=EvaluationConfig(name="default", systems=systems)))
    assert config.evaluation.systems == left
    assert config.evaluation.objective == "base/ndcg@10"
    assert not [problem for problem in problems(config) if problem.startswith("evaluation")]


def test_without_training_the_tuned_model_alone_is_refused(tmp_path):
    config = make_lab(tmp_path, enabled=False).config
    config = leave_out_tuned(replace(config, evaluation=EvaluationConfig(name="x", systems=["tuned"])))
    assert any("leaves no tuned model" in problem for problem in problems(config))


@pytest.mark.slow
def test_the_key_of_a_refit_follows_its_dataset(tmp_path):
    lab = make_lab(tmp_path, refit=True)
    one, other = make_dataset(key="one"), make_dataset(make_splits(40, 12, 13), key="other")
    refits = [refit_model(lab, dataset, None, tune_model(lab, dataset, ignore)) for dataset in (one, other)]
    assert isinstance(refits[0], StageResult)
    assert refits[0].key != refits[1].key
