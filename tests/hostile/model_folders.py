"""Ways to spoil the folder of a model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

MODELS = "sentence_transformers.models."
Mutation = Callable[[Path], None]


def write(name: str, value: Any) -> Mutation:
    """Puts a value in a file's place: JSON, or text or bytes as they are."""

    def change(folder: Path) -> None:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, bytes):
            file.write_bytes(value)
        else:
            file.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")

    return change


def update(name: str, **values: Any) -> Mutation:
    """Changes keys of a JSON object; ``...`` takes one out."""

    def change(folder: Path) -> None:
        settings = json.loads((folder / name).read_text()) if (folder / name).is_file() else {}
        settings.update(values)
        write(name, {key: value for key, value in settings.items() if value is not ...})(folder)

    return change


def remove(*names: str) -> Mutation:
    """Removes files."""

    def change(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return change


def module(place: int, **values: Any) -> Mutation:
    """Changes an entry of modules.json."""

    def change(folder: Path) -> None:
        listed = json.loads((folder / "modules.json").read_text())
        listed[place].update(values)
        write("modules.json", [{key: value for key, value in entry.items() if value is not ...} for entry in listed])(
            folder
        )

    return change


def weights(name: str, edit: Callable[[dict[str, Any]], Any]) -> Mutation:
    """Changes tensors; what ``edit`` returns takes their place, or it changes them itself."""

    def change(folder: Path) -> None:
        from safetensors.torch import load_file, save_file

        tensors = {key: tensor.clone() for key, tensor in load_file(folder / name).items()}
        tensors = edit(tensors) or tensors
        save_file(tensors, folder / name, metadata={"format": "pt"})

    return change


def filled(key: str, number: float) -> Callable[[dict[str, Any]], None]:
    return lambda tensors: {**tensors, key: tensors[key].fill_(number)}


def renamed(old: str, new: str) -> Callable[[dict[str, Any]], Any]:
    return lambda tensors: {key.replace(old, new): tensor for key, tensor in tensors.items()}


def all_of(*changes: Mutation) -> Mutation:
    def change(folder: Path) -> None:
        for step in changes:
            step(folder)

    return change


def moved(old: str, new: str) -> Mutation:
    return lambda folder: (folder / old).rename(folder / new) and None


def cut(name: str, size: int) -> Mutation:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:size]) and None


def emptied(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def sharded(index: Any) -> Mutation:
    return all_of(moved("model.safetensors", "model-1.safetensors"), write("model.safetensors.index.json", index))


def router(**settings: Any) -> Mutation:
    dense = {"query_0_Dense": "sentence_transformers.base.modules.dense.Dense"}
    described = {"types": dense, "structure": {"query": ["query_0_Dense"]}, "parameters": {}, **settings}
    return all_of(
        module(2, type="sentence_transformers.base.modules.router.Router", path="2_Router"),
        write("2_Router/router_config.json", described),
    )
