"""What is odd about a folder and no fault: it runs, as it should."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from layouts import LAYOUTS, save_layout
from safetensors.torch import load_file, save_file

from embft.errors import ModelError
from embft.models.encoder import Encoder
from embft.models.loading import load_model, usable_positions
from embft.models.trial import try_model, try_once


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return save_layout("bert", tmp_path_factory.mktemp("bert"))


def changed(folder, target, edit):
    shutil.copytree(folder, target)
    tensors = edit(load_file(target / "model.safetensors"))
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
    return target


def test_a_pooler_that_no_vector_depends_on_may_be_missing(bert, tmp_path):
    folder = changed(
        bert, tmp_path / "x", lambda all_: {key: value for key, value in all_.items() if "pooler" not in key}
    )
    try_model(Encoder(folder, "x"))


def test_weights_may_carry_the_prefix_of_a_larger_model_and_its_head(bert, tmp_path):
    def larger(tensors):
        return {**{f"bert.{key}": value for key, value in tensors.items()}, "cls.predictions.bias": torch.zeros(3)}

    folder = changed(bert, tmp_path / "x", larger)
    try_model(Encoder(folder, "x"))
    texts = ["loop w1", "stop"]
    np.testing.assert_array_equal(load_model(folder, "cpu").encode(texts), load_model(bert, "cpu").encode(texts))


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_passes(name, tmp_path):
    try_model(Encoder(save_layout(name, tmp_path), "x"))


def test_what_has_passed_is_not_tried_again(bert, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(bert, copy)
    try_once(Encoder(copy, "x"), tmp_path / "tried")
    (copy / "model.safetensors").unlink()
    try_once(Encoder(copy, "x"), tmp_path / "tried")
    with pytest.raises(ModelError, match="no safetensors weights"):
        try_once(Encoder(copy, "y"), tmp_path / "tried")


@pytest.mark.parametrize("name", ["xlm-r", "mpnet"])
def test_positions_that_stand_for_padding_are_not_usable(name, tmp_path):
    folder = save_layout(name, tmp_path, limit=66)
    model = load_model(folder, "cpu")
    assert usable_positions(model) == model.max_seq_length == 64  # of 66
    model.encode(["w1 " * 200])
    with pytest.raises(ModelError, match="max_seq_length=65 is beyond the 64 positions"):
        load_model(folder, "cpu", 65)
    load_model(folder, "cpu", 64).encode(["w1 " * 200])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_loaded_as_fp32(bert, tmp_path, dtype):
    folder = changed(bert, tmp_path / "x", lambda all_: {key: value.to(dtype) for key, value in all_.items()})
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, "dtype": str(dtype).removeprefix("torch.")}))
    model = load_model(folder, "cpu")
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert np.abs(model.encode(["loop"]) - load_model(bert, "cpu").encode(["loop"])).max() < 0.05
