from __future__ import annotations

from functools import partial

import pytest
import torch
from tiny import train
from torch._dynamo.utils import counters


@pytest.mark.slow
def test_a_compiled_training_is_the_same_training(tmp_path, monkeypatch):
    # Graphs are captured, forwards and backwards, as for inductor; its C++ compiler alone would take most of a minute.
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    losses: dict[bool, list[float]] = {}
    for compiled in (False, True):
        heard: list[float] = []
        counters.clear()
        train(
            tmp_path / str(compiled),
            epochs=1,
            compile=compiled,
            frozen_share=0.67,
            log=lambda values, step, heard=heard: heard.append(values.get("train/loss", 0.0)),
        )
        losses[compiled] = heard
        assert bool(counters["stats"]["unique_graphs"]) == compiled
    assert losses[True] == pytest.approx(losses[False], abs=1e-4)
