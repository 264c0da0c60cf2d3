import pytest
import torch
from layouts import LAYOUTS, save_layout
from sentence_transformers import SentenceTransformer
from tiny import train
from tiny_bert import save_tiny_bert

from embft.config import TrainingConfig
from embft.models.loading import load_model
from embft.training.freezing import freeze
from embft.training.trainee import Trainee


@pytest.fixture
def model(tmp_path):
    return SentenceTransformer(str(save_tiny_bert(tmp_path)), device="cpu")


def trained(model) -> set[str]:
    return {name.partition("model.")[2] for name, weight in model.named_parameters() if weight.requires_grad}


def test_embeddings_and_lower_layers_stay_as_they_are(model):
    assert len(freeze(model, train_embeddings=False, frozen_share=0.67)) == 2  # of 3
    assert trained(model)
    assert all(name.startswith(("encoder.layer.2.", "pooler.")) for name in trained(model))


def test_the_embeddings_alone_can_stay(model):
    everything = trained(model)
    assert freeze(model, train_embeddings=True, frozen_share=0.0) == []
    assert trained(model) == everything
    freeze(model, train_embeddings=False, frozen_share=0.0)
    assert everything - trained(model) == {name for name in everything if name.startswith("embeddings.")}


def test_one_layer_is_always_trained(model):
    assert len(freeze(model, train_embeddings=False, frozen_share=0.99)) == 2
    assert any(name.startswith("encoder.layer.2.") for name in trained(model))


@pytest.mark.parametrize(("settings", "frozen"), [({}, 2), ({"train_embeddings": True}, 0), ({"frozen_share": 0.0}, 0)])
def test_of_truncated_chunks_half_the_layers_learn_unless_told_otherwise(tmp_path, settings, frozen):
    report = train(tmp_path, **{"frozen_share": None, "epochs": 1, **settings}).value.report
    assert report.frozen_layers == frozen


@pytest.mark.parametrize("name", LAYOUTS)
def test_nothing_that_is_trained_changes_what_frozen_layers_give(name, tmp_path):
    model = load_model(save_layout(name, tmp_path), "cpu", dropout=0.0)
    *_, last = freeze(model, train_embeddings=False, frozen_share=0.67)
    given = []
    last.register_forward_hook(
        lambda module, _, result: given.append(result[0] if isinstance(result, tuple) else result)
    )
    before = model.encode(["loop makes w1"])
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight.add_(1.0)
    after = model.encode(["loop makes w1"])
    assert not (before == after).all()
    assert torch.equal(*given)


def test_low_rank_updates_leave_layers_behind_the_transformer_as_they_are(tmp_path):
    config = TrainingConfig(name="lora", part="lora", lora_rank=2)
    trainee = Trainee.of(save_layout("gemma3", tmp_path), config, "cpu", None, seed=1)
    names = trained(trainee.model)
    assert names
    assert all("lora_" in name for name in names)
