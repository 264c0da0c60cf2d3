"""Vectors that are served wrongly are found out, and why."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest_serving import TOKEN
from layered_run import DOCUMENT, QUERY, run_layered
from small_run import save_model
from werkzeug import Response

from embft.models.encoder import Encoder
from embft.serving.answering import Answering
from embft.serving.check_command import main
from embft.serving.foreign import sentence_transformers
from embft.serving.parity import Served, compare
from embft.serving.run_files import read_run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return run_layered(tmp_path_factory.mktemp("checked"))


@pytest.fixture(scope="module")
def answering(run) -> Answering:
    return Answering(read_run(run))


def edited(file: Path, **settings) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), **settings}), encoding="utf-8")


def without_last(folder: Path, kind: str) -> None:
    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    last = [place for place, module in enumerate(modules) if module["type"].endswith(f".{kind}")][-1]
    (folder / "modules.json").write_text(json.dumps(modules[:last] + modules[last + 1 :]), encoding="utf-8")


def no_prompts(folder: Path) -> None:
    edited(folder / "config_sentence_transformers.json", prompts={"query": "", "document": ""})


def first_token(folder: Path) -> None:
    edited(folder / "1_Pooling" / "config.json", pooling_mode_mean_tokens=False, pooling_mode_cls_token=True)


def long_vectors(folder: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    without_last(folder, "Normalize")
    *_, dense = sorted(folder.glob("*_Dense/model.safetensors"))
    save_file({key: 3 * torch.as_tensor(value) for key, value in load_file(dense).items()}, dense)


def no_last_layer(folder: Path) -> None:
    without_last(folder, "Dense")


def shorter_texts(folder: Path) -> None:
    edited(folder / "sentence_bert_config.json", max_seq_length=16)
    edited(folder / "tokenizer_config.json", model_max_length=16)


def cut_vectors(folder: Path) -> None:
    edited(folder / "config_sentence_transformers.json", truncate_dim=16)


def serve_folder(folder: Path):
    return lambda texts, queries: np.asarray(sentence_transformers(str(folder))(texts, queries))


@pytest.mark.parametrize(
    ("fault", "cause", "said"),
    [
        (no_prompts, "prompt", "The prompts are missing: 'how do i find ' before questions and 'your team : '"),
        (first_token, "pooling", "pooled by the first token"),
        (long_vectors, "normalisation", "not normalised"),
        (no_last_layer, "whitening", "served without its last layer"),
        (shorter_texts, "truncation", "cut off after 16 tokens"),
        (cut_vectors, "dimension", "first 16 of the 32"),
    ],
)
def test_each_planted_fault_is_found_by_its_name(answering, run, tmp_path, fault, cause, said):
    shutil.copytree(run / "model", tmp_path / "model")
    fault(tmp_path / "model")
    found = compare(answering, "tuned", "tuned", serve_folder(tmp_path / "model"))
    assert found.causes == [cause], found
    assert said in found.sentences[0]
    assert not found.agrees


@pytest.mark.parametrize("system", ["tuned", "fused"])
def test_the_model_as_it_was_saved_agrees_and_the_figures_come_out(answering, run, system):
    found = compare(answering, "tuned", system, serve_folder(run / "model"))
    assert (found.agrees, found.causes, found.figures_hold) == (True, [], True), found
    assert min(found.least_questions, found.least_passages) > 0.99999


def test_another_model_is_not_explained_away(answering, tmp_path):
    import torch

    folder = save_model(tmp_path / "other", layers=1)
    torch.manual_seed(9)
    found = compare(answering, "tuned", "tuned", serve_folder(folder))
    assert found.causes == ["unknown"]


@pytest.mark.parametrize(("noise", "causes"), [(0.003, []), (0.008, ["unknown"])])
def test_a_way_that_changes_nothing_explains_nothing(answering, run, noise, causes):
    """This model has no map of questions: leaving one out gives the vectors that were ranked."""
    right, dice = serve_folder(run / "model"), np.random.default_rng(0)

    def served(texts, queries):
        vectors = right(texts, queries) + noise * dice.standard_normal((len(texts), 32))
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    found = compare(answering, "tuned", "tuned", served)
    assert 0.995 < min(found.least_questions, found.least_passages) < 0.9999
    assert found.causes == causes, found


def test_the_own_server_passes_by_its_two_names(finished, server, monkeypatch, capsys):
    monkeypatch.setenv("THE_KEY", TOKEN)
    arguments = [f"{server.url}/v1", "--run", str(finished), "--system", "fused", "--key-env", "THE_KEY"]
    assert main([*arguments, "--model", "tuned-document", "--query-model", "tuned-query"]) == 0
    printed = capsys.readouterr().out
    assert "The vectors agree." in printed
    assert printed.count("agrees") == 2


def test_text_embeddings_inference_is_asked_in_its_own_way(run, httpserver, capsys):
    encoder = Encoder(run / "model", "x")

    def embed(request) -> Response:
        texts = request.get_json()["inputs"]
        return Response(json.dumps(encoder.model.encode(texts).tolist()), content_type="application/json")

    httpserver.expect_request("/embed", method="POST").respond_with_handler(embed)
    arguments = [httpserver.url_for("/embed"), "--run", str(run), "--system", "tuned"]
    assert main([*arguments, "--query-prompt", QUERY, "--document-prompt", DOCUMENT]) == 0
    assert main(arguments) == 1
    assert "The prompts are missing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ('{"data": [{"index": 0, "embedding": [1]}]}', "gave 1 vectors for"),
        ("<html>", "does not answer as an embeddings server"),
        ('{"error": "no"}', "without a list of vectors"),
    ],
)
def test_an_endpoint_that_answers_otherwise_is_said_in_words(run, httpserver, capsys, answer, said):
    httpserver.expect_request("/v1/embeddings").respond_with_data(answer, content_type="application/json")
    assert main([httpserver.url_for("/v1"), "--run", str(run), "--system", "tuned"]) == 2
    assert said in capsys.readouterr().err
    assert main(["nowhere", "--run", str(run), "--system", "tuned"]) == 2
    assert "neither an address" in capsys.readouterr().err


def test_figures_hold_only_where_they_were_worked_out():
    assert not Served(True, 1.0, 1.0).figures_hold
