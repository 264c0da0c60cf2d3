"""Cross-encoders: which folders are taken, which are refused in words, and that their scores are sentence-transformers' own."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from tiny_cross_encoder import save_tiny_cross_encoder

from embft.config.reranking import RerankerConfig
from embft.errors import ModelError
from embft.models.cross_encoder import open_cross_encoder

PAIRS = [("stop the loop early", "break"), ("stop the loop early", "class value name"), ("name", "a class is a value")]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("cross")
    return {layout: save_tiny_cross_encoder(root / layout, layout=layout) for layout in ("transformers", "modules")}


def opened(path, **settings):
    return open_cross_encoder(RerankerConfig(kind="cross_encoder", path=str(path), **settings), None)


@pytest.mark.parametrize("layout", ["transformers", "modules"])
def test_scores_are_the_logits_of_sentence_transformers_before_the_sigmoid(folders, layout):
    from sentence_transformers import CrossEncoder

    scores = opened(folders[layout]).scores(PAIRS)
    own = CrossEncoder(str(folders[layout]), device="cpu").predict([list(pair) for pair in PAIRS])
    assert scores.shape == (3,)
    assert np.allclose(1 / (1 + np.exp(-scores)), own, atol=1e-6)


def test_another_limit_is_another_function_and_one_beyond_the_positions_is_refused(folders):
    assert opened(folders["transformers"]).identity != opened(folders["transformers"], max_length=16).identity
    with pytest.raises(ModelError, match=r"max_length=65 is beyond the 64 positions"):
        opened(folders["transformers"], max_length=65).scores(PAIRS)
    assert np.isfinite(opened(folders["transformers"]).scores([("loop " * 300, "value " * 300)])).all()


def test_a_sentence_transformer_is_refused_by_its_name(minilm_folder):
    with pytest.raises(ModelError, match="is a SentenceTransformer: it embeds one text at a time and scores no pairs"):
        opened(minilm_folder)


def edited(folder, tmp_path, name, **changes):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    content = json.loads((copy / name).read_text())
    (copy / name).write_text(json.dumps({**content, **changes}))
    return copy


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("config.json", {"auto_map": {"AutoModel": "evil.py"}}, "wants to run code from its repository"),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": "evil.py"}}, "wants to run code from its repository"),
        ("config.json", {"quantization_config": {"bits": 4}}, "quantised weights"),
        ("config.json", {"architectures": ["BertForMaskedLM"]}, "is a BertForMaskedLM, not a cross-encoder"),
        ("config.json", {"architectures": None}, "of a kind that config.json does not name"),
        ("config.json", {"sbert_ce_default_activation_function": "os.system"}, "none of PyTorch's"),
        ("config.json", {"num_hidden_layers": 3}, "Weights of cross-encoder .* are missing"),
        ("config.json", {"hidden_size": 16}, "cannot be loaded"),
    ],
)
def test_what_is_no_cross_encoder_is_refused_in_words(folders, tmp_path, name, changes, words):
    with pytest.raises(ModelError, match=words):
        opened(edited(folders["transformers"], tmp_path, name, **changes)).scores(PAIRS)


def test_classifiers_pickles_code_and_empty_folders_are_refused(folders, tmp_path):
    with pytest.raises(ModelError, match="classifier with 3 labels"):
        opened(save_tiny_cross_encoder(tmp_path / "three", labels=3))
    pickled = tmp_path / "pickled"
    shutil.copytree(folders["transformers"], pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(ModelError, match="pickled weights can run code"):
        opened(pickled)
    coded = tmp_path / "coded"
    shutil.copytree(folders["modules"], coded)
    (coded / "modules.json").write_text(json.dumps([{"idx": 0, "name": "0", "path": "", "type": "evil.Transformer"}]))
    with pytest.raises(ModelError, match="runs no code of a model's own"):
        opened(coded)
    with pytest.raises(ModelError, match=r"config\.json is missing"):
        opened(tmp_path)
    with pytest.raises(ModelError, match="is not a folder"):
        opened(tmp_path / "nowhere")


def test_a_hub_id_without_a_hub_says_what_to_do():
    with pytest.raises(ModelError, match=r"hf download a/b.*evaluation\.reranker\.path=DIR"):
        open_cross_encoder(RerankerConfig(kind="cross_encoder", id="a/b"), None)


def test_weights_that_are_not_finite_are_refused(folders, tmp_path):
    from safetensors.numpy import load_file, save_file

    copy = tmp_path / "nan"
    shutil.copytree(folders["transformers"], copy)
    weights = load_file(copy / "model.safetensors")
    weights["classifier.bias"][:] = np.nan
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="not finite"):
        opened(copy).scores(PAIRS)
