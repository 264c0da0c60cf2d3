"""What is saved of an adapter is what was trained, whoever loads it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tiny import make_base

from embft.training.adapter import QueryMap
from embft.training.adapter_model import read_query_map, save_adapted


@pytest.mark.parametrize("unit", [True, False])
@pytest.mark.parametrize("widths", [(16, 16), (16, 48, 16)])
def test_a_map_is_saved_in_the_model_and_read_back(tmp_path, widths, unit):
    from sentence_transformers import SentenceTransformer

    draw = np.random.default_rng(0)
    layers = tuple(
        (draw.normal(size=(after, before)).astype(np.float32), draw.normal(size=after).astype(np.float32))
        for before, after in itertools.pairwise(widths)
    )
    base, query_map = make_base(tmp_path).encoder, QueryMap(layers, unit)
    save_adapted(base.as_module(), query_map, tmp_path / "model")
    found = read_query_map(tmp_path / "model")
    assert found.unit == unit
    for (weight, bias), (read_weight, read_bias) in zip(layers, found.layers, strict=True):
        np.testing.assert_array_equal(weight, read_weight)
        np.testing.assert_array_equal(bias, read_bias)
    model = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    texts = ["w1 w2", "w3 w4 w5"]
    np.testing.assert_allclose(model.encode_query(texts), query_map(base.encode_questions(texts)), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(model.encode_document(texts), base.encode_passages(texts))
