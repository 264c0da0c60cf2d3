"""Results that earlier keys served although what decides them had changed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tiny import make_lab, make_model, make_splits, train

from embft.config import QuestionsConfig
from embft.steps.attempts import weights_digest
from embft.steps.general import measure_general


def test_a_shallower_ranking_of_the_other_dataset_has_its_own_map(tmp_path):
    splits = make_splits(test=40)
    test = splits.searched("test")
    other = tmp_path / "other.json"
    relevant = {key: list(ids) for key, ids in test.relevant_docs.items()}
    other.write_text(
        json.dumps({"queries": dict(test.queries), "corpus": dict(test.corpus), "relevant_docs": relevant}),
        encoding="utf-8",
    )
    tuned = train(tmp_path, epochs=1)
    found = {}
    for depth in (100, 10):
        lab = make_lab(tmp_path, epochs=1)
        retrieval = replace(lab.config.retrieval, depth=depth)
        evaluation = replace(lab.config.evaluation, general=str(other), resamples=100)
        lab = replace(
            lab,
            config=replace(lab.config, evaluation=evaluation, retrieval=retrieval),
            base=replace(lab.base, retrieval=retrieval),
        )
        found[depth] = measure_general(lab, tuned).systems["base"].means["map@100"]
    assert found[10] < found[100]


@pytest.mark.slow
def test_a_guide_that_was_trained_anew_in_its_place_guides_anew(tmp_path):
    make_model(tmp_path / "guide")
    settings = {"loss": "gist", "guide": str(tmp_path / "guide"), "epochs": 1}
    first = train(tmp_path, **settings)
    assert train(tmp_path, **settings).cached
    from sentence_transformers import SentenceTransformer

    guide = SentenceTransformer(str(tmp_path / "guide"), device="cpu")
    guide[0].auto_model.embeddings.word_embeddings.weight.data += 1.0
    guide.save_pretrained(str(tmp_path / "guide"), create_model_card=False)
    again = train(tmp_path, **settings)
    assert not again.cached
    assert again.key != first.key


def test_another_gguf_file_of_the_same_name_is_another_key(tmp_path, monkeypatch):
    weights = tmp_path / "model.gguf"
    config = QuestionsConfig(name="local_llm", backend="local_llm", model=str(weights), api_key_env=None)
    keys = []
    for content in (b"one", b"two"):
        weights.write_bytes(content)
        keys.append(weights_digest(config))
    assert len(set(keys)) == 2
    assert weights_digest(replace(config, backend="openai")) is None
