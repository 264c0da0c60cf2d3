"""A run is served from any folder, when it has ended well, and an API's vectors are no adapter's."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_run import run_small

from embft.config import EndpointConfig, RetrievalConfig
from embft.errors import RunError
from embft.models.vectors import QueryMap
from embft.ranking.bench import Bench
from embft.ranking.endpoint import EndpointRanker
from embft.serving.answering import Answering, Asked
from embft.serving.models import open_embedder
from embft.serving.run_files import read_run

sys.path.append(str(Path(__file__).parents[1] / "training"))
from embeddings_server import serving


@pytest.mark.slow
def test_folders_that_settings_name_relatively_are_found_from_another_one(finished, tmp_path, monkeypatch):
    root = finished.parent
    monkeypatch.chdir(root)
    named = ["model.path=tiny", "cache_dir=cache", "training=none", "evaluation.systems=[bm25,base]"]
    run_small(root, "relative", *named)
    monkeypatch.chdir(tmp_path)
    run = read_run(root / "relative")
    assert (run.config.model.path, run.config.cache_dir) == (str(root / "tiny"), str(root / "cache"))
    assert len(Answering(run).search("base", [Asked("pay for the printer")])[0]) == 24
    assert str(root) not in (root / "relative" / "search.json").read_text(encoding="utf-8")


def test_a_run_whose_report_failed_cannot_be_served(finished, monkeypatch):
    def failing(path, outcome):
        raise RunError("the disk is full")

    monkeypatch.setattr("embft.steps.report.write_html", failing)
    with pytest.raises(RunError, match="the disk is full"):
        run_small(finished.parent, "unreported")
    assert not (finished.parent / "unreported" / "search.json").exists()


def test_an_api_that_was_ranked_beside_an_adapter_is_asked_without_it(finished, tmp_path, monkeypatch):
    run = read_run(finished)
    embedder = open_embedder(run, "base")
    upside_down = QueryMap(-np.eye(32, dtype=np.float32), np.zeros(32, np.float32), unit=False)
    with serving(finished.parent / "tiny") as (url, _):
        monkeypatch.setenv("EMBFT_TEST_KEY", "sk-sentinel-4712")
        api = EndpointConfig(base_url=url, api_key_env="EMBFT_TEST_KEY")
        bench = Bench(
            RetrievalConfig(name="windows"), replace(run.config.evaluation, openai=api), {"test": run.test},
            replace(embedder, query_map=upside_down), None,
        )  # fmt: skip
        scorers = EndpointRanker().scorers(bench, "test")
    alone = replace(embedder, query_map=None).in_mode("truncate").scorers(run.test)
    assert np.abs(scorers["cosine"].scores(0, 4) - alone["cosine"].scores(0, 4)).max() < 1e-5
