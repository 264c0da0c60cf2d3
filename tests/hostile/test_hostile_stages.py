"""Damaged results of stages: what comes out is that of a clean cache, with a warning that names the file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cache_damage import (
    Case,
    Damage,
    become_dead_link,
    become_file,
    become_folder,
    cut,
    each,
    flip_in_text,
    put,
    within,
)  # fmt: skip

from embft.source_code import code_of
from embft.stages import StageCache, StageResult


def lock_of(folder: Path) -> Path:
    return folder.parent / f".{folder.name}.lock"


def scratch_file(folder: Path) -> None:
    scratch = folder.parents[2] / "scratch" / folder.parent.name
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.parent.mkdir(exist_ok=True)
    scratch.write_text("not a folder")


STAGE: list[tuple[str, Damage]] = [
    ("no stage.json", within("stage.json", Path.unlink)),
    ("an empty stage.json", within("stage.json", put(b""))),
    ("half of stage.json", within("stage.json", cut(0.5))),
    ("a stage.json of brackets", within("stage.json", put(b"[" * 100_000))),
    ("a stage.json of a list", within("stage.json", put(b"[]"))),
    ("a stage.json of another stage", within("stage.json", flip_in_text(b'"a": 1', b'"a": 2'))),
    ("a stage.json with bad bytes", within("stage.json", put(b"\xff\xfe{}"))),
    ("seconds that are none", within("stage.json", flip_in_text(b'"seconds": ', b'"seconds": -1'))),
    ("a folder for stage.json", within("stage.json", become_folder)),
    ("a file cut short", within("result.txt", cut(0.5))),
    ("an empty file", within("result.txt", put(b""))),
    ("a changed byte", within("result.txt", flip_in_text(b"same", b"sAme"))),
    ("a missing file", within("result.txt", Path.unlink)),
    ("a folder for a file", within("result.txt", become_folder)),
    ("a dead link for a file", within("result.txt", become_dead_link)),
    ("half deleted", within("part", shutil.rmtree)),
    ("an extra file", within("part/extra.json", put(b"{}"))),
    ("a file for the folder", become_file),
    ("a dead link for the folder", become_dead_link),
    ("an empty folder", lambda folder: [shutil.rmtree(folder), folder.mkdir()]),
    ("a file for the stage's folder", lambda folder: become_file(folder.parent)),
    ("a folder for the lock", lambda folder: [(folder / "stage.json").unlink(), become_folder(lock_of(folder))]),
    ("a file for the scratch folder", lambda folder: [(folder / "stage.json").unlink(), scratch_file(folder)]),
]  # fmt: skip
CASES = [Case("stages", *row) for row in STAGE]


def build_stage(root: Path) -> StageResult[str]:
    def build(folder: Path, scratch: Path) -> None:
        (folder / "result.txt").write_text("the same result")
        (folder / "part").mkdir()
        (folder / "part" / "more.txt").write_text("and more")

    def load(folder: Path) -> str:
        more = sorted(path.name for path in (folder / "part").iterdir())
        return (folder / "result.txt").read_text() + str(more)

    return StageCache(root).run(
        "corpus", settings={"a": 1}, inputs=[], code=code_of("embft.records"), build=build, load=load
    )


@each(CASES)
def test_a_damaged_stage_is_made_again(case: Case, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clean = build_stage(tmp_path)
    case.damage(clean.folder)
    again = build_stage(tmp_path)
    assert (again.value, again.key) == (clean.value, clean.key)
    if case.name != "a dead link for the folder" or caplog.text:
        assert str(clean.folder.parent) in caplog.text
    caplog.clear()
    assert build_stage(tmp_path).cached
    assert caplog.text == ""


def test_a_stage_of_an_older_form_is_made_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def run(text: str) -> StageResult[int]:
        return StageCache(tmp_path).run(
            "dataset", settings={}, inputs=[], code=code_of("embft.records"),
            build=lambda folder, scratch: (folder / "x.json").write_text(text) and None,
            load=lambda folder: int(json.loads((folder / "x.json").read_text())["new"]),
        )  # fmt: skip

    with pytest.raises(KeyError):  # embft's own fault: it was made just now
        run('{"old": 1}')
    assert run('{"new": 1}').value == 1
    assert "cannot be read (KeyError: 'new')" in caplog.text
