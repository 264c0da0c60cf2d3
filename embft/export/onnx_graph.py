"""A model as one ONNX graph, from token numbers to the vector: transformer, pooling, layers, normalisation."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from embft.errors import ModelError
from embft.export.contents import DensePart
from embft.files import write_json
from embft.models.kinds import is_static
from embft.models.loading import load_model, quiet
from embft.models.vectors import unit

_OPSET = 17
_NO_LIMIT = 1 << 30
"""Tokens of a model that cuts nothing off."""
_TRIED = 64
"""Windows on which a graph is compared with the model before it is kept."""
_LEAST = {"model.onnx": 0.99999, "model_fp16.onnx": 0.999}
"""Cosine to the vectors that were ranked, below which the graph is refused."""


def write_graphs(dense: DensePart, folder: Path, int8: bool) -> dict[str, float]:
    """Writes model.onnx and model_fp16.onnx, model_int8.onnx where that is asked for, and how texts are cut into tokens.

    Returns:
        File to its least cosine to the vectors that were ranked, on some windows.

    Raises:
        ModelError: A graph gives other vectors than the model.
    """
    encoder = dense.encoder
    if is_static(encoder.model):
        raise ModelError(
            f"Model {encoder.name} is a static table, which needs no graph: its tokenizer.json and one row per token. Export its "
            "vectors (parquet, qdrant, lancedb), or load the model's folder as it is."
        )
    folder.mkdir(parents=True)
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = load_model(encoder.folder, "cpu", encoder.max_seq_length, attention="eager")
        model.eval()
        names = _inputs(model)
        _export(model, names, folder / "model.onnx")
        _export(model.half(), names, folder / "model_fp16.onnx")
    _write_tokenizing(encoder.model, folder)
    cosines = {name: _least_cosine(folder / name, dense, names) for name in _LEAST}
    for name, least in _LEAST.items():
        if cosines[name] < least:
            raise ModelError(f"The graph {name} gives other vectors than were ranked (cosine {cosines[name]:.5f}).")
    if int8:
        _quantise(folder)
        cosines["model_int8.onnx"] = _least_cosine(folder / "model_int8.onnx", dense, names)
    return cosines


def _inputs(model: Any) -> list[str]:
    features = model.tokenizer(["a"], return_tensors="pt")
    return list(features)


def _export(model: Any, names: list[str], path: Path) -> None:
    import torch

    class Graph(torch.nn.Module):
        """Tensors in, one out: what ONNX knows."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *tensors: Any) -> Any:
            features = dict(zip(names, tensors, strict=True))
            for module in self.model:
                features = module(features)
            return features["sentence_embedding"].float()

    features = model.tokenizer(["a text of some words", "another"], padding=True, return_tensors="pt")
    axes: dict[str, dict[int, str]] = {name: {0: "texts", 1: "tokens"} for name in names}
    try:
        torch.onnx.export(
            Graph().eval(),
            tuple(features[name] for name in names),
            str(path),
            input_names=names,
            output_names=["sentence_embedding"],
            dynamic_axes={**axes, "sentence_embedding": {0: "texts"}},
            opset_version=_OPSET,
            dynamo=False,
        )
    except Exception as error:  # whatever torch cannot trace is the model's kind, not the user's mistake
        raise ModelError(
            f"This kind of model has no ONNX graph by torch {torch.__version__}: {' '.join(str(error).split())[:200]}. "
            "Take another --to, or serve the run."
        ) from error


def _write_tokenizing(model: Any, folder: Path) -> None:
    tokenizer = model.tokenizer
    saved = folder / "all"
    tokenizer.save_pretrained(saved)
    if not (saved / "tokenizer.json").is_file():
        raise ModelError("The model's tokenizer has no tokenizer.json, which the ONNX export needs.")
    (saved / "tokenizer.json").replace(folder / "tokenizer.json")
    shutil.rmtree(saved)
    # fastembed and transformers.js read these of it, by their names in transformers.
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": model.max_seq_length or _NO_LIMIT,
            "truncation_side": tokenizer.truncation_side,
            "padding_side": tokenizer.padding_side,
            "pad_token": tokenizer.pad_token,
        },
    )
    write_json(
        folder / "tokenizing.json",
        {
            "max_seq_length": model.max_seq_length,
            "truncation_side": tokenizer.truncation_side,
            "padding_side": tokenizer.padding_side,
            "pad_id": tokenizer.pad_token_id,
            "pad_token": tokenizer.pad_token,
        },
    )


def _least_cosine(path: Path, dense: DensePart, names: list[str]) -> float:
    """By the export's own script, so that it is tried as well."""
    from embft.export.alone.check_onnx import embed, opened_in

    every = max(1, len(dense.passages.texts) // _TRIED)
    texts = list(dense.passages.texts[::every])
    vectors = embed(opened_in(path.parent, path.name), dense.encoder.document_prompt, texts)
    return float((unit(vectors) * dense.vectors[::every]).sum(axis=1, dtype=np.float64).min())


def _quantise(folder: Path) -> None:
    import logging

    from onnxruntime.quantization import QuantType, quantize_dynamic

    root = logging.getLogger()  # onnxruntime warns through it of each node that it leaves as it is
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        quantize_dynamic(folder / "model.onnx", folder / "model_int8.onnx", weight_type=QuantType.QInt8)
    finally:
        root.setLevel(before)
