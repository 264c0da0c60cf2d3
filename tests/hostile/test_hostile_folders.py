"""Folders with pipes, links that lead back and names that are no text: read, counted, or refused in words."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from embft.corpus.sources import find_sources
from embft.errors import CorpusError, QuestionError
from embft.questions.human_files import read_human

TEXT = "The tide comes twice a day."


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe.txt")


def _socket(folder: Path) -> None:
    here = Path.cwd()
    os.chdir(folder)  # the path of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("socket.txt")
    finally:
        os.chdir(here)


def _loops(folder: Path) -> None:
    (folder / "a").symlink_to(folder)
    (folder / "b").symlink_to(folder)


def _named(name: bytes) -> Callable[[Path], object]:
    return lambda folder: Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text(TEXT)


CASES: dict[str, tuple[Callable[[Path], object], list[str], dict[str, int]]] = {
    "a pipe": (_pipe, ["good.txt"], {"broken links and special files": 1}),
    "a socket": (_socket, ["good.txt"], {"broken links and special files": 1}),
    "a device": (
        lambda folder: (folder / "zero.txt").symlink_to("/dev/zero"), ["good.txt"], {"broken links and special files": 1},
    ),
    "a link to itself": (
        lambda folder: (folder / "x.txt").symlink_to("x.txt"), ["good.txt"], {"broken links and special files": 1},
    ),
    "a link to nothing": (
        lambda folder: (folder / "x.txt").symlink_to("gone"), ["good.txt"], {"broken links and special files": 1},
    ),
    "two links to the folder": (_loops, ["good.txt"], {"links to folders": 2}),
    "a folder named as a file": (lambda folder: (folder / "x.txt").mkdir(), ["good.txt"], {}),
    "a line end in a name": (_named(b"a\nb.txt"), ["a\ufffdb.txt", "good.txt"], {}),
    "a mark of direction in a name": (_named("a\u202eb.txt".encode()), ["a\ufffdb.txt", "good.txt"], {}),
    "a name that is no text": (_named(b"a\xff.txt"), ["a\ufffd.txt", "good.txt"], {}),
    "a name of a terminal": (_named(b"a\x1b[31m.txt"), ["a\ufffd[31m.txt", "good.txt"], {}),
    "a name of 250 letters": (_named(b"x" * 246 + b".txt"), ["good.txt", "x" * 246 + ".txt"], {}),
    "a name with a star": (_named(b"[a]*?.txt"), ["[a]*?.txt", "good.txt"], {}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("pattern", ["", "**/*.txt"], ids=["folder", "glob"])
def test_a_folder_is_read_and_what_is_no_file_is_counted(name: str, pattern: str, tmp_path: Path) -> None:
    make, names, left_out = CASES[name]
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "good.txt").write_text(TEXT)
    make(folder)
    found = find_sources(str(folder / pattern) if pattern else str(folder))
    assert [source.name for source in found.sources] == names
    assert all(source.path.read_text() == TEXT for source in found.sources)
    if not pattern or "links to folders" in left_out:
        assert found.left_out == left_out


def test_a_pipe_is_never_waited_for(tmp_path: Path) -> None:
    _pipe(tmp_path)
    with pytest.raises(CorpusError, match="is a pipe, a socket or a device"):
        find_sources(str(tmp_path / "pipe.txt"))
    for path in (tmp_path / "pipe.txt", Path("/dev/zero")):
        with pytest.raises(QuestionError, match="a pipe, a socket or a device"):
            read_human(str(path))


def test_a_pattern_means_what_it_says(tmp_path: Path) -> None:
    for name in ("a.md", "b/c.md", "b/d/e.md", "b/.hidden/f.md", "b/g.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(TEXT)
    for pattern, names in {
        "**/*.md": ["a.md", "b/c.md", "b/d/e.md"], "*.md": ["a.md"], "b/*.md": ["c.md"], "*/*.md": ["b/c.md"],
        "**": ["a.md", "b/c.md", "b/d/e.md", "b/g.txt"], "b/**/*.[mt]*": ["c.md", "d/e.md", "g.txt"], "**/d/*": ["b/d/e.md"],
        "**/**/**/*.md": ["a.md", "b/c.md", "b/d/e.md"], "?": ["b/c.md", "b/d/e.md", "b/g.txt"],
    }.items():  # fmt: skip
        assert [source.name for source in find_sources(str(tmp_path / pattern)).sources] == names, pattern
