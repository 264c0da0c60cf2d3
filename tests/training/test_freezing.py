import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from transformers import BertConfig, BertModel

from embft.errors import TrainingError
from embft.training.freezing import freeze


@pytest.fixture
def model(tmp_path):
    """A random BERT of three layers."""
    from transformers import BertTokenizerFast

    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n")
    BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    sizes = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16, "num_hidden_layers": 3}
    BertModel(BertConfig(vocab_size=7, **sizes)).save_pretrained(tmp_path)
    transformer = Transformer(str(tmp_path))
    return SentenceTransformer(modules=[transformer, Pooling(8)], device="cpu")


def trained(model) -> set[str]:
    return {name.partition("model.")[2] for name, weight in model.named_parameters() if weight.requires_grad}


def test_embeddings_and_lower_layers_stay_as_they_are(model):
    freeze(model, train_embeddings=False, frozen_layers=2)
    assert trained(model)
    assert all(name.startswith(("encoder.layer.2.", "pooler.")) for name in trained(model))


def test_by_default_only_the_embeddings_stay(model):
    everything = trained(model)
    freeze(model, train_embeddings=True, frozen_layers=0)
    assert trained(model) == everything
    freeze(model, train_embeddings=False, frozen_layers=0)
    assert everything - trained(model) == {name for name in everything if name.startswith("embeddings.")}


def test_freezing_every_layer_is_refused(model):
    with pytest.raises(TrainingError, match="this model has 3 layers"):
        freeze(model, train_embeddings=False, frozen_layers=3)
