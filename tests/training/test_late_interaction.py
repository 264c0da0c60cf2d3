"""``retrieval=late``: whole runs in which base and tuned are searched by one vector per token."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from forks import in_fork
from hydra import compose, initialize_config_dir
from jargon import write_jargon
from tiny import make_base, make_splits, tune

from embft.config import RetrievalConfig, register
from embft.config.command_line import as_config
from embft.dataset.formats import read_llama_index
from embft.evaluation.dependence import Dependence
from embft.evaluation.metrics import per_question
from embft.evaluation.significance import compare
from embft.models.encoder import Computing, Encoder
from embft.pipeline import run_experiment
from embft.records import RetrievalDataset
from embft.retrieval import late_search
from embft.retrieval.embedder import Embedder
from embft.retrieval.ranking_files import read_ranking
from embft.retrieval.scoring import rank
from embft.retrieval.vector_cache import VectorCache
from embft.steps.training import tuned_embedder

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
register()


def late(base: Embedder) -> Embedder:
    return base.in_mode("late")


@pytest.fixture
def embedded(monkeypatch) -> list[str]:
    """The passages that are embedded token by token, as that happens."""
    texts: list[str] = []
    plain = late_search.token_vectors

    def counting(encoder, model, asked, *, queries):
        if not queries:
            texts.extend(asked)
        return plain(encoder, model, asked, queries=queries)

    monkeypatch.setattr(late_search, "token_vectors", counting)
    return texts


def test_dev_is_searched_the_same_way_and_not_once_more_than_it_must_be(tmp_path, embedded):
    base, splits = late(make_base(tmp_path)), make_splits()
    tuned = tune(tmp_path, base, epochs=1).value
    searched = splits.searched("dev")
    assert tuned.report.best_epoch == 1
    assert len(embedded) == 2 * len(searched.corpus)  # by the base model, and after the epoch
    for embedder, epoch in ((base, 0), (tuned_embedder(base, tuned), 1)):
        ids = list(searched.queries)
        ranking = rank(
            embedder.scorers(searched)["cosine"], ids, list(searched.corpus), system="x", score_name="x", depth=100
        )
        found = per_question(ranking, searched.relevant_docs, ids)["ndcg@10"].mean()
        assert found == pytest.approx(tuned.report.history[epoch].dev["ndcg@10"], abs=1e-6)
    assert len(embedded) == 2 * len(searched.corpus)
    # One vector a text is something else, and so is a model that was chosen by it.
    assert tune(tmp_path, make_base(tmp_path), epochs=1, whitening=0.0).value.report.history != tuned.report.history


def test_no_layer_whitens_what_is_searched_by_token(tmp_path):
    base = late(make_base(tmp_path))
    base = replace(base, retrieval=replace(base.retrieval, window_tokens=16, window_overlap=0))
    assert tune(tmp_path, base, whitening=None).value.report.whitening is None


def test_memory_is_flat_as_blocks_of_chunks_give_what_all_at_once_gives(tmp_path, monkeypatch):
    base, searched = late(make_base(tmp_path)), make_splits().searched("test")
    whole = base.scorers(searched)["cosine"].scores(0, len(searched.queries))
    monkeypatch.setattr("embft.retrieval.max_sim._WINDOWS", 5)
    other = replace(base, cache=VectorCache(tmp_path / "other"))
    assert np.allclose(other.scorers(searched)["cosine"].scores(0, len(searched.queries)), whole, atol=1e-5)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("late")
    overrides = [
        "retrieval=late", "tracking=local", *write_jargon(root / "data"), f"cache_dir={root / 'cache'}",
        "evaluation.resamples=2000", "training.epochs=3", "training.learning_rate=2e-4",
    ]  # fmt: skip
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        config = as_config(compose("config", overrides=overrides))
    run_experiment(config, root / "run")
    metrics = json.loads((root / "run" / "metrics.json").read_text(encoding="utf-8"))
    return SimpleNamespace(root=root, run=root / "run", config=config, metrics=metrics)


def test_tuning_gains_beyond_its_interval(place):
    (found,) = (
        row
        for row in place.metrics["comparisons"]
        if (row["system"], row["baseline"], row["metric"]) == ("tuned", "base", "ndcg@10")
    )
    assert found["ci95"][0] > 0


def test_the_report_says_how_and_what_the_index_costs(place):
    systems = place.metrics["systems"]
    assert len(systems["tuned"]["metrics"]) == 30
    assert "late interaction" in systems["tuned"]["description"]
    costs = place.metrics["verdict"]["costs"]["tuned"]
    assert costs["vectors"] == costs["tokens"] > 200
    assert costs["index_bytes"] == costs["vectors"] * 384 * 4
    assert costs["query_ms"] > 0
    assert not any("Not tried here" in reason for reason in place.metrics["verdict"]["reasons"])


def test_a_run_by_windows_says_that_it_was_not_tried_and_what_it_would_take(place):
    overrides = [f"dataset.{part}={place.root / 'data' / part}.json" for part in ("train", "test")]
    overrides += ["dataset=llama_index", "dataset.leaks=allow", "evaluation=base_only", "training=none"]
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        config = as_config(
            compose("config", overrides=[*overrides, "tracking=local", f"cache_dir={place.root / 'cache'}"])
        )
    run_experiment(config, place.root / "windows")
    metrics = json.loads((place.root / "windows" / "metrics.json").read_text(encoding="utf-8"))
    (said,) = [reason for reason in metrics["verdict"]["reasons"] if reason.startswith("Not tried here")]
    tokens = place.metrics["verdict"]["costs"]["base"]["tokens"]
    assert f"(retrieval=late), which takes an index of {tokens * 384 * 4 / 1e3:.0f} kB." in said


def test_the_card_s_example_gives_the_score_of_the_ranking_in_a_fresh_process(place):
    card = (place.run / "model" / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    test = read_llama_index(place.run / "dataset" / "test.json")
    question_id, question = next(iter(test.queries.items()))
    assert code.count('"..."') == 2
    code = code.replace('"..."', repr(question), 1)
    (chunk,) = test.relevant_docs[question_id]
    code = code.replace('"..."', repr(test.corpus[chunk]), 1)
    code += "\nprint(float(score))"
    done = in_fork(code, cwd=place.run, environment={**os.environ, "HF_HUB_OFFLINE": "1"}, embft="gone")
    assert done.returncode == 0, done.stderr
    folder = next((place.root / "cache" / "stages").glob("ranking/*/test.tuned.cosine.npz"))
    ranked = read_ranking(folder, "tuned", "cosine")
    place_in_ranking = ranked.chunk_ids[question_id].index(chunk)
    expected = ranked.scores[question_id][place_in_ranking]
    assert float(done.stdout.split()[-1]) == pytest.approx(expected, abs=2e-5)


def test_without_any_training_the_10_k_s_questions_find_far_more(tmp_path, minilm_folder, nvidia_data):
    asked = read_llama_index(nvidia_data / "train_dataset.json")
    asked = RetrievalDataset(asked.queries, dict(sorted(asked.corpus.items())), asked.relevant_docs)
    scores = []
    for overlap, mode in ((24, "windows"), (0, "late")):
        retrieval = RetrievalConfig(name="x", mode=mode, window_overlap=overlap, precision="auto")
        encoder = Encoder(minilm_folder, "minilm", computing=Computing(precision="auto"))
        embedder = Embedder(encoder, retrieval, VectorCache(tmp_path / "vectors"))
        ids = list(asked.queries)
        ranking = rank(
            embedder.scorers(asked)["cosine"], ids, list(asked.corpus), system="base", score_name="cosine", depth=100
        )
        scores.append(per_question(ranking, asked.relevant_docs, ids)["ndcg@10"])
    found = compare(scores[1], scores[0], Dependence.of(ids, asked.relevant_docs))
    assert found.ci95[0] > 0.03
