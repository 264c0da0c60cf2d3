"""A base model whose weights were saved in half precision trains as the same weights in fp32 do."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import make_model, train


def saved_in(base, root, dtype):
    """A copy of the base model; its weights are numbers that all three formats hold exactly."""
    folder = root / "base"
    shutil.copytree(base, folder)
    weights = {
        key: weight.bfloat16().half().to(dtype) for key, weight in load_file(folder / "model.safetensors").items()
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    settings = json.loads((folder / "config.json").read_text())
    name = str(dtype).removeprefix("torch.")
    (folder / "config.json").write_text(json.dumps({**settings, "dtype": name}))
    return root


@pytest.mark.slow
def test_losses_and_result_are_those_of_fp32(tmp_path):
    make_model(tmp_path / "base")
    losses, dtypes = {}, set()
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        tuned = train(saved_in(tmp_path / "base", tmp_path / str(dtype), dtype)).value
        losses[dtype] = [epoch.loss for epoch in tuned.report.history if epoch.loss is not None]
        dtypes |= {weight.dtype for weight in load_file(tuned.folder / "model.safetensors").values()}
        dtypes.add(json.loads((tuned.folder / "config.json").read_text())["dtype"])
    assert len(losses[torch.float32]) == 2
    assert losses[torch.float32][1] < losses[torch.float32][0]
    for half in (torch.float16, torch.bfloat16):
        assert losses[half] == pytest.approx(losses[torch.float32], abs=1e-5)
    assert dtypes == {torch.float32, "float32"}


def test_bf16_computing_over_half_weights_learns_too(tmp_path):
    make_model(tmp_path / "base")
    root = saved_in(tmp_path / "base", tmp_path / "half", torch.float16)
    history = train(root, precision="bf16").value.report.history
    losses = [epoch.loss for epoch in history if epoch.loss is not None]
    assert losses[1] < losses[0]
