"""What is saved of an adapter is what was trained, whoever loads it."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import make_base

from embft.models.vectors import QueryMap, read_query_map
from embft.training.adapter_model import save_adapted


@pytest.mark.parametrize("unit", [True, False])
def test_a_map_is_saved_in_the_model_and_read_back(tmp_path, unit):
    from sentence_transformers import SentenceTransformer

    draw = np.random.default_rng(0)
    weight, bias = draw.normal(size=(16, 16)).astype(np.float32), draw.normal(size=16).astype(np.float32)
    base, query_map = make_base(tmp_path).encoder, QueryMap(weight, bias, unit)
    save_adapted(base.as_module(), query_map, tmp_path / "model")
    read = read_query_map(tmp_path / "model")
    assert read.unit == unit
    np.testing.assert_array_equal(weight, read.weight)
    np.testing.assert_array_equal(bias, read.bias)
    model = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    texts = ["w1 w2", "w3 w4 w5"]
    np.testing.assert_allclose(model.encode_query(texts), query_map(base.encode_questions(texts)), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(model.encode_document(texts), base.encode_passages(texts))
