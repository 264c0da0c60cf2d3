"""Whole runs with a static table and with a model of token vectors: trained, reported, served, exported, shown by the card."""

from __future__ import annotations

import json
import os
import re
import runpy
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from forks import in_fork, typed
from small_run import run_small, save_model

from embft.evaluation.metrics import dataset_scores
from embft.export.command import main as export
from embft.serving.answering import Answering, Asked
from embft.serving.engine import Engine
from embft.serving.gauges import Gauges
from embft.serving.requests import BadRequestError, embeddings_request
from embft.serving.run_files import read_run


def static_of(bert: Path, folder: Path) -> Path:
    """A static table with a tiny BERT's words."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    torch.manual_seed(1)
    tokenizer = Tokenizer.from_file(str(bert / "tokenizer.json"))
    tokenizer.no_truncation()
    table = StaticEmbedding(tokenizer, embedding_weights=torch.randn(tokenizer.get_vocab_size(), 24))
    SentenceTransformer(modules=[table, Normalize()], device="cpu").save_pretrained(
        str(folder), create_model_card=False
    )
    return folder


def colbert_of(bert: Path, folder: Path) -> Path:
    """A model of token vectors with a tiny BERT below."""
    import torch
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.modules import Dense, Normalize, Transformer
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    torch.manual_seed(1)
    tokens = {"module_input_name": "token_embeddings", "module_output_name": "token_embeddings"}
    modules = [
        Transformer(str(bert), query_expansion={"strategy": "fixed", "attend": True, "length": 12}),
        Dense(32, 16, bias=False, activation_function=torch.nn.Identity(), **tokens),
        MultiVectorMask(skiplist_words=[".", ","]),
        Normalize(module_input_name="token_embeddings"),
    ]
    MultiVectorEncoder(modules=modules, device="cpu").save_pretrained(str(folder), create_model_card=False)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> SimpleNamespace:
    root = tmp_path_factory.mktemp("kinds")
    bert = save_model(root / "tiny")
    static = [f"model.path={static_of(bert, root / 'static-model')}", "training=static", "training.epochs=3"]
    tokens = [
        f"model.path={colbert_of(bert, root / 'colbert')}",
        "retrieval=late",
        "training.learning_rate=3e-3",
        "training.epochs=3",
    ]
    return SimpleNamespace(
        root=root, static=run_small(root, "static", *static), tokens=run_small(root, "tokens", *tokens)
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["static", "tokens"])
@pytest.mark.parametrize("system", ["base", "tuned", "fused"])
def test_the_report_s_figures_come_out_of_what_is_served(runs, kind, system):
    run = read_run(getattr(runs, kind))
    ranking = Answering(run).rank(system, [Asked(text) for text in run.test.queries.values()])
    named = replace(ranking, chunk_ids={key: ranking.chunk_ids[str(at)] for at, key in enumerate(run.test.queries)})
    assert dataset_scores(named, run.test)["ndcg@10"].mean() == pytest.approx(
        run.setup.figures[system]["ndcg@10"], abs=1e-6
    )


@pytest.mark.parametrize("kind", ["static", "tokens"])
def test_training_changed_the_model(runs, kind):
    metrics = json.loads((getattr(runs, kind) / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["systems"]["tuned"]["ndcg@10"] != metrics["systems"]["base"]["ndcg@10"]
    losses = [epoch["loss"] for epoch in metrics["training"]["history"][1:]]
    assert losses[-1] < losses[0]


@pytest.mark.slow
def test_the_card_of_token_vectors_gives_the_score_of_the_ranking_in_a_fresh_process(runs):
    card = (runs.tokens / "model" / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    run = read_run(runs.tokens)
    question = next(iter(run.test.queries.values()))
    (hits,) = Answering(run).search("tuned", [Asked(question)])
    windows = Answering(run).embedder("tuned").passages({"x": hits[0].chunk.text}).texts
    code = code.replace('["..."]', repr([question]), 1).replace('["..."]', repr(list(windows)), 1)
    done = in_fork(
        code + "\nprint(float(score))",
        cwd=runs.tokens,
        environment={**os.environ, "HF_HUB_OFFLINE": "1"},
        embft="gone",
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) == pytest.approx(hits[0].score, abs=2e-5)


def test_a_server_of_token_vectors_searches_and_says_that_a_text_has_no_one_vector(runs):
    engine = Engine(Answering(read_run(runs.tokens)), "tuned", Gauges())
    (hits,) = engine.work(("search", "tuned"), [Asked("find printer")])
    assert hits
    with pytest.raises(BadRequestError, match=r"one vector per token .*: POST /search") as refused:
        embeddings_request({"input": "find printer"}, engine.served, None)
    assert refused.value.status == 404


def test_a_server_of_a_static_table_embeds(runs):
    engine = Engine(Answering(read_run(runs.static)), "tuned", Gauges())
    (embedded,) = engine.work(("embed", "query"), ["find printer ."])
    assert (len(embedded.vector), embedded.tokens, embedded.cut) == (24, 3, False)


def test_a_static_table_is_exported_but_for_a_graph(runs, tmp_path, monkeypatch, capsys):
    assert export([str(runs.static), str(tmp_path / "out"), "--to", "parquet", "--system", "fused"]) == 0
    monkeypatch.setattr(sys, "argv", ["check.py"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(tmp_path / "out" / "check.py"), run_name="__main__")
    assert not ended.value.code, capsys.readouterr().out
    assert export([str(runs.static), str(tmp_path / "graph"), "--to", "onnx", "--system", "tuned"]) != 0
    assert "static table, which needs no graph" in capsys.readouterr().err
    assert not (tmp_path / "graph" / "onnx").exists()


@pytest.mark.slow
def test_a_recipe_that_a_static_table_cannot_take_is_refused_before_any_work(runs, tmp_path):
    settings = [
        f"model.path={runs.root / 'static-model'}",
        "training=lora",
        "tracking=local",
        f"cache_dir={tmp_path / 'cache'}",
    ]
    done = typed(*settings, cwd=tmp_path, environment={**os.environ, "HF_HUB_OFFLINE": "1", "HYDRA_FULL_ERROR": "0"})
    assert done.returncode == 1, done.stderr
    assert "is a static table, which has no linear layers" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
