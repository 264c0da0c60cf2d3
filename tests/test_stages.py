import json
import multiprocessing
import shutil
from pathlib import Path

import pytest

from embft.files import digest, write_json
from embft.source_code import code_of
from embft.stages import StageCache


def run(cache: StageCache, build, *, settings=None, inputs=(), name="corpus"):
    return cache.run(
        name,
        settings=settings or {"a": 1},
        inputs=list(inputs),
        code=code_of("embft.records"),
        build=build,
        load=lambda folder: (folder / "result.txt").read_text(),
    )


def writing(text: str, calls: list[str]):
    def build(folder: Path, scratch: Path) -> None:
        calls.append(text)
        (folder / "result.txt").write_text(text)

    return build


def test_the_same_settings_and_inputs_are_built_once(tmp_path):
    calls: list[str] = []
    first = run(StageCache(tmp_path), writing("x", calls))
    second = run(StageCache(tmp_path), writing("y", calls))
    assert calls == ["x"]
    assert (first.value, first.cached) == ("x", False)
    assert (second.value, second.cached) == ("x", True)
    assert second.key == first.key
    assert second.built_seconds == first.built_seconds


@pytest.mark.parametrize("change", [{"settings": {"a": 2}}, {"inputs": ["other"]}, {"name": "questions"}])
def test_another_setting_input_or_stage_is_another_result(tmp_path, change):
    calls: list[str] = []
    first = run(StageCache(tmp_path), writing("x", calls))
    second = run(StageCache(tmp_path), writing("y", calls), **change)
    assert calls == ["x", "y"]
    assert first.folder != second.folder


def test_a_failed_build_leaves_no_result_but_its_scratch(tmp_path):
    def breaks(folder: Path, scratch: Path) -> None:
        (folder / "result.txt").write_text("half")
        (scratch / "checkpoint").write_text("step 3")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        run(StageCache(tmp_path), breaks)
    assert not list((tmp_path / "stages").rglob("result.txt"))

    def goes_on(folder: Path, scratch: Path) -> None:
        (folder / "result.txt").write_text((scratch / "checkpoint").read_text())

    assert run(StageCache(tmp_path), goes_on).value == "step 3"
    assert not list((tmp_path / "scratch").rglob("checkpoint"))


def test_what_killed_builds_left_is_cleared_away(tmp_path):
    built = run(StageCache(tmp_path), writing("x", []))
    half, scratch = built.folder.parent / f".{built.key}-abc", tmp_path / "scratch" / "corpus" / built.key
    scratch.mkdir(parents=True)
    run(StageCache(tmp_path), writing("y", []))
    assert not scratch.exists()
    shutil.rmtree(built.folder)
    half.mkdir()
    run(StageCache(tmp_path), writing("y", []))
    assert not half.exists()


def test_stage_json_says_why_the_key_is_the_key(tmp_path):
    found = run(StageCache(tmp_path), writing("x", []), settings={"words": "日本"}, inputs=["abc"])
    text = (found.folder / "stage.json").read_text(encoding="utf-8")
    assert "日本" in text
    record = json.loads(text)
    del record["seconds"], record["files"]
    assert digest(record) == found.key


def _append(root: str, log: str) -> None:
    def build(folder: Path, scratch: Path) -> None:
        with Path(log).open("a") as file:
            file.write("built\n")
        (folder / "result.txt").write_text("x")

    run(StageCache(Path(root)), build)


def test_two_processes_that_need_the_same_stage_build_it_once(tmp_path):
    log = tmp_path / "log"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_append, args=(str(tmp_path / "cache"), str(log))) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert log.read_text() == "built\n"


def test_json_is_written_whole_and_readable(tmp_path):
    path = tmp_path / "x.json"
    write_json(path, {"b": "中文", "a": [1]})
    assert "中文" in path.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [path]
