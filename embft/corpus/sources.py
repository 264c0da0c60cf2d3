"""Which files a corpus is made of."""

from __future__ import annotations

import glob
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from embft.errors import CorpusError

FORMATS = {
    ".pdf": "pdf",
    ".md": "markdown", ".markdown": "markdown", ".mdown": "markdown", ".mkd": "markdown",
    ".html": "html", ".htm": "html", ".xhtml": "html",
    ".txt": "text", ".text": "text",
}  # fmt: skip
_READ = "embft reads pdf, md, html and txt"


@dataclass(frozen=True)
class Source:
    """A file to read.

    Attributes:
        name: The document's name: its path below the corpus folder, with ``/``.
        path: Where it lies.
        format: ``pdf``, ``markdown``, ``html`` or ``text``.
    """

    name: str
    path: Path
    format: str


def find_sources(path: str) -> tuple[list[Source], dict[str, int]]:
    """Finds the files that ``corpus.path`` names.

    Args:
        path: A file, a folder (searched recursively) or a glob; ``~`` is the home folder. Hidden files and folders and
            links to folders are left out of folders and globs.

    Returns:
        The files sorted by name, and how many files of each other type were passed over.

    Raises:
        CorpusError: There is no such file, it is of another type, or nothing that embft reads lies there.
    """
    place = Path(path).expanduser()
    if place.is_file():
        format_name = FORMATS.get(place.suffix.lower())
        if format_name is None:
            raise CorpusError(
                f"corpus.path={path}: {_READ}, not '{place.suffix or place.name}'. Convert it to one of these."
            )
        return [Source(place.name, place, format_name)], {}
    if place.is_dir():
        root, found = place, _files_below(place)
    elif glob.has_magic(path):
        root, found = _glob(place)
    else:
        raise CorpusError(
            f"corpus.path={path}: there is no such file or folder (looked at {place.absolute()}). "
            "Give a file, a folder or a quoted glob such as 'docs/**/*.md'."
        )
    sources = []
    others: Counter[str] = Counter()
    for file in found:
        format_name = FORMATS.get(file.suffix.lower())
        if format_name is None:
            others[file.suffix.lower() or "(none)"] += 1
        else:
            sources.append(Source(file.relative_to(root).as_posix(), file, format_name))
    if not sources:
        listed = ", ".join(f"{count} x {kind}" for kind, count in others.most_common(5)) or "nothing"
        raise CorpusError(f"corpus.path={path}: no document there; {_READ}, and found {listed}.")
    return sorted(sources, key=lambda source: source.name), dict(sorted(others.items()))


def _files_below(folder: Path) -> list[Path]:
    files = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(parent, name) for name in names if not name.startswith(".")]
    return [file for file in files if file.is_file()]


def _glob(pattern: Path) -> tuple[Path, list[Path]]:
    """Returns the folder that all matches lie below, and the files that match.

    Where only folders match (``reports/20*``), all files below them are taken.
    """
    root = pattern
    while glob.has_magic(str(root)):
        root = root.parent
    # Unlike Path.glob, glob leaves out what is hidden and takes absolute patterns.
    matches = [Path(match) for match in glob.glob(str(pattern), recursive=True)]  # noqa: PTH207
    files = [match for match in matches if match.is_file()]
    if not files:
        files = [file for folder in matches for file in _files_below(folder)]
    return root, sorted(set(files))
