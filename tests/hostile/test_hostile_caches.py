"""Damaged caches: each ends with what a clean cache gives, without a traceback, and with a warning that names the file."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embft.corpus.download import fetch_document
from embft.corpus.ocr import Recognised, Tesseract
from embft.files import file_digest
from embft.questions.reply_cache import ReplyCache
from embft.retrieval.vector_cache import VectorCache
from embft.source_code import code_of
from embft.stages import StageCache, StageResult

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))

Damage = Callable[[Path], object]
TEXTS = [f"text {number}" for number in range(300)]


@dataclass(frozen=True)
class Case:
    """A way to damage something that a kind of cache keeps; at most ``lost`` of its rows may have to be made again."""

    kind: str
    name: str
    damage: Damage
    lost: int | None = None


# How to damage a file or folder.


def become_folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def become_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("not a folder")


def become_dead_link(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    path.symlink_to(path.with_name("nowhere"))


def cut(share: float) -> Damage:
    return lambda path: os.truncate(path, int(path.stat().st_size * share))


def put(data: bytes) -> Damage:
    return lambda path: path.write_bytes(data)


def overwrite(place: float, data: bytes) -> Damage:
    """Puts bytes into a file, at a share of its length."""

    def change(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(int(path.stat().st_size * place) // 4096 * 4096)
            file.write(data)

    return change


def flip_in_text(old: bytes, new: bytes) -> Damage:
    def change(path: Path) -> None:
        data = path.read_bytes()
        assert old in data
        path.write_bytes(data.replace(old, new, 1))

    return change


def within(name: str, damage: Damage) -> Damage:
    return lambda folder: damage(folder / name)


def sql(*statements: str) -> Damage:
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    return change


def beside(ending: str, damage: Damage) -> Damage:
    return lambda path: damage(path.with_name(path.name + ending))


SQLITE: list[tuple[str, Damage, int | None]] = [
    ("not a database", put(b"<html>502 Bad Gateway</html>" * 99), None),
    ("zero bytes", put(b""), None),
    ("zeros of the same size", lambda path: path.write_bytes(bytes(path.stat().st_size)), None),
    ("half of it", cut(0.5), None),
    ("all but its end", cut(0.95), None),
    ("its header alone", lambda path: os.truncate(path, 100), None),
    ("an odd size", lambda path: os.truncate(path, path.stat().st_size - 1000), None),
    ("header of zeros", overwrite(0, bytes(16)), 0),
    ("header of another file", overwrite(0, b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), 0),
    ("first page of zeros", overwrite(0, bytes(4096)), None),
    ("a page of zeros", overwrite(0.5, bytes(4096)), 300),
    ("a page of noise", overwrite(0.7, bytes(range(1, 256)) * 16), 300),
    ("two pages of noise", lambda path: [overwrite(at, b"\xa5" * 4096)(path) for at in (0.3, 0.8)], 350),
    ("a line of a page lost", overwrite(0.6, b"\r\n" * 40), 300),
    ("read-only by its header", lambda path: overwrite(0, b"SQLite format 3\0\x10\0\x03")(path), 0),
    ("a folder in its place", become_folder, None),
    ("a dead link in its place", become_dead_link, None),
    ("a folder for its log", beside("-wal", Path.mkdir), 0),
    ("a log of noise", beside("-wal", put(b"\x37\x7f\x06\x82" + b"x" * 5000)), 0),
    ("a folder for its index", beside("-shm", Path.mkdir), 0),
    ("a folder for the new one", lambda path: [path.with_name(f".{path.name}.rescued").mkdir(), cut(0.6)(path)], None),
]  # fmt: skip
VECTORS: list[tuple[str, Damage, int | None]] = [
    ("another table of that name", sql("DROP TABLE vectors", "CREATE TABLE vectors (id INTEGER, name TEXT)"), None),
    ("a view of that name", sql("DROP TABLE vectors", "CREATE VIEW vectors AS SELECT 1 AS key"), None),
    ("no table", sql("DROP TABLE vectors"), None),
    ("text for a vector", sql("UPDATE vectors SET vector = 'text' WHERE key < x'40'"), 200),
    ("a short vector", sql("UPDATE vectors SET vector = substr(vector, 1, 8) WHERE key < x'40'"), 200),
    ("a changed vector", sql("UPDATE vectors SET vector = x'0000803f0000803f0000803f' WHERE key < x'40'"), 200),
    ("another length", sql("UPDATE lengths SET length = 7"), 400),
    ("a length of text", sql("UPDATE lengths SET length = 'seven'"), 0),
]
REPLIES: list[tuple[str, Damage, int | None]] = [
    ("another table of that name", sql("DROP TABLE replies", "CREATE TABLE replies (id INTEGER, name TEXT)"), None),
    ("one more column", sql("ALTER TABLE replies ADD COLUMN rating INTEGER"), 0),
    ("no table", sql("DROP TABLE replies"), None),
    ("bytes that are no text", sql("UPDATE replies SET reply = CAST(x'7b22fffe' AS TEXT) WHERE rowid < 50"), 49),
    ("a number for a reply", sql("UPDATE replies SET reply = 17 WHERE rowid < 50"), 49),
    ("half a reply", sql("UPDATE replies SET reply = substr(reply, 1, 9) WHERE rowid < 50"), 49),
    ("a changed reply", sql("UPDATE replies SET reply = replace(reply, 'Why', 'Who') WHERE rowid < 50"), 49),
]  # fmt: skip
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
CHECKPOINT: list[tuple[str, Damage]] = [
    ("half of its weights", within("trained.safetensors", cut(0.5))),
    ("weights of zeros", within("trained.safetensors", overwrite(0.5, bytes(64)))),
    ("half of its optimizer", within("optimizer.pt", cut(0.5))),
    ("no optimizer", within("optimizer.pt", Path.unlink)),
    ("a schedule of noise", within("scheduler.pt", put(b"noise"))),
    ("no random numbers", within("rng_state.pth", Path.unlink)),
    ("half of its state", within("trainer_state.json", cut(0.5))),
    ("a state of a list", within("trainer_state.json", put(b"[]"))),
    ("digests of noise", within("digests.json", put(b"{"))),
    ("a file in its place", become_file),
]
PAGE: list[tuple[str, Damage]] = [
    ("an empty file", put(b"")), ("cut short", cut(0.6)), ("bad bytes", put(b"90.0 \xff\n\xfe")),
    ("no figure", put(b"high\ntext")), ("a folder", become_folder),
]  # fmt: skip
DOWNLOAD: list[tuple[str, Damage]] = [
    ("an empty file", put(b"")), ("cut short", cut(0.5)), ("a folder", become_folder),
]  # fmt: skip

CASES = [
    *(Case("vectors", *row) for row in [*SQLITE, *VECTORS]),
    *(Case("replies", *row) for row in [*SQLITE, *REPLIES]),
    *(Case("stages", *row) for row in STAGE),
    *(Case("checkpoints", *row) for row in CHECKPOINT),
    *(Case("pages read by OCR", *row) for row in PAGE),
    *(Case("downloads", *row) for row in DOWNLOAD),
]
COUNTS = Counter(case.kind for case in CASES)
"""What docs/reliability.md quotes."""
SILENT = {
    "zero bytes", "no table", "a log of noise", "a dead link in its place", "read-only by its header",
    "a folder for its index",
}  # fmt: skip
"""What sqlite itself takes for an empty database, or passes over: nothing is damaged that could be named."""


def of(kind: str) -> Any:
    cases = [case for case in CASES if case.kind == kind]
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


def lock_of(folder: Path) -> Path:
    return folder.parent / f".{folder.name}.lock"


def scratch_file(folder: Path) -> None:
    scratch = folder.parents[2] / "scratch" / folder.parent.name
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.parent.mkdir(exist_ok=True)
    scratch.write_text("not a folder")


# Vectors and replies.


def embed(path: Path) -> tuple[np.ndarray, int]:
    """All vectors, and how many had to be made."""
    made: list[str] = []

    def encode(texts: Any) -> Any:
        made.extend(texts)
        return np.array([[len(text), 1 + int(text.split()[1]), *[2] * 30] for text in texts], np.float32)

    return VectorCache(path).encode("m", "", TEXTS, encode), len(made)


def ask(path: Path) -> tuple[list[Any], int]:
    """All replies, and how many had to be paid for."""
    cache, replies, paid = ReplyCache(path), [], 0
    for text in TEXTS:
        request = {"model": "m", "messages": [{"role": "user", "content": text}]}
        key = ReplyCache.key(request)
        if cache.get(key) is None:
            paid += 1
            cache.put(key, request, {"text": f"Why is it {text}?" + "." * 200, "completion_tokens": 7, "seconds": 1.0})
        replies.append(cache.get(key))
    cache.means("m")
    cache._file.close()
    return replies, paid


MAKE: dict[str, Callable[[Path], tuple[Any, int]]] = {"vectors": embed, "replies": ask}


@pytest.fixture(scope="module", params=sorted(MAKE))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Any]:
    path = tmp_path_factory.mktemp("clean") / f"{request.param}.sqlite"
    value, count = MAKE[request.param](path)
    assert count == len(TEXTS)
    return request.param, path, value


@pytest.mark.parametrize("name", list(dict.fromkeys(case.name for case in CASES if case.kind in MAKE)))
def test_a_damaged_sqlite_file_costs_no_more_than_what_cannot_be_read(
    made: tuple[str, Path, Any], name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kind, clean, expected = made
    case = next((one for one in CASES if (one.kind, one.name) == (kind, name)), None)
    if case is None:
        return  # a case of the other kind
    path = tmp_path / clean.name
    shutil.copy(clean, path)
    case.damage(path)
    value, count = MAKE[kind](path)
    assert np.array_equal(value, expected) if kind == "vectors" else value == expected
    assert count <= (len(TEXTS) if case.lost is None else case.lost)
    if name not in SILENT:
        assert path.name in caplog.text
    caplog.clear()
    again, count = MAKE[kind](path)
    assert np.array_equal(again, expected) if kind == "vectors" else again == expected
    assert (count, caplog.text) == (0, "")


def test_a_file_that_another_process_locks_for_ever_is_set_aside_and_its_rows_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embft.sqlite_file.WAIT_SECONDS", 0.1)
    monkeypatch.setattr("embft.sqlite_file._LOOK_SECONDS", 0.1)
    path = tmp_path / "replies.sqlite"
    expected, _ = ask(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        assert ask(path) == (expected, 0)
    assert "replies.sqlite" in caplog.text
    assert ask(path) == (expected, 0)


def test_a_file_that_cannot_be_written_is_replaced_by_one_that_can(tmp_path: Path, caplog: Any) -> None:
    path = tmp_path / "replies.sqlite"
    expected, _ = ask(path)
    overwrite(0, b"SQLite format 3\0\x10\0\x03")(path)
    ReplyCache(path).put("new", {}, {"text": "A new one?"})
    assert "replies.sqlite" in caplog.text
    assert ReplyCache(path).get("new") is not None
    assert ask(path) == (expected, 0)


# Stages.


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


@of("stages")
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


# Checkpoints.


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A training that was stopped after its second epoch, and the weights it would have ended with."""
    from tiny import train

    root = tmp_path_factory.mktemp("training")
    train(root, epochs=3)
    [weights] = (root / "cache" / "stages" / "training").glob("*/model/model.safetensors")
    expected = weights.read_bytes()
    shutil.rmtree(root / "cache" / "stages" / "training")

    def stop(values: Any, step: int | None) -> None:
        if step is not None and step > 20:
            raise RuntimeError("stopped")

    with suppress(RuntimeError):
        train(root, epochs=3, log=stop)
    assert len(list(root.glob("cache/scratch/training/*/checkpoints/checkpoint-*"))) == 2
    return root, expected


@of("checkpoints")
def test_a_damaged_checkpoint_gives_way_to_an_older_one(
    case: Case, interrupted: tuple[Path, bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from embft.training.checkpoints import last_checkpoint

    [checkpoints] = interrupted[0].glob("cache/scratch/training/*/checkpoints")
    mine = tmp_path / "checkpoints"
    shutil.copytree(checkpoints, mine)
    older, newer = sorted(mine.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    state = json.loads((older / "trainer_state.json").read_text())
    assert last_checkpoint(mine) == newer
    assert caplog.text == ""
    case.damage(newer)
    assert last_checkpoint(mine) == older
    assert str(newer) in caplog.text
    assert state["global_step"] > 0
    case.damage(older)
    assert last_checkpoint(mine) is None
    assert "starts anew" in caplog.text


def test_a_training_whose_best_or_last_checkpoint_is_damaged_ends_with_the_same_weights(
    interrupted: tuple[Path, bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from tiny import train

    for which in (0, 1):
        root = tmp_path / str(which)
        shutil.copytree(interrupted[0], root)
        places = list(root.glob("cache/scratch/training/*/checkpoints/checkpoint-*"))
        places.sort(key=lambda path: int(path.name.rpartition("-")[2]))
        os.truncate(places[which] / "trained.safetensors", 99)
        train(root, epochs=3)
        [weights] = (root / "cache" / "stages" / "training").glob("*/model/model.safetensors")
        assert weights.read_bytes() == interrupted[1]
        assert places[which].name in caplog.text
        caplog.clear()


# Pages and downloads.


@of("pages read by OCR")
def test_a_damaged_page_is_read_again(
    case: Case, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tesseract, "_read_page", lambda self, picture: Recognised("A page,\nof 文字.", 91.25))
    tesseract, picture = Tesseract("5", ("eng",), cache=tmp_path), np.zeros((2, 2), np.uint8)
    tesseract.read([picture])
    [known] = tesseract.read([picture])
    [kept] = tmp_path.iterdir()
    case.damage(kept)
    assert tesseract.read([picture])[0].text == known.text
    assert kept.name in caplog.text
    caplog.clear()
    assert tesseract.read([picture]) == [known]
    assert caplog.text == ""


@of("downloads")
def test_a_damaged_download_is_fetched_again(
    case: Case, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "embft.corpus.download._download", lambda url, path, seconds: path.write_bytes(b"the filing" * 9)
    )
    target = fetch_document("http://x/filing.txt", None, tmp_path)
    expected = file_digest(target)
    case.damage(target)
    assert file_digest(fetch_document("http://x/filing.txt", None, tmp_path)) == expected
    assert target.name in caplog.text


def test_there_are_enough_cases() -> None:
    assert sum(COUNTS.values()) >= 60
