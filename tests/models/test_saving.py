"""What is saved is what was ranked, for whoever loads it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from layouts import LAYOUTS, save_layout

from embft.errors import ModelError
from embft.models.encoder import Encoder
from embft.models.loading import load_model
from embft.models.saving import Prompts, TrialVectors, save_as_ranked, save_base, save_model
from embft.models.vectors import QueryMap, Whitening, read_query_map, read_whitening
from embft.training.adapter_model import save_adapted
from embft.training.whitening import save_whitened

OTHERS = "EMBFT_OTHER_VERSIONS"
"""Pythons that have other versions of sentence-transformers, with a colon between them."""
LOADS = """
import json, sys
import numpy as np
from pathlib import Path
from sentence_transformers import SentenceTransformer
for folder in map(Path, sys.argv[1:]):
    wanted = json.loads((folder / "expected.json").read_text())
    model = SentenceTransformer(str(folder), device="cpu")
    if hasattr(model, "encode_query"):
        got = [model.encode_query(wanted["texts"]), model.encode_document(wanted["texts"])]
    else:
        got = [model.encode(wanted["texts"], prompt_name=name) for name in ("query", "document")]
    assert model.max_seq_length == wanted["limit"], (folder, model.max_seq_length)
    for vectors, name in zip(got, ("queries", "documents")):
        distance = np.abs(vectors - np.array(wanted[name])).max()
        assert distance <= 1e-5, (folder, name, distance)
"""


@pytest.fixture(scope="module", params=LAYOUTS)
def layout(request, tmp_path_factory) -> Path:
    return save_layout(request.param, tmp_path_factory.mktemp(request.param))


def used(folder: Path, **settings) -> Encoder:
    return Encoder(folder, "x", query_prompt="query: ", document_prompt="passage: ", **settings)


def settings_of(folder: Path, name: str) -> dict:
    return json.loads((folder / name).read_text())


def test_a_saved_model_gives_plain_calls_the_vectors_that_were_ranked(layout, tmp_path):
    from sentence_transformers import SentenceTransformer

    encoder = used(layout, max_seq_length=24)
    save_base(encoder, tmp_path / "model")
    model = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    texts = ["loop makes stop", "w1", "early w2 " * 30]
    np.testing.assert_allclose(model.encode_query(texts), encoder.encode_questions(texts), atol=1e-5)
    np.testing.assert_allclose(model.encode_document(texts), encoder.encode_passages(texts), atol=1e-5)
    assert model.max_seq_length == 24


def test_the_saved_layout_is_the_one_that_others_read(layout, tmp_path):
    save_base(used(layout), tmp_path / "model")
    folder = tmp_path / "model"
    types = [module["type"] for module in json.loads((folder / "modules.json").read_text())]
    assert all(type_.startswith("sentence_transformers.models.") for type_ in types)
    pooling = settings_of(folder, "1_Pooling/config.json")
    assert [key for key, value in pooling.items() if value is True and key.startswith("pooling_mode_")]
    assert pooling["word_embedding_dimension"] == 16
    assert settings_of(folder, "sentence_bert_config.json") == {"max_seq_length": 40, "do_lower_case": False}
    assert settings_of(folder, "tokenizer_config.json")["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert settings_of(folder, "config.json")["dtype"] == "float32"
    for dense in folder.glob("*_Dense"):
        keys = {"in_features", "out_features", "bias", "activation_function"}
        assert settings_of(dense, "config.json").keys() == keys


@pytest.mark.skipif(OTHERS not in os.environ, reason=f"set {OTHERS} to Pythons with other sentence-transformers")
def test_other_versions_of_sentence_transformers_give_the_same_vectors(tmp_path, minilm_folder):
    bases = {name: save_layout(name, tmp_path / "bases" / name) for name in LAYOUTS}
    folders = []
    for name, base in [*bases.items(), ("minilm", minilm_folder)]:
        folders += [tmp_path / name, tmp_path / f"{name}-whitened"]
        save_base(used(base), tmp_path / name)
        model = load_model(tmp_path / name, "cpu")
        width = model.get_embedding_dimension()
        weight = np.eye(width, dtype=np.float32) + 0.2
        save_whitened(model, Whitening(weight, np.full(width, 0.01, np.float32)), tmp_path / f"{name}-whitened")
    for folder in folders:
        model = load_model(folder, "cpu")
        vectors = TrialVectors.of(model)
        assert vectors is not None
        expected = {
            "texts": vectors.texts,
            "queries": vectors.queries.tolist(),
            "documents": vectors.documents.tolist(),
        }
        (folder / "expected.json").write_text(json.dumps({**expected, "limit": model.max_seq_length}))
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for python in os.environ[OTHERS].split(":"):
        subprocess.run([python, "-c", LOADS, *map(str, folders)], check=True, env=clean, cwd=tmp_path)


@pytest.fixture
def cut_off(tmp_path) -> Path:
    """A base model that cuts its own vectors off at 6 numbers."""
    folder = save_layout("bert", tmp_path / "cut")
    file = folder / "config_sentence_transformers.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "truncate_dim": 6}))
    return folder


def test_a_model_that_cuts_its_vectors_off_is_whitened_and_loads_again(cut_off, tmp_path):
    from sentence_transformers import SentenceTransformer

    encoder = used(cut_off)
    weight = np.eye(6, dtype=np.float32) + 0.2  # symmetric, as whitening is
    whitening = Whitening(weight, np.full(6, 0.1, np.float32))
    model = encoder.as_module()
    Prompts("query: ", "passage: ").put_into(model)
    save_whitened(model, whitening, tmp_path / "model")
    loaded = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    texts = ["loop makes", "w3 w4"]
    expected = whitening(encoder.encode_questions(texts))
    assert expected.shape == (2, 6)
    np.testing.assert_allclose(loaded.encode_query(texts), expected, atol=1e-5)
    np.testing.assert_array_equal(read_whitening(tmp_path / "model").weight, weight)


def test_a_model_that_cuts_its_vectors_off_is_adapted_and_loads_again(cut_off, tmp_path):
    from sentence_transformers import SentenceTransformer

    encoder, draw = used(cut_off), np.random.default_rng(0)
    query_map = QueryMap(draw.normal(size=(6, 6)).astype(np.float32), draw.normal(size=6).astype(np.float32), True)
    model = encoder.as_module()
    Prompts("query: ", "passage: ").put_into(model)
    save_adapted(model, query_map, tmp_path / "model")
    loaded = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    texts = ["loop makes", "w3 w4"]
    questions = encoder.encode_questions(texts)
    np.testing.assert_allclose(loaded.encode_query(texts), query_map(questions), atol=1e-5)
    np.testing.assert_allclose(loaded.encode_document(texts), encoder.encode_passages(texts), atol=1e-5)
    np.testing.assert_allclose(read_query_map(tmp_path / "model")(questions), query_map(questions), atol=1e-6)


def test_a_model_that_would_give_other_vectors_is_not_kept(tmp_path):
    model = load_model(save_layout("bert", tmp_path), "cpu")
    vectors = TrialVectors.of(model)
    assert vectors is not None
    moved = vectors.mapped(lambda queries: queries + 1e-3, lambda documents: documents)
    with pytest.raises(ModelError, match=r"gives other vectors .* differ by 0\.001"):
        save_as_ranked(model, tmp_path / "saved", moved)
    shorter = vectors.mapped(lambda queries: queries[:, :4], lambda documents: documents)
    with pytest.raises(ModelError, match="16 numbers instead of 4"):
        save_as_ranked(model, tmp_path / "saved", shorter)


def test_what_the_old_layout_has_no_words_for_stays_as_it_is(tmp_path):
    from sentence_transformers.sentence_transformer.modules import Pooling

    model = load_model(save_layout("bert", tmp_path), "cpu")
    model._modules["1"] = Pooling(16, ("mean", "cls"))  # old versions would join them the other way round
    save_model(model, tmp_path / "saved")
    types = [module["type"] for module in json.loads((tmp_path / "saved" / "modules.json").read_text())]
    assert types[0] == "sentence_transformers.models.Transformer"
    assert types[1].startswith("sentence_transformers.sentence_transformer.")
    assert load_model(tmp_path / "saved", "cpu").get_embedding_dimension() == 32


def test_other_prompts_of_the_base_model_stay(tmp_path):
    folder = save_layout("bert", tmp_path)
    file = folder / "config_sentence_transformers.json"
    prompts = {"query": "w1 ", "passage": "w2 ", "cluster": "w3 "}
    file.write_text(json.dumps({**json.loads(file.read_text()), "prompts": prompts}))
    save_base(Encoder(folder, "x"), tmp_path / "saved")
    saved = settings_of(tmp_path / "saved", "config_sentence_transformers.json")["prompts"]
    assert saved == {**prompts, "document": "w2 "}
