"""Models of today in their real sizes, with random weights: their speed is real, their vectors mean nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SIZES: Mapping[str, tuple[str, dict[str, int]]] = {
    "ModernBERT-base": (
        "modernbert",
        {"hidden_size": 768, "num_hidden_layers": 22, "num_attention_heads": 12, "intermediate_size": 1152,
         "max_position_embeddings": 8192, "local_attention": 128, "global_attn_every_n_layers": 3},
    ),
    "Qwen3-Embedding-0.6B": (
        "qwen3",
        {"hidden_size": 1024, "num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 8,
         "head_dim": 128, "intermediate_size": 3072, "max_position_embeddings": 8192},
    ),
}  # fmt: skip
"""Layout in tests/layouts.py, and what the published configuration says of its size. The vocabulary is the layout's."""


def large_layout(name: str, folder: Path) -> Path:
    """A model folder of random weights in a real size."""
    import torch
    import transformers
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    sys.path.insert(0, str(ROOT / "tests"))
    from layouts import LAYOUTS

    from embft.models.loading import TEXT_ONLY

    layout_name, sizes = SIZES[name]
    layout = LAYOUTS[layout_name]
    made, names = layout.tokenizer()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=256, **names)
    tokenizer.save_pretrained(folder / "raw")
    config = layout.config(transformers, len(tokenizer))
    for key, value in sizes.items():
        setattr(config, key, value)
    if hasattr(config, "layer_types"):
        config = type(config)(**{key: value for key, value in config.to_diff_dict().items() if key != "layer_types"})
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = transformers.AutoModel.from_config(config)
    model.to("cpu").save_pretrained(folder / "raw")
    body = Transformer(
        str(folder / "raw"), max_seq_length=256, modality_config=TEXT_ONLY, module_output_name="token_embeddings"
    )
    modules = [body, Pooling(sizes["hidden_size"], layout.pooling), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(folder / "model"), create_model_card=False)
    parameters = sum(weight.numel() for weight in model.parameters())
    print(f"{name}: {parameters / 1e6:.0f} million weights", flush=True)
    return folder / "model"
