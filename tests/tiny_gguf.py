"""A GGUF file of a random one-layer model that llama.cpp loads in a moment, and whose replies differ from prompt to prompt."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

_UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_WIDTH, _LAYERS, _HEADS, _CONTEXT, _ALIGNED = 64, 1, 2, 8192, 32
WORDS = tuple(f"\u2581w{number}?" for number in range(40))
"""The words of replies, the only ones that it ever prefers. Prompts are read byte by byte."""
_TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"


def save_tiny_gguf(path: Path, seed: int = 3) -> Path:
    """Writes it.

    Args:
        seed: Of the weights.
    """
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *WORDS]
    kinds = [2, 3, 3, *[6] * 256, *[1] * len(WORDS)]
    values = [
        _value("general.architecture", _STRING, "llama"),
        *(_value(f"llama.{name}", _UINT32, number) for name, number in {
            "context_length": _CONTEXT, "embedding_length": _WIDTH, "block_count": _LAYERS, "feed_forward_length": _WIDTH,
            "attention.head_count": _HEADS, "rope.dimension_count": _WIDTH // _HEADS, "vocab_size": len(tokens),
        }.items()),
        _value("llama.attention.layer_norm_rms_epsilon", _FLOAT32, 1e-5),
        _value("tokenizer.ggml.model", _STRING, "llama"),
        _array("tokenizer.ggml.tokens", _STRING, tokens),
        _array("tokenizer.ggml.scores", _FLOAT32, [-float(place) for place in range(len(tokens))]),
        _array("tokenizer.ggml.token_type", _INT32, kinds),
        *(_value(f"tokenizer.ggml.{name}_token_id", _UINT32, place) for place, name in enumerate(("unknown", "bos", "eos"))),
        _value("tokenizer.ggml.add_bos_token", _BOOL, True),
        _value("tokenizer.chat_template", _STRING, _TEMPLATE),
    ]  # fmt: skip
    tensors = _tensors(np.random.default_rng(seed), len(tokens))
    infos, offset = b"", 0
    for name, tensor in tensors.items():
        shape = tensor.shape[::-1]  # the innermost first
        infos += _text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, offset)
        offset += _padded(tensor.nbytes)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values)) + b"".join(values) + infos
    data = b"".join(tensor.tobytes().ljust(_padded(tensor.nbytes), b"\0") for tensor in tensors.values())
    path.write_bytes(head.ljust(_padded(len(head)), b"\0") + data)
    return path


def _tensors(draw: np.random.Generator, vocabulary: int) -> dict[str, np.ndarray]:
    def random(*shape: int) -> np.ndarray:
        return draw.normal(0.0, 1.5 / _WIDTH**0.5, shape).astype(np.float32)

    ones, square = np.ones(_WIDTH, np.float32), (_WIDTH, _WIDTH)
    output = random(vocabulary, _WIDTH)
    output[: -len(WORDS)] = 0.0  # of forty random words one is liked better than nothing
    layers = {}
    for layer in range(_LAYERS):
        at = f"blk.{layer}"
        layers |= {f"{at}.attn_norm.weight": ones, f"{at}.ffn_norm.weight": ones}
        names = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
        layers |= {f"{at}.{name}.weight": random(*square) for name in names}
    embedded = 4.0 * random(vocabulary, _WIDTH)
    return {"token_embd.weight": embedded, "output_norm.weight": ones, "output.weight": output, **layers}


def _padded(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _packed(kind: int, value: object) -> bytes:
    if kind == _STRING:
        return _text(str(value))
    return struct.pack({_UINT32: "<I", _INT32: "<i", _FLOAT32: "<f", _BOOL: "<?"}[kind], value)


def _value(name: str, kind: int, value: object) -> bytes:
    return _text(name) + struct.pack("<I", kind) + _packed(kind, value)


def _array(name: str, kind: int, values: Sequence[object]) -> bytes:
    head = _text(name) + struct.pack("<IIQ", _ARRAY, kind, len(values))
    return head + b"".join(_packed(kind, value) for value in values)
