"""``model=openai training=adapter``: whole runs on a server of this machine whose vectors are MiniLM's."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from embeddings_server import serving
from forks import in_fork
from hydra import compose, initialize_config_dir
from jargon import write_jargon

from embft.config import register
from embft.config.command_line import as_config
from embft.errors import EndpointError
from embft.pipeline import run_experiment
from embft.retrieval.ranking_files import read_ranking

ROOT = Path(__file__).parents[2]
KEY = "sk-sentinel-4711"

pytestmark = pytest.mark.slow
register()


def configured(*overrides: str):
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        return as_config(compose("config", overrides=["model=openai", "tracking=local", *overrides]))


@pytest.fixture(scope="module")
def place(tmp_path_factory, minilm_folder):
    """One run with a mode of retrieval that needs the tokens of an API, and the server it asked."""
    root = tmp_path_factory.mktemp("api")
    with pytest.MonkeyPatch.context() as patch, serving(minilm_folder) as (url, sent):
        patch.setenv("EMBFT_TEST_KEY", KEY)
        shared = [
            *write_jargon(root / "data"), f"cache_dir={root / 'cache'}", "evaluation.resamples=2000",
            f"model.endpoint.base_url={url}", "model.endpoint.api_key_env=EMBFT_TEST_KEY", "training.seeds=2",
        ]  # fmt: skip
        run_experiment(configured("training=adapter", *shared), root / "run")
        yield SimpleNamespace(root=root, run=root / "run", overrides=shared, url=url, sent=sent)


def test_questions_in_jargon_find_what_the_api_alone_does_not(place):
    metrics = json.loads((place.run / "metrics.json").read_text(encoding="utf-8"))
    (found,) = (
        row
        for row in metrics["comparisons"]
        if (row["system"], row["baseline"], row["metric"]) == ("tuned", "base", "ndcg@10")
    )
    assert found["ci95"][0] > 0
    assert metrics["systems"]["base"]["description"].startswith("text-embedding-3-small")
    assert metrics["seeds"]["n"] == 2
    costs = metrics["verdict"]["costs"]["tuned"]
    assert (costs["query_ms"], costs["vectors_per_second"]) == (None, None)
    assert costs["dollars"] > 0


def test_no_text_is_sent_twice_and_all_are_sent_with_the_key(place):
    assert max(Counter(place.sent.texts).values()) == 1
    assert place.sent.keys == {KEY}


def test_another_recipe_another_run_and_the_system_openai_pay_for_nothing_known(place):
    before = len(place.sent.texts)
    run_experiment(configured("training=adapter", *place.overrides), place.root / "again")
    run_experiment(
        configured("training=adapter", *place.overrides, "training.seeds=1", "training.weight_decay=0.5"),
        place.root / "deep",
    )
    run_experiment(
        configured(*place.overrides[:-1], "training=none", "evaluation=base_only", "retrieval=truncate"),
        place.root / "untuned",
    )
    run_experiment(
        configured(
            *place.overrides,
            "training=adapter",
            "retrieval=truncate",
            "evaluation=openai",
            f"evaluation.openai.base_url={place.url}",
            "evaluation.openai.model=text-embedding-3-small",
            "evaluation.openai.api_key_env=EMBFT_TEST_KEY",
        ),
        place.root / "both",
    )
    # The chunks of jargon fit into one window, so windows and whole chunks are the same texts.
    assert place.sent.texts[before:] == []
    metrics = json.loads((place.root / "both" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["systems"]["openai"]["ndcg@10"] == metrics["systems"]["base"]["ndcg@10"]


FRESH = """
import sys, numpy
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu", trust_remote_code=True)
numpy.savez(sys.argv[2], questions=model.encode_query(sys.argv[3::2]), passages=model.encode_document(sys.argv[4::2]))
"""


@pytest.mark.slow
def test_its_model_loads_in_a_fresh_process_and_scores_as_in_the_run(place, tmp_path):
    test = json.loads((place.run / "dataset" / "test.json").read_text(encoding="utf-8"))
    (file,) = (
        path.parent / "test.tuned.cosine.npz"
        for path in (place.root / "cache" / "stages" / "ranking").glob("*/test.base.cosine.npz")
        if json.loads((path.parent / "stage.json").read_text(encoding="utf-8"))["inputs"][2] == fingerprint(place.run)
        and json.loads((path.parent / "stage.json").read_text(encoding="utf-8"))["settings"]["retrieval.mode"]
        == "windows"
    )
    ranking = read_ranking(file, "tuned", "cosine")
    ids = list(test["queries"])[:4]
    best = [ranking.chunk_ids[key][0] for key in ids]
    pairs = [
        text for key, chunk in zip(ids, best, strict=True) for text in (test["queries"][key], test["corpus"][chunk])
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "EMBFT_TEST_KEY": KEY}
    command = (FRESH, str(place.run / "model"), str(tmp_path / "found.npz"), *pairs)
    done = in_fork(*command, cwd=tmp_path, environment=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    found = np.load(tmp_path / "found.npz")
    cosines = np.sum(found["questions"] * found["passages"], axis=1) / np.linalg.norm(found["passages"], axis=1)
    np.testing.assert_allclose(cosines, [ranking.scores[key][0] for key in ids], atol=2e-6)


def fingerprint(run: Path) -> str:
    return json.loads((run / "metrics.json").read_text(encoding="utf-8"))["training"]["fingerprint"]


def test_the_card_says_what_loading_takes_and_no_file_holds_the_key(place):
    card = (place.run / "model" / "README.md").read_text(encoding="utf-8")
    assert "EMBFT_TEST_KEY" in card
    assert "trust_remote_code=True" in card
    files = [path for path in place.root.rglob("*") if path.is_file()]
    assert len(files) > 20
    assert not [path for path in files if KEY.encode() in path.read_bytes()]
    assert not list(place.run.rglob("*.bin"))


@pytest.mark.parametrize("trouble", ["no key", "no server"])
def test_an_api_that_cannot_be_asked_is_known_before_any_document_is_read(tmp_path, monkeypatch, trouble):
    monkeypatch.delenv("EMBFT_TEST_KEY", raising=False)
    variable = "null" if trouble == "no server" else "EMBFT_TEST_KEY"
    config = configured(
        "training=adapter", f"cache_dir={tmp_path / 'cache'}", "model.endpoint.base_url=http://127.0.0.1:9/v1",
        "model.endpoint.max_retries=0", f"model.endpoint.api_key_env={variable}",
    )  # fmt: skip
    with pytest.raises(EndpointError, match=r"model\.endpoint"):
        run_experiment(config, tmp_path / "run")
    status = json.loads((tmp_path / "run" / "status.json").read_text(encoding="utf-8"))
    assert (status["status"], status["stage"]) == ("failed", "model")
    assert not (tmp_path / "cache" / "stages").exists()
