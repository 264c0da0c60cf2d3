import pytest
from sentence_transformers import SentenceTransformer
from tiny_bert import save_tiny_bert

from embft.errors import TrainingError
from embft.training.freezing import freeze


@pytest.fixture
def model(tmp_path):
    return SentenceTransformer(str(save_tiny_bert(tmp_path)), device="cpu")


def trained(model) -> set[str]:
    return {name.partition("model.")[2] for name, weight in model.named_parameters() if weight.requires_grad}


def test_embeddings_and_lower_layers_stay_as_they_are(model):
    assert len(freeze(model, train_embeddings=False, frozen_layers=2)) == 2
    assert trained(model)
    assert all(name.startswith(("encoder.layer.2.", "pooler.")) for name in trained(model))


def test_the_embeddings_alone_can_stay(model):
    everything = trained(model)
    freeze(model, train_embeddings=True, frozen_layers=0)
    assert trained(model) == everything
    freeze(model, train_embeddings=False, frozen_layers=0)
    assert everything - trained(model) == {name for name in everything if name.startswith("embeddings.")}


def test_null_is_two_thirds_unless_the_embeddings_are_trained(model):
    everything = trained(model)
    assert freeze(model, train_embeddings=True, frozen_layers=None) == []
    assert trained(model) == everything
    assert len(freeze(model, train_embeddings=False, frozen_layers=None)) == 2  # of 3
    assert not any(name.startswith(("embeddings.", "encoder.layer.0.", "encoder.layer.1.")) for name in trained(model))
    assert any(name.startswith("encoder.layer.2.") for name in trained(model))


def test_freezing_every_layer_is_refused(model):
    with pytest.raises(TrainingError, match="this model has 3 layers"):
        freeze(model, train_embeddings=False, frozen_layers=3)
