import numpy as np
import pytest
import torch

from embft.errors import ConfigError, ModelError
from embft.models.encoder import Encoder, own_prompt
from embft.models.hardware import pick_device, pick_precision
from embft.models.loading import load_model, set_dropout


def tiny_bert(folder, *, prompts=None):
    """A randomly initialised BERT in the layout of the bge models: CLS pooling, normalised."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", "why", "what", "loop", ":"]
    backbone = folder / "backbone"
    backbone.mkdir(parents=True)
    (backbone / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    slow = BertWordPieceTokenizer(str(backbone / "vocab.txt"))
    BertTokenizerFast(tokenizer_object=slow._tokenizer, model_max_length=64).save_pretrained(backbone)
    torch.manual_seed(0)
    shape = BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=64,
    )  # fmt: skip
    BertModel(shape).save_pretrained(backbone)
    from sentence_transformers.base.modules import Transformer

    body = Transformer(str(backbone), max_seq_length=32)
    pooling = modules.Pooling(32, pooling_mode="cls")
    model = SentenceTransformer(modules=[body, pooling, modules.Normalize()], prompts=prompts, device="cpu")
    model.save_pretrained(str(folder / "model"), create_model_card=False)
    return folder / "model"


def test_a_model_in_the_layout_of_bge_gives_unit_vectors_of_the_first_token(tmp_path):
    encoder = Encoder(tiny_bert(tmp_path), "x", query_prompt="why : ", document_prompt="")
    vectors = encoder.encode_passages(["a loop", "b"])
    assert vectors.dtype == np.float32
    assert vectors.shape == (2, 32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    asked = encoder.encode_questions(["a loop"])
    assert not np.allclose(asked, vectors[:1])
    assert np.allclose(asked, encoder.encode_passages(["why : a loop"]), atol=1e-6)


def test_prompt_and_special_tokens_are_taken_off_the_models_limit(minilm_folder):
    assert Encoder(minilm_folder, "x", document_prompt="").usable_tokens() == 254
    encoder = Encoder(minilm_folder, "x", document_prompt="query: ")
    assert encoder.usable_tokens() == 252
    assert encoder.read_ends(["a b", "ab " * 300]) == [3, 252 * 3 - 1]
    assert encoder.token_spans([]) == []


def test_prompts_come_from_the_config_or_else_from_the_model(tmp_path):
    folder = tiny_bert(tmp_path, prompts={"query": "what ", "document": ""})
    assert Encoder(folder, "x").query_prompt == "what "
    assert Encoder(folder, "x", query_prompt="").query_prompt == ""
    tuned = Encoder(folder, "x", document_prompt="a ").tuned(folder, "y")
    assert (tuned.query_prompt, tuned.document_prompt) == ("what ", "a ")
    assert own_prompt(load_model(folder, "cpu"), "document") == ""


def test_the_limit_of_tokens_can_be_lowered_but_not_beyond_the_model(tmp_path):
    folder = tiny_bert(tmp_path)
    assert load_model(folder, "cpu", 16).max_seq_length == 16
    with pytest.raises(ModelError, match=r"max_seq_length=999 is beyond the 64 positions"):
        load_model(folder, "cpu", 999)


def test_another_limit_is_another_identity(tmp_path):
    assert Encoder(tmp_path, "x").query_identity != Encoder(tmp_path, "x", max_seq_length=16).query_identity


def test_damaged_weights_are_said_in_one_line(tmp_path):
    folder = tiny_bert(tmp_path)
    (folder / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelError, match=r"damaged: .*model.safetensors cannot be read"):
        load_model(folder, "cpu")


def test_dropout_is_set_everywhere(tmp_path):
    model = load_model(tiny_bert(tmp_path), "cpu", dropout=0.0)
    assert {module.p for module in model.modules() if isinstance(module, torch.nn.Dropout)} == {0.0}
    model.train()
    features = model.preprocess(["a loop b c d"])
    first, second = (model(dict(features))["sentence_embedding"] for _ in range(2))
    assert torch.equal(first, second)
    set_dropout(model, 0.5)
    assert not torch.equal(model(dict(features))["sentence_embedding"], first)


def test_hardware_is_picked_or_refused():
    assert pick_device("cpu") == "cpu"
    assert pick_precision("auto", "cpu") in {"fp32", "bf16"}
    with pytest.raises(ConfigError, match="fp16 needs a CUDA device"):
        pick_precision("fp16", "cpu")
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="not available here"):
            pick_device("cuda")
