"""A model's folder to the model itself: safetensors weights alone, in fp32, no remote code, no look-up on the hub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embft.errors import ModelError
from embft.models.folder_check import MODULES, ModelFolder, check_folder
from embft.models.kinds import MULTI_VECTOR, STATIC, limit_of, set_limit
from embft.models.plain_folder import Pooling, pooling_of

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_LONGEST = 300
"""Characters of somebody else's error message that are repeated."""
TEXT_ONLY = {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}
"""What sentence-transformers 6 calls the modalities of a model of texts."""


def load_model(
    folder: Path,
    device: str,
    max_seq_length: int | None = None,
    *,
    attention: str = "auto",
    dropout: float | None = None,
) -> SentenceTransformer:
    """Loads a model; weights that were saved in half precision become fp32, as others are.

    A folder of many vectors per text gives a `MultiVectorEncoder`, any other a `SentenceTransformer`.

    Half precision is for computing, which autocast sees to: weights kept in it lose most steps of a fine-tune to rounding.

    Args:
        folder: sentence-transformers or transformers folder; for the latter see `embft.models.plain_folder`.
        device: Where it is put.
        max_seq_length: Overrides the model's own.
        attention: Attention implementation of transformers, or ``auto``.
        dropout: Probability put into every dropout layer; None leaves the model's own.

    Raises:
        ModelError: The folder is damaged, or the limit is beyond the model's positions.
    """
    import torch

    described = check_folder(folder.name, folder)
    kwargs: dict[str, object] = {"use_safetensors": True, "dtype": torch.float32}
    if attention != "auto":
        kwargs["attn_implementation"] = attention
    with quiet():
        try:
            model = _load(described, device, kwargs)
        except Exception as error:  # any error while loading a folder from outside is the folder's fault
            raise ModelError(f"The model in {folder} cannot be loaded: {_reason(error, folder)}") from error
    _set_limit(model, folder, max_seq_length)
    if dropout is not None:
        set_dropout(model, dropout)
    return model


@contextmanager
def quiet() -> Iterator[None]:
    """Has transformers say nothing short of an error: what its warnings are about, `embft.models.trial` says in words."""
    from transformers.utils import logging

    logging.disable_progress_bar()  # of shards read and written; embft's own bars stay
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)


def _load(described: ModelFolder, device: str, kwargs: dict[str, object]) -> SentenceTransformer:
    from sentence_transformers import MultiVectorEncoder, SentenceTransformer

    folder = described.path
    if described.kind == STATIC:
        return _static(folder, device)
    if (folder / MODULES).is_file():
        kind = MultiVectorEncoder if described.kind == MULTI_VECTOR else SentenceTransformer
        return kind(str(folder), device=device, local_files_only=True, trust_remote_code=False, model_kwargs=kwargs)
    return SentenceTransformer(modules=_plain_modules(folder, pooling_of(folder), kwargs), device=device)


def _static(folder: Path, device: str) -> SentenceTransformer:
    """A table of vectors, in sentence-transformers' layout or in model2vec's own."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    if (folder / MODULES).is_file():
        model = SentenceTransformer(str(folder), device=device, local_files_only=True, trust_remote_code=False)
    else:
        normalises = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("normalize")
        table = StaticEmbedding.load(str(folder), local_files_only=True)
        model = SentenceTransformer(modules=[table, Normalize()] if normalises else [table], device=device)
    return model.float()


def _plain_modules(folder: Path, pooling: Pooling, kwargs: dict[str, object]) -> list[Any]:
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.sentence_transformer import modules

    local = {"local_files_only": True, "trust_remote_code": False}
    transformer = Transformer(
        str(folder),
        model_kwargs={**local, **kwargs},
        processor_kwargs=dict(local),
        config_kwargs=dict(local),
        modality_config=TEXT_ONLY,
        module_output_name="token_embeddings",
    )
    pooled = modules.Pooling(transformer.get_embedding_dimension(), pooling.mode)
    return [transformer, pooled, Normalize()] if pooling.normalise else [transformer, pooled]


def _reason(error: Exception, folder: Path) -> str:
    """The error in one line; weights of other shapes by name, which transformers itself says in its log alone."""
    line = one_line(error)
    if isinstance(error, RuntimeError) and "ignore_mismatched_sizes" in line:
        return f"weights have other shapes than config.json says{_misfits(folder)}. Get the model's files again."
    return line if isinstance(error, OSError | ValueError | RuntimeError) else f"{type(error).__name__}: {line}"


def one_line(error: Exception) -> str:
    """What an error says, without line breaks and not at any length."""
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}..."


def _misfits(folder: Path) -> str:
    from transformers import AutoModel

    try:
        _, report = AutoModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, ignore_mismatched_sizes=True, output_loading_info=True,
            device_map="meta",
        )  # fmt: skip
    except Exception:  # then without names
        return ""
    misfits = sorted(report["mismatched_keys"])
    if not misfits:
        return ""
    name, stored, wanted = misfits[0]
    more = f" and {len(misfits) - 1} more" if len(misfits) > 1 else ""
    return f" ({name} is {list(stored)}, it should be {list(wanted)}{more})"


def usable_positions(model: Any) -> int | None:
    """Tokens of the longest text that a model has positions for; None where it has no such limit.

    RoBERTa's kind (XLM-R, CamemBERT, MPNet) counts positions from the padding token's number on, so of 514 it uses 512.
    """
    import torch

    transformer = getattr(model[0], "auto_model", None)
    if transformer is None:
        return None
    for name, module in transformer.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding):
            before = 0 if module.padding_idx is None else module.padding_idx + 1
            return int(module.num_embeddings) - before
    limit = getattr(transformer.config, "max_position_embeddings", None)
    return limit if isinstance(limit, int) and limit > 0 else None


def _set_limit(model: Any, folder: Path, wanted: int | None) -> None:
    positions = usable_positions(model)
    if wanted is not None:
        if positions is not None and wanted > positions:
            raise ModelError(
                f"model.max_seq_length={wanted} is beyond the {positions} positions of the model in {folder}: lower it."
            )
        set_limit(model, wanted)
    elif positions is not None and (limit_of(model) or positions + 1) > positions:
        # What it says of itself is more than it has: a longer text would end in an error.
        set_limit(model, positions)


def set_dropout(model: Any, probability: float) -> None:
    """Sets every dropout layer, and what attention kernels read, without touching the stored config's file."""
    import torch

    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = probability
        for name in ("dropout_prob", "attention_dropout", "attention_probs_dropout_prob"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, probability)
