"""A model folder as a zip file that was cut into parts, one for each package."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

_NOT_WANTED = (".bin", ".h5", ".ot", ".onnx", ".msgpack", ".py", ".gitattributes", ".xml")
"""The same weights for other programs, pickles, and code."""


def unpack(folders: Sequence[Path], target: Path) -> None:
    """Joins the parts and writes the model folder that the zip holds.

    Args:
        folders: One for each part, in order; each holds one file ``input/*.zip.NNN``.
        target: An empty folder.

    Raises:
        ValueError: A folder holds no part or several, the parts are no zip file, or there is not one model in it.
    """
    with tempfile.TemporaryFile(dir=target.parent) as joined:
        for folder in folders:
            parts = sorted(folder.glob("input/*.zip.[0-9][0-9][0-9]"))
            if len(parts) != 1:
                raise ValueError(f"{folder} holds {len(parts)} parts of a zip file, not one")
            with parts[0].open("rb") as part:
                shutil.copyfileobj(part, joined, 1 << 20)
        try:
            archive = zipfile.ZipFile(joined)
        except zipfile.BadZipFile as error:
            raise ValueError("the parts, joined, are not a zip file") from error
        with archive:
            _extract(archive, target)


def _extract(archive: zipfile.ZipFile, target: Path) -> None:
    roots = [PurePosixPath(name).parent for name in archive.namelist() if PurePosixPath(name).name == "modules.json"]
    if len(roots) != 1:
        raise ValueError(f"the zip file holds {len(roots)} models, not one")
    for entry in archive.infolist():
        path = PurePosixPath(entry.filename)
        if entry.is_dir() or not path.is_relative_to(roots[0]) or path.name.endswith(_NOT_WANTED):
            continue
        inside = path.relative_to(roots[0])
        if ".." in inside.parts or inside.parts[0] in {"onnx", "openvino"}:
            continue
        file = target / inside
        file.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as source, file.open("wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
