"""Tiny random models in the layouts of models of today: each has its own tokenizer, padding, positions and pooling."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

WORDS = [*(f"w{number}" for number in range(40)), "loop", "query", "passage", "makes", "stop", "early"]
_SHAPE = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True)
class Layout:
    """One layout.

    Attributes:
        config: From the vocabulary's size to transformers' configuration.
        tokenizer: Makes the tokenizer and the names of its special tokens.
        pooling: As sentence-transformers calls it.
        dense: Widths of dense layers after the pooling.
    """

    config: Callable[[Any, int], Any]
    tokenizer: Callable[[], tuple[Any, dict[str, Any]]]
    pooling: str = "mean"
    dense: tuple[tuple[int, int], ...] = ()


def word_piece() -> tuple[Any, dict[str, Any]]:
    """BERT's."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*special, *WORDS, *_LETTERS, *(f"##{letter}" for letter in _LETTERS), ":"]
    made = Tokenizer(models.WordPiece({piece: at for at, piece in enumerate(pieces)}, unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    return made, dict(zip(names, special, strict=True))


def sentence_piece() -> tuple[Any, dict[str, Any]]:
    """XLM-R's: a space belongs to the word after it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    special = ["<s>", "<pad>", "</s>", "<unk>"]
    words = [("▁", -2.0), *((f"▁{word}", -3.0) for word in WORDS), *((letter, -6.0) for letter in f"{_LETTERS}:")]
    made = Tokenizer(models.Unigram([*((mark, 0.0) for mark in special), *words], unk_id=3))
    made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    names = {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>"}
    return made, {**names, "bos_token": "<s>", "eos_token": "</s>"}


def bytes_left() -> tuple[Any, dict[str, Any]]:
    """Qwen3's: bytes, a mark at the end alone, padding before the text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({piece: at for at, piece in enumerate(["<|end|>", "<|pad|>", *alphabet])}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False)
    made.decoder = decoders.ByteLevel()
    made.post_processor = processors.TemplateProcessing(single="$A <|end|>", special_tokens=[("<|end|>", 0)])
    return made, {
        "pad_token": "<|pad|>",
        "eos_token": "<|end|>",
        "additional_special_tokens": ["<|pad|>"],
        "padding_side": "left",
    }


def bytes_right() -> tuple[Any, dict[str, Any]]:
    """ModernBERT's, but for its words."""
    made, names = bytes_left()
    return made, {**names, "padding_side": "right"}


_ROPE = {"rope_parameters": {"rope_type": "default", "rope_theta": 1_000_000.0}}
_HEADS = {"num_key_value_heads": 1, "head_dim": 8}
LAYOUTS = {
    "bert": Layout(lambda t, n: t.BertConfig(vocab_size=n, max_position_embeddings=64, **_SHAPE), word_piece, "cls"),
    "xlm-r": Layout(
        lambda t, n: t.XLMRobertaConfig(
            vocab_size=n, max_position_embeddings=66, pad_token_id=1, type_vocab_size=1, **_SHAPE
        ),
        sentence_piece,
        "cls",
    ),
    "mpnet": Layout(
        lambda t, n: t.MPNetConfig(vocab_size=n, max_position_embeddings=66, pad_token_id=1, **_SHAPE), sentence_piece
    ),
    "distilbert": Layout(
        lambda t, n: t.DistilBertConfig(
            vocab_size=n, dim=16, n_layers=3, n_heads=2, hidden_dim=32, max_position_embeddings=64
        ),
        word_piece,
    ),
    "bert-dense": Layout(
        lambda t, n: t.BertConfig(vocab_size=n, max_position_embeddings=64, **_SHAPE), word_piece, "mean", ((16, 24),)
    ),
    "deberta": Layout(
        lambda t, n: t.DebertaV2Config(
            vocab_size=n, max_position_embeddings=64, pad_token_id=1, relative_attention=True, position_buckets=8,
            norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type=["p2c", "c2p"], position_biased_input=False,
            type_vocab_size=0, conv_kernel_size=3, conv_act="gelu", **_SHAPE,
        ),
        sentence_piece,
    ),
    "t5": Layout(
        lambda t, n: t.T5Config(vocab_size=n, d_model=16, d_kv=8, d_ff=32, num_layers=3, num_heads=2, pad_token_id=1),
        sentence_piece,
    ),
    "modernbert": Layout(
        lambda t, n: t.ModernBertConfig(
            vocab_size=n, max_position_embeddings=64, pad_token_id=1, bos_token_id=0, eos_token_id=0, cls_token_id=0,
            sep_token_id=0, global_attn_every_n_layers=2, local_attention=8, **_SHAPE,
        ),
        bytes_right,
    ),
    "qwen3": Layout(
        lambda t, n: t.Qwen3Config(vocab_size=n, max_position_embeddings=64, **_HEADS, **_ROPE, **_SHAPE),
        bytes_left,
        "lasttoken",
    ),
    "gemma3": Layout(
        lambda t, n: t.Gemma3TextConfig(
            vocab_size=n, max_position_embeddings=64, sliding_window=8, pad_token_id=1, eos_token_id=0, bos_token_id=0,
            use_bidirectional_attention=True, query_pre_attn_scalar=8, **_HEADS, **_SHAPE,
        ),
        bytes_right,
        "mean",
        ((16, 32), (32, 16)),
    ),
    "electra": Layout(
        lambda t, n: t.ElectraConfig(vocab_size=n, embedding_size=8, max_position_embeddings=64, **_SHAPE), word_piece
    ),
}  # fmt: skip


def save_layout(name: str, folder: Path, limit: int = 40) -> Path:
    """Writes a model of random weights; returns its folder.

    Args:
        name: Of the layout.
        folder: Gets ``raw``, a transformers folder, and ``model``, a sentence-transformers folder.
        limit: Its max_seq_length.
    """
    shutil.copytree(_made(name, limit), folder, dirs_exist_ok=True)
    return folder / "model"


@cache
def _made(name: str, limit: int) -> Path:
    """The folder of `save_layout`, made once a session; weights are large enough that every layer shows in the vectors."""
    import torch
    import transformers
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    from embft.models.loading import TEXT_ONLY

    folder = Path(tempfile.mkdtemp(prefix="embft-layout-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    layout = LAYOUTS[name]
    torch.manual_seed(0)
    made, names = layout.tokenizer()
    raw = folder / "raw"
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=limit, **names)
    tokenizer.save_pretrained(raw)
    config = layout.config(transformers, len(tokenizer))
    model = transformers.T5EncoderModel(config) if name == "t5" else transformers.AutoModel.from_config(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.3)
    model.save_pretrained(raw)
    body = Transformer(str(raw), max_seq_length=limit, modality_config=TEXT_ONLY, module_output_name="token_embeddings")
    dense = [Dense(*widths, bias=False, activation_function=torch.nn.Identity()) for widths in layout.dense]
    modules = [body, Pooling(16, layout.pooling), *dense, Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(folder / "model"), create_model_card=False)
    return folder


def save_static(folder: Path) -> Path:
    """Writes a static model, a table of random vectors; returns its folder, ``folder/model``."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    torch.manual_seed(0)
    tokenizer = word_piece()[0]
    table = StaticEmbedding(tokenizer, embedding_weights=torch.randn(tokenizer.get_vocab_size(), 16))
    SentenceTransformer(modules=[table, Normalize()], device="cpu").save_pretrained(
        str(folder / "model"), create_model_card=False
    )
    return folder / "model"


def save_multi_vector(folder: Path, limit: int = 40) -> Path:
    """Writes a ColBERT of random weights: a BERT, a projection of its tokens, a mask; returns its folder, ``folder/model``.

    As ColBERT has it, questions are filled up with [MASK] to a length, and colons of passages do not count.
    """
    import torch
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.modules import Dense, Normalize, Transformer
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    raw = _made("bert", limit) / "raw"
    torch.manual_seed(0)
    body = Transformer(
        str(raw),
        max_seq_length=limit,
        document_length=limit - 8,
        query_expansion={"strategy": "fixed", "attend": False, "length": 24},
    )
    tokens = {"module_input_name": "token_embeddings", "module_output_name": "token_embeddings"}
    projection = Dense(16, 8, bias=False, activation_function=torch.nn.Identity(), **tokens)
    modules = [body, projection, MultiVectorMask(skiplist_words=[":"]), Normalize(module_input_name="token_embeddings")]
    MultiVectorEncoder(modules=modules, device="cpu").save_pretrained(str(folder / "model"), create_model_card=False)
    return folder / "model"
