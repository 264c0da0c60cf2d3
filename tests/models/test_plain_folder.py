"""A transformers folder without modules.json: what is done with its token vectors, and that it is said."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from layouts import save_layout

from embft.config import ModelConfig
from embft.models.loading import load_model
from embft.models.plain_folder import pooling_of
from embft.models.source import resolve

BOTH = "Use cls pooling. If you use mean pooling, there will be a significant decrease in performance."


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    root = tmp_path_factory.mktemp("plain")
    save_layout("bert", root)
    return root / "raw"


def plain(raw, folder, card=None, **config):
    shutil.copytree(raw, folder)
    if card is not None:
        (folder / "README.md").write_text(card, encoding="utf-8")
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, **config}))
    return folder


@pytest.mark.parametrize(
    ("name", "card", "mode", "normalise", "source"),
    [
        ("mine", None, "mean", False, "guess"),
        ("mine", "Nothing about it.", "mean", False, "guess"),
        ("mine", BOTH, "mean", False, "guess"),
        ("bge-small-en", BOTH, "cls", True, "name"),
        ("models--BAAI--bge-base-zh-v1.5/snapshots/0123", None, "cls", True, "name"),
        ("multilingual-e5-small", None, "mean", True, "name"),
        ("gte-base", None, "mean", True, "name"),
        ("gte-large-zh", None, "mean", False, "guess"),
        ("mine", "embeddings = model_output[0][:, 0]\nF.normalize(embeddings, p=2)", "cls", True, "card"),
        ("mine", "def mean_pooling(model_output, attention_mask):", "mean", False, "card"),
        ("bge-small-en", "def average_pool(last_hidden_states, mask):", "mean", False, "card"),
        ("mine", "(1): Pooling({'pooling_mode_cls_token': True, 'pooling_mode_mean_tokens': False})", "cls", False, "card"),
    ],
)  # fmt: skip
def test_the_card_goes_before_the_name_and_the_name_before_a_guess(raw, tmp_path, name, card, mode, normalise, source):
    pooling = pooling_of(plain(raw, tmp_path / name, card))
    assert (pooling.mode, pooling.normalise, pooling.source) == (mode, normalise, source)


def test_a_causal_model_gives_its_last_token(raw, tmp_path):
    folder = plain(raw, tmp_path / "bge-large-decoder", architectures=["Qwen3ForCausalLM"])
    assert pooling_of(folder).mode == "lasttoken"


def test_a_guess_is_said_and_so_is_what_is_known(raw, tmp_path):
    guessed = resolve(ModelConfig(name="x", path=str(plain(raw, tmp_path / "mine"))))
    assert "takes the mean of its token vectors, and that is a guess" in guessed.notes[0]
    known = resolve(ModelConfig(name="x", path=str(plain(raw, tmp_path / "bge-small-en"))))
    assert (
        "the first token ([CLS]) of its token vectors, scaled to length 1, as the model's name has it" in known.notes[0]
    )
    assert guessed.fingerprint != known.fingerprint


def test_a_sentence_transformers_folder_has_nothing_to_be_said(tmp_path):
    assert resolve(ModelConfig(name="x", path=str(save_layout("bert", tmp_path)))).notes == ()


def test_the_vectors_are_those_of_the_pooling(raw, tmp_path):
    mean = load_model(plain(raw, tmp_path / "mine"), "cpu")
    cls = load_model(plain(raw, tmp_path / "bge-small-en"), "cpu")
    tokens = mean.encode("loop makes stop", output_value="token_embeddings").numpy()
    np.testing.assert_allclose(mean.encode("loop makes stop"), tokens.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(cls.encode("loop makes stop"), tokens[0] / np.linalg.norm(tokens[0]), atol=1e-5)
