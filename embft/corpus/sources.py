"""Which files a corpus is made of."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from embft.errors import CorpusError

FORMATS = {
    ".pdf": "pdf",
    ".md": "markdown", ".markdown": "markdown", ".mdown": "markdown", ".mkd": "markdown", ".mdx": "mdx",
    ".html": "html", ".htm": "html", ".xhtml": "xhtml", ".xht": "xhtml",
    ".txt": "text", ".text": "text", ".log": "text", ".rst": "text", ".org": "text", ".adoc": "text", ".tex": "text",
    ".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".docx": "docx", ".pptx": "pptx", ".xlsx": "xlsx", ".epub": "epub",
}  # fmt: skip
_READ = "embft reads pdf, docx, pptx, xlsx, epub, html, md, mdx, txt, rst, org, adoc, tex, log, csv, tsv and jsonl"
_CONVERT = {
    ".doc": "Save it as .docx: `soffice --headless --convert-to docx FILE` (LibreOffice).",
    ".odt": "Save it as .docx: `soffice --headless --convert-to docx FILE` (LibreOffice).",
    ".rtf": "Save it as .docx: `soffice --headless --convert-to docx FILE` (LibreOffice).",
    ".ppt": "Save it as .pptx: `soffice --headless --convert-to pptx FILE` (LibreOffice).",
    ".odp": "Save it as .pptx: `soffice --headless --convert-to pptx FILE` (LibreOffice).",
    ".xls": "Save it as .xlsx: `soffice --headless --convert-to xlsx FILE` (LibreOffice).",
    ".ods": "Save it as .xlsx: `soffice --headless --convert-to xlsx FILE` (LibreOffice).",
    ".json": "Save a list of objects as .jsonl, one object per line (`jq -c '.[]' FILE`).",
}
_OTHERS_FOLDERS = {"node_modules": "node_modules", "__pycache__": "__pycache__", "site-packages": "Python packages"}


@dataclass(frozen=True)
class Source:
    """A file to read.

    Attributes:
        name: The document's name: its path below the corpus folder, with ``/``.
        path: Where it lies.
        format: A value of `FORMATS`.
    """

    name: str
    path: Path
    format: str


@dataclass(frozen=True)
class FoundFiles:
    """What lies at ``corpus.path``.

    Attributes:
        sources: To read, sorted by name.
        others: How many files of each type that embft does not read.
        left_out: How many files of types that embft reads were left out, by reason.
    """

    sources: list[Source]
    others: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)


def find_sources(path: str, cache_dir: Path | None = None) -> FoundFiles:
    """Finds the files that ``corpus.path`` names.

    Args:
        path: A file, a folder (searched recursively) or a glob; ``~`` is the home folder. Folders and globs leave out
            what is hidden, links to folders, packages (``node_modules``, virtual environments), and what embft wrote
            itself: runs, sweeps, caches.
        cache_dir: embft's cache; nothing in it is a document.

    Raises:
        CorpusError: There is no such file, it is of another type, or nothing that embft reads lies there.
    """
    place = Path(path).expanduser()
    if place.is_file():
        suffix = place.suffix.lower()
        if suffix not in FORMATS:
            remedy = _CONVERT.get(suffix, "Convert it to one of these.")
            raise CorpusError(f"corpus.path={path}: {_READ}, not '{suffix or place.name}'. {remedy}")
        return FoundFiles([Source(_printable(place.name), place, FORMATS[suffix])])
    search = _Search(cache_dir.expanduser().resolve() if cache_dir else None)
    if place.is_dir():
        root, files = place, list(search.files_below(place))
    elif glob.has_magic(path):
        root, files = search.matches(place)
    elif place.exists():
        raise CorpusError(f"corpus.path={path} is a pipe, a socket or a device: write what it gives into a file.")
    else:
        raise CorpusError(
            f"corpus.path={path}: there is no such file or folder (looked at {place.absolute()}). "
            "Give a file, a folder or a quoted glob such as 'docs/**/*.md'."
        )
    files_by_kind = _sort(root, files, search.left_out)
    if not files_by_kind.sources:
        kinds = sorted(files_by_kind.others.items(), key=lambda item: -item[1])[:5]
        listed = ", ".join(f"{count} x {kind}" for kind, count in kinds) or "nothing"
        reasons = "; ".join(f"{count} left out: {reason}" for reason, count in files_by_kind.left_out.items())
        raise CorpusError(
            f"corpus.path={path}: no document there; {_READ}, and found {listed}."
            + (f" Also {reasons}." if reasons else "")
        )
    return files_by_kind


def _sort(root: Path, files: Iterable[Path], left_out: Counter[str]) -> FoundFiles:
    sources: dict[str, Source] = {}
    others: Counter[str] = Counter()
    for file in sorted(files):
        format_name = FORMATS.get(file.suffix.lower())
        if format_name is None:
            others[file.suffix.lower() or "(none)"] += 1
            continue
        plain = name = _printable(file.relative_to(root).as_posix())
        twins = 1
        while name in sources:  # two names that differ only in bytes that are not UTF-8
            twins += 1
            name = f"{plain} ({twins})"
        sources[name] = Source(name, file, format_name)
    ordered = sorted(sources.values(), key=lambda source: source.name)
    return FoundFiles(ordered, dict(sorted(others.items())), dict(sorted(left_out.items())))


def _printable(name: str) -> str:
    """A name that can be written as UTF-8 and in one line, with any bytes in the file system."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


class _Search:
    """Goes through folders and counts what it leaves out."""

    def __init__(self, cache_dir: Path | None) -> None:
        self.left_out: Counter[str] = Counter()
        self._cache_dir = cache_dir
        self._links: set[Path] = set()

    def files_below(self, folder: Path) -> Iterator[Path]:
        if reason := self._not_documents(folder):
            self._count_below(folder, reason)
            return
        for parent, folders, names in os.walk(folder, onerror=self._count_closed):
            kept = []
            for name in sorted(folders):
                below = Path(parent, name)
                reason = "hidden" if name.startswith(".") else self._not_documents(below) or self._cache(below)
                if below.is_symlink():
                    self.left_out["links to folders"] += 1
                elif reason:
                    self._count_below(below, reason)
                else:
                    kept.append(name)
            folders[:] = kept
            for name in names:
                file = Path(parent, name)
                if name.startswith("."):
                    self._count(file, "hidden")
                elif file.is_file():
                    yield file
                else:
                    self._count(file, "broken links and special files")

    def matches(self, pattern: Path) -> tuple[Path, list[Path]]:
        """Returns the folder that all matches of a glob lie below, and the files that match.

        Where only folders match (``reports/20*``), all files below them are taken.
        """
        root = pattern
        while glob.has_magic(str(root)):
            root = root.parent
        paths = list(self._matching(root, list(pattern.relative_to(root).parts)))
        files = [path for path in paths if path.is_file()]
        if not files:
            return root, sorted({file for folder in paths for file in self.files_below(folder)})
        reasons: dict[Path, str | None] = {}
        kept = []
        for file in sorted(set(files)):
            if reason := self._reason_above(file.parent, root, reasons):
                self._count(file, reason)
            else:
                kept.append(file)
        return root, kept

    def _matching(self, root: Path, parts: list[str]) -> Iterator[Path]:
        """What a pattern matches, less what is hidden; ``**`` follows no links, which ``glob`` would do without end."""
        if parts[-1] == "**":
            parts = [*parts, "*"]
        stack, seen = [(root, 0)], set()
        while stack:
            folder, at = stack.pop()
            if (folder, at) in seen:
                continue
            seen.add((folder, at))
            if at == len(parts):
                yield folder
            elif parts[at] == "**":
                stack += [(folder, at + 1), *((below, at) for below in self._folders(folder))]
            elif glob.has_magic(parts[at]):
                names = [name for name in self._names(folder) if name[0] != "." or parts[at][0] == "."]
                stack += [(folder / name, at + 1) for name in fnmatch.filter(names, parts[at])]
            elif (folder / parts[at]).exists():
                stack.append((folder / parts[at], at + 1))

    def _names(self, folder: Path) -> list[str]:
        try:
            return [below.name for below in folder.iterdir()]
        except PermissionError as error:
            self._count_closed(error)
        except OSError:  # no folder
            pass
        return []

    def _folders(self, folder: Path) -> Iterator[Path]:
        for name in self._names(folder):
            below = folder / name
            if name[0] == "." or not below.is_dir():
                continue
            if not below.is_symlink():
                yield below
            elif below not in self._links:
                self._links.add(below)
                self.left_out["links to folders"] += 1

    def _reason_above(self, folder: Path, root: Path, reasons: dict[Path, str | None]) -> str | None:
        """Why a folder, or one that it lies in, holds no documents."""
        if folder not in reasons:
            reason = self._not_documents(folder)
            if reason is None and folder != root and root in folder.parents:
                reason = self._cache(folder) or self._reason_above(folder.parent, root, reasons)
            reasons[folder] = reason
        return reasons[folder]

    def _not_documents(self, folder: Path) -> str | None:
        """Tells from its marks why a folder holds no documents of the user's; None where it may."""
        if folder.name in _OTHERS_FOLDERS:
            return _OTHERS_FOLDERS[folder.name]
        if (folder / "pyvenv.cfg").is_file():
            return "Python packages"
        if (folder / "status.json").is_file() and (folder / "config.yaml").is_file():
            return "runs of embft"
        if (folder / ".hydra" / "overrides.yaml").is_file() or (folder / "multirun.yaml").is_file():
            return "runs of embft"
        if folder.name == "wandb" and any(folder.glob("*run-*")):
            return "runs of W&B"
        if (folder / "stage.json").is_file() or any((folder / "stages").glob("*/*/stage.json")):
            return "caches of embft"
        return None

    def _cache(self, folder: Path) -> str | None:
        # Only below what the user named: somebody may well keep documents in the folder of the cache.
        return "caches of embft" if self._cache_dir and folder.resolve() == self._cache_dir else None

    def _count(self, file: Path, reason: str) -> None:
        self.left_out[reason] += file.suffix.lower() in FORMATS
        if not self.left_out[reason]:
            del self.left_out[reason]

    def _count_below(self, folder: Path, reason: str) -> None:
        for parent, _, names in os.walk(folder):
            for name in names:
                self._count(Path(parent, name), reason)

    def _count_closed(self, error: OSError) -> None:
        self.left_out[f"in a folder that cannot be opened: {_printable(str(error.filename))}"] = 1
