"""The files that hold weights: safetensors and nothing else, whole, and inside of their folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from embft.errors import ModelError

_INDEX = "model.safetensors.index.json"
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_OTHERS = ("*.h5", "*.msgpack", "*.ot", "*.gguf", "*.onnx", "*.npz")


def check_weights(name: str, folder: Path, module: str = "", needed: Sequence[str] = ()) -> int:
    """How many tensors the safetensors files of a folder hold.

    Args:
        name: What a person calls the model.
        folder: Of the transformer, or of one module.
        module: Which module they are of, for the message; empty for the transformer.
        needed: Names of tensors, one of which must be there.

    Raises:
        ModelError: There are no such files, one is missing, or one is damaged.
    """
    files = _files(name, folder)
    if not files:
        raise ModelError(
            f"Model {name} has no safetensors weights{f' for {module}' if module else ''}{_instead(folder)}. {_WAY_OUT}"
        )
    tensors = [tensor for file in files for tensor in _tensors(name, file)]
    if not tensors:
        raise ModelError(f"Model {name} is damaged: {files[0]} holds no weights. Get its files again.")
    if needed and not set(needed) & set(tensors):
        raise ModelError(
            f"Model {name} is damaged: {files[0]} holds {tensors[0]}, where {' or '.join(needed)} is looked for. Get its files "
            "again."
        )
    return len(tensors)


_WAY_OUT = (
    "Convert it (https://huggingface.co/spaces/safetensors/convert opens a pull request on the hub: then "
    "model.revision=refs/pr/N), or give a converted folder: model.path=DIR."
)


def _files(name: str, folder: Path) -> list[Path]:
    """What is loaded: one file, or those that an index names."""
    if (folder / "model.safetensors").is_file():
        return [folder / "model.safetensors"]
    index = folder / _INDEX
    if not index.is_file():
        return []
    try:
        shards = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"Model {name} is damaged: {index} is no index of weights. Get its files again.") from error
    for shard in shards:
        if not isinstance(shard, str) or Path(shard).name != shard:
            raise ModelError(f"Model {name} names weights outside of its folder ({shard!r} in {index}): not loaded.")
        if not (folder / shard).is_file():
            raise ModelError(f"Model {name} is incomplete: {folder / shard} is missing. Get the model's files again.")
    return [folder / shard for shard in shards]


def _instead(folder: Path) -> str:
    pickled = sorted({file.name for pattern in _PICKLED for file in folder.glob(pattern)})
    if pickled:
        return f" (found {', '.join(pickled)}: pickled weights can run code and are not loaded)"
    others = sorted({file.name for pattern in _OTHERS for file in folder.glob(pattern)})
    named = sorted(file.name for file in folder.glob("*.safetensors"))
    if named:
        return f" (found {', '.join(named)}, where model.safetensors or {_INDEX} is looked for)"
    return f" (found {', '.join(others)})" if others else ""


def _tensors(name: str, file: Path) -> list[str]:
    from safetensors import SafetensorError, safe_open

    with file.open("rb") as opened:
        if opened.read(24).startswith(b"version https://git-lfs"):
            raise ModelError(
                f"Model {name} is incomplete: {file} is a pointer of Git LFS, not the weights. Run `git lfs pull` in that folder."
            )
    try:
        with safe_open(file, "np") as weights:
            return list(weights.keys())
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(
            f"Model {name} is damaged: {file} cannot be read ({str(error).splitlines()[0]}). Get the model's files again."
        ) from error
