"""A saved model in the layout that other programs read.

sentence-transformers 6 writes module types, pooling and limits in a way of its own. The layout of its versions 2 to 5 says the
same, 6 reads it as well, and it is what text-embeddings-inference, vLLM, Infinity, LlamaIndex, LangChain and Haystack know.
What that layout has no words for stays as it is: a Router (versions from 5 on read it), poolings joined in an order of their
own, layers on token vectors, inputs other than text.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from embft.files import read_json, write_json
from embft.models.folder_check import MODULES

_POOLINGS = {
    "cls": "pooling_mode_cls_token",
    "max": "pooling_mode_max_tokens",
    "mean": "pooling_mode_mean_tokens",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
    "weightedmean": "pooling_mode_weightedmean_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}
"""In the order in which old versions join several."""
_DENSE = ("in_features", "out_features", "bias", "activation_function")
_PLAIN_INPUT = {"sentence_embedding", None}
_FOR_V5_ALONE = ("backend", "is_local", "local_files_only")
_MOST_TOKENS = 1 << 31
"""A limit beyond it is a tokenizer's way to say that it has none."""


def make_portable(folder: Path, inputs: Sequence[str] = ()) -> None:
    """Rewrites the descriptions of a folder that sentence-transformers 6 has just saved; the weights stay as they are.

    Args:
        folder: Gets the old layout.
        inputs: What the tokenizer gives and the transformer takes (`inputs_of`); empty leaves that to others.
    """
    modules = read_json(folder / MODULES)
    for module in modules:
        _module(folder, module, inputs)
    write_json(folder / MODULES, modules)


def inputs_of(model: Any) -> list[str]:
    """Names of what a model's tokenizer gives and its transformer takes: sentence-transformers 6 compares, older ones do not."""
    if not hasattr(model[0], "auto_model"):
        return []
    taken = inspect.signature(model[0].auto_model.forward).parameters
    return [name for name in model.tokenizer.model_input_names if name in taken]


def _module(folder: Path, module: dict[str, Any], inputs: Sequence[str]) -> None:
    kind = module["type"].rpartition(".")[2]
    place = folder / module["path"]
    if not module["type"].startswith("sentence_transformers."):
        return  # an API in a model's place
    if kind == "Transformer":
        _transformer(place, inputs)
    elif kind == "Router":
        _router(place, inputs)
    elif not _same_in_old(kind, place):
        return
    module["type"] = f"sentence_transformers.models.{kind}"


def _same_in_old(kind: str, place: Path) -> bool:
    """Puts a module's settings into their old form; False where there is none."""
    file = place / "config.json"
    if kind == "Pooling":
        return _pooling(file)
    if kind == "Dense":
        return _dense(file)
    if kind == "Normalize" and file.is_file():
        return {read_json(file).get(key) for key in ("module_input_name", "module_output_name")} <= _PLAIN_INPUT
    return True


def _pooling(file: Path) -> bool:
    settings = read_json(file)
    modes = settings.get("pooling_mode")
    if modes is None:
        return True  # in the old form already
    modes = [modes] if isinstance(modes, str) else modes
    if modes != [mode for mode in _POOLINGS if mode in modes]:
        return False
    write_json(
        file,
        {
            "word_embedding_dimension": settings["embedding_dimension"],
            **{old: mode in modes for mode, old in _POOLINGS.items()},
            "include_prompt": settings.get("include_prompt", True),
        },
    )
    return True


def _dense(file: Path) -> bool:
    settings = read_json(file)
    others = {settings.get(key) for key in ("module_input_name", "module_output_name")}
    if not others <= _PLAIN_INPUT or settings.get("use_residual"):
        return False
    write_json(file, {key: settings[key] for key in _DENSE})
    return True


def _router(place: Path, inputs: Sequence[str]) -> None:
    """Its parts may have an old form where it has none itself."""
    file = place / "router_config.json"
    settings = read_json(file)
    for name, type_ in settings["types"].items():
        part = {"type": type_, "path": name}
        _module(place, part, inputs)
        settings["types"][name] = part["type"]
    known = settings.get("parameters", {})
    if not known.get("route_mappings"):  # which 5.1 has no word for
        settings["parameters"] = {key: value for key, value in known.items() if key != "route_mappings"}
    write_json(file, settings)


def _transformer(place: Path, inputs: Sequence[str]) -> None:
    file = place / "tokenizer_config.json"
    tokenizer = read_json(file)
    limit = tokenizer.get("model_max_length")
    if (place / "tokenizer.json").is_file():
        write_json(file, _old_tokenizer(tokenizer, inputs))
    config = read_json(place / "config.json")
    write_json(place / "config.json", {**_old_rope(config), **config})
    _settings(place / "sentence_bert_config.json", limit)


def _settings(file: Path, limit: Any) -> None:
    settings = read_json(file) if file.is_file() else {}
    # Lower case is the tokenizer's affair: sentence-transformers 6 saves it in tokenizer.json.
    known = {
        "max_seq_length": limit if isinstance(limit, int) and limit < _MOST_TOKENS else None,
        "do_lower_case": False,
    }
    text = {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}
    ordinary = {
        "transformer_task": "feature-extraction",
        "modality_config": text,
        "module_output_name": "token_embeddings",
    }
    others = {key: value for key, value in settings.items() if key not in known and ordinary.get(key, ...) != value}
    # Where anything is out of the ordinary, old versions could not load it: then all stays, and the limit stands beside it.
    write_json(file, {**settings, **known} if others else known)


def _old_tokenizer(settings: dict[str, Any], inputs: Sequence[str]) -> dict[str, Any]:
    """Of a tokenizer whose tokenizer.json says all: a class that transformers 4 and 5 both have, and no list where 4 has none."""
    old = {key: value for key, value in settings.items() if key not in _FOR_V5_ALONE}
    extra = old.pop("extra_special_tokens", None)
    if isinstance(extra, list):
        old["additional_special_tokens"] = extra
    elif extra:
        old["extra_special_tokens"] = extra
    if inputs:
        old["model_input_names"] = list(inputs)
    return {**old, "tokenizer_class": "PreTrainedTokenizerFast"}


def _old_rope(config: dict[str, Any]) -> dict[str, Any]:
    """Where rotary positions turn how fast, as transformers 4 names it: it would fall back to its defaults unsaid."""
    rope = config.get("rope_parameters")
    if not isinstance(rope, dict):
        return {}
    wide, near = rope.get("full_attention"), rope.get("sliding_attention")
    if isinstance(wide, dict) and isinstance(near, dict):
        if config.get("model_type") == "modernbert":
            return {"global_rope_theta": wide.get("rope_theta"), "local_rope_theta": near.get("rope_theta")}
        return {"rope_theta": wide.get("rope_theta"), "rope_local_base_freq": near.get("rope_theta"), **_scaling(wide)}
    return {"rope_theta": rope["rope_theta"], **_scaling(rope)} if "rope_theta" in rope else {}


def _scaling(rope: dict[str, Any]) -> dict[str, Any]:
    scaling = {key: value for key, value in rope.items() if key != "rope_theta"}
    return {"rope_scaling": scaling} if scaling.get("rope_type", "default") != "default" else {}
