import numpy as np
import pytest
import torch
from layouts import LAYOUTS, save_layout
from sentence_transformers import SentenceTransformer
from tiny_bert import save_tiny_bert

from embft.models.loading import load_model
from embft.training.freezing import freeze
from embft.training.lower_layers import LowerLayers

TEXTS = ["a b c", "b", "c d a b a", "d d"]


@pytest.fixture
def folder(tmp_path):
    return save_tiny_bert(tmp_path)


def remembering(folder, **limits):
    model = SentenceTransformer(str(folder), device="cpu")
    calls: list[int] = []
    frozen = freeze(model, train_embeddings=False, frozen_share=0.7)
    for number, layer in enumerate(frozen):
        inner = layer.forward

        def counted(*args, inner=inner, number=number, **kwargs):
            calls.append(number)
            return inner(*args, **kwargs)

        layer.forward = counted
    return model, LowerLayers(model, frozen, **limits), calls


def test_remembered_texts_cost_no_lower_layer_and_give_the_same_vectors(folder):
    expected = SentenceTransformer(str(folder), device="cpu").encode(TEXTS)
    model, lower, calls = remembering(folder)
    lower.fill(TEXTS, "", batch_size=2)
    assert calls == [0, 1] * 2
    found = model.encode(TEXTS, batch_size=3)
    assert calls == [0, 1] * 2
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_an_unknown_text_in_a_batch_has_the_whole_batch_worked_out(folder):
    expected = SentenceTransformer(str(folder), device="cpu").encode(TEXTS)
    model, lower, calls = remembering(folder)
    lower.fill(TEXTS[:3], "")
    calls.clear()
    np.testing.assert_allclose(model.encode(TEXTS), expected, atol=1e-6)
    assert calls == [0, 1]


def test_the_prompt_is_part_of_the_text(folder):
    model, lower, calls = remembering(folder)
    lower.fill(TEXTS, "a ")
    calls.clear()
    model.encode(TEXTS, prompt="a ")
    assert calls == []
    model.encode(TEXTS)
    assert calls


def test_upper_layers_learn_as_without_it(folder):
    def gradient(model):
        features = model.preprocess(TEXTS)
        model(features)["sentence_embedding"].sum().backward()
        return model[0].auto_model.encoder.layer[2].output.dense.weight.grad

    plain = SentenceTransformer(str(folder), device="cpu").eval()
    model, lower, _ = remembering(folder)
    lower.fill(TEXTS, "")
    assert torch.allclose(gradient(model.eval()), gradient(plain), atol=1e-6)


def test_beyond_its_memory_it_works_texts_out(folder):
    expected = SentenceTransformer(str(folder), device="cpu").encode(TEXTS)
    model, lower, calls = remembering(folder, limit_bytes=7 * 8 * 4)  # seven tokens of eight float32
    lower.fill(TEXTS, "")
    calls.clear()
    np.testing.assert_allclose(model.encode(TEXTS), expected, atol=1e-6)
    assert calls
    calls.clear()
    model.encode(TEXTS[2:3])  # the longest was remembered first
    assert not calls


def test_what_is_saved_is_an_ordinary_model(folder, tmp_path):
    model, lower, _ = remembering(folder)
    lower.fill(TEXTS, "")
    model.save_pretrained(str(tmp_path / "saved"))
    again = SentenceTransformer(str(tmp_path / "saved"), device="cpu")
    np.testing.assert_allclose(again.encode(TEXTS), model.encode(TEXTS), atol=1e-6)


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_gives_the_vectors_that_it_gives_without(name, tmp_path):
    folder = save_layout(name, tmp_path)
    texts = ["loop w1 makes", "w2", "stop early w3 w4 w5"]
    expected = load_model(folder, "cpu", dropout=0.0).encode(texts, prompt="query: ")
    model = load_model(folder, "cpu", dropout=0.0)
    lower = LowerLayers(model, freeze(model, train_embeddings=False, frozen_share=0.67))
    lower.fill(texts, "query: ")
    np.testing.assert_allclose(model.encode(texts, prompt="query: "), expected, atol=1e-5)
