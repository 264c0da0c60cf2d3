"""Attention in bf16 against PyTorch's own kernel: the same numbers, and nothing of it in a saved model."""

from __future__ import annotations

import json

import pytest
import torch
from sentence_transformers import SentenceTransformer
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from embft.config.training import TrainingConfig
from embft.models.saving import Prompts
from embft.training.attention import NAME, attend
from embft.training.trainee import Trainee


class Layer(torch.nn.Module):
    is_causal = False


def tensors(dtype: torch.dtype) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(1)
    return [torch.randn(3, 2, 10, 8, generator=draw).to(dtype).requires_grad_() for _ in range(3)]


def boolean() -> torch.Tensor:
    """The second of three texts has seven tokens, the others ten."""
    mask = torch.ones(3, 1, 10, 10, dtype=torch.bool)
    mask[1, :, :, 7:] = False
    return mask


MASKS = {
    "none": None,
    "boolean": boolean(),
    "added": torch.zeros(3, 1, 1, 10).masked_fill(~boolean()[:, :, :1], torch.finfo(torch.float32).min),
}


@pytest.mark.parametrize("mask", MASKS)
def test_vectors_and_gradients_are_those_of_exact_attention(mask):
    exact = tensors(torch.float32)
    rounded = [tensor.detach().bfloat16().requires_grad_() for tensor in exact]
    weight = torch.randn(3, 10, 2, 8, generator=torch.Generator().manual_seed(2))
    expected, _ = sdpa_attention_forward(Layer(), *exact, MASKS[mask])
    (expected * weight).sum().backward()
    found, weights = attend(Layer(), *rounded, MASKS[mask])
    (found.float() * weight).sum().backward()
    assert found.dtype == torch.bfloat16
    assert weights is None
    assert torch.allclose(found.float(), expected, atol=0.03)
    for mine, theirs in zip(rounded, exact, strict=True):
        assert torch.allclose(mine.grad.float(), theirs.grad, atol=0.06)


@pytest.mark.parametrize("case", ["fp32", "no gradient", "causal", "dropout", "long"])
def test_all_else_goes_to_the_fused_kernel(case, monkeypatch):
    asked = []
    monkeypatch.setattr("embft.training.attention.sdpa_attention_forward", lambda *given, **kwargs: asked.append(given))
    inputs = tensors(torch.float32 if case == "fp32" else torch.bfloat16)
    if case == "long":
        inputs = [tensor.repeat(1, 1, 40, 1) for tensor in inputs]
    with torch.set_grad_enabled(case != "no gradient"):
        attend(Layer(), *inputs, None, dropout=0.1 * (case == "dropout"), is_causal=case == "causal")
    assert len(asked) == 1


def test_a_tuned_model_is_saved_as_if_it_had_never_been(minilm_folder, tmp_path):
    trainee = Trainee.of(minilm_folder, TrainingConfig(name="x"), "cpu", None, 1)
    assert trainee.model[0].auto_model.config._attn_implementation == NAME
    trainee.save(tmp_path / "model", Prompts("", ""))
    assert NAME not in "".join(path.read_text() for path in (tmp_path / "model").rglob("*.json"))
    loaded = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    assert loaded[0].auto_model.config._attn_implementation == "sdpa"
    assert json.loads((tmp_path / "model" / "config.json").read_text())["model_type"] == "bert"


def test_an_attention_that_the_user_names_is_left_alone(minilm_folder):
    trainee = Trainee.of(minilm_folder, TrainingConfig(name="x", attention="eager"), "cpu", None, 1)
    assert trainee.model[0].auto_model.config._attn_implementation == "eager"
