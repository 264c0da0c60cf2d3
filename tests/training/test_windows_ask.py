"""A training without questions: windows of the train chunks ask for their neighbours."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from tiny import make_base, make_dataset, make_lab, make_splits, train

from embft.config import RetrievalConfig
from embft.config.training import TrainingConfig
from embft.errors import TrainingError
from embft.records import RetrievalDataset, Splits
from embft.steps.training import train_model
from embft.training.tune_weights import training_examples

TOPICS = [[f"w{number}" for number in range(first, first + 8)] for first in range(0, 80, 8)]


def about_topics() -> Splits:
    """Chunks and questions of ten topics; a chunk lacks two of its topic's eight words."""
    dice = random.Random(3)

    def part(name: str, each: int) -> RetrievalDataset:
        corpus = {
            f"{name}-{topic}-{at}": " ".join(dice.choices(words[:6] if at % 2 else words[2:], k=24))
            for topic, words in enumerate(TOPICS)
            for at in range(each)
        }
        queries = {
            f"{name}-q{topic}-{at}": " ".join(dice.sample(words, 3))
            for topic, words in enumerate(TOPICS)
            for at in (0, 1)
        }
        relevant = {
            key: tuple(one for one in corpus if one.split("-")[1] == key[len(name) + 2 :].split("-")[0])
            for key in queries
        }
        return RetrievalDataset(queries, corpus, relevant)

    searches = {"dev": ("dev",), "test": ("test",)}
    return Splits(part("train", 6), part("dev", 3), part("test", 3), distractors={}, searches=searches, origins={})


@pytest.mark.slow
def test_it_learns_what_goes_together(tmp_path):
    base = replace(make_base(tmp_path), retrieval=RetrievalConfig(name="windows", window_tokens=10, window_overlap=2))
    lab = make_lab(tmp_path, base, learn_from="windows", epochs=10, train_embeddings=True, batch_size=10)
    report = train_model(lab, make_dataset(about_topics()), lambda values, step: None).value.report
    assert report.learned_from == "windows"
    assert report.history[-1].dev["ndcg@10"] > report.history[0].dev["ndcg@10"] + 0.1


@pytest.mark.parametrize(
    ("cut_out", "window_tokens", "settings", "learned_from"),
    [
        ("all", 8, {}, "windows"),
        ("some", 8, {}, "questions"),
        ("all", 96, {}, "questions"),
        ("all", 8, {"learn_from": "questions"}, "questions"),
        ("all", 8, {"negatives": 1}, "questions"),
        ("none", 8, {"learn_from": "windows"}, "windows"),
    ],
)
def test_windows_take_the_place_of_questions_that_were_all_cut_out_of_long_enough_chunks(
    tmp_path, cut_out, window_tokens, settings, learned_from
):
    splits = make_splits()
    keys = {"all": list(splits.train.queries), "some": list(splits.train.queries)[:-1], "none": []}[cut_out]
    splits = replace(splits, sources={key: splits.train.queries[key] for key in keys})
    retrieval = RetrievalConfig(name="windows", window_tokens=window_tokens, window_overlap=2)
    base = replace(make_base(tmp_path), retrieval=retrieval)
    assert training_examples(TrainingConfig(name="tiny", **settings), splits, base, 0)[0] == learned_from


def test_truncated_chunks_are_trained_on_in_windows_too(tmp_path):
    splits = make_splits()
    splits = replace(splits, sources=dict(splits.train.queries))
    base = make_base(tmp_path)
    base = replace(base, retrieval=replace(base.retrieval, window_tokens=8, window_overlap=2))
    learned_from, examples = training_examples(TrainingConfig(name="tiny"), splits, base, 0)
    assert learned_from == "windows"
    assert {len(example.questions) for example in examples} == {2}


def test_chunks_no_longer_than_a_window_are_refused(tmp_path):
    with pytest.raises(TrainingError, match=r"retrieval\.window_tokens"):
        train(tmp_path, learn_from="windows")
