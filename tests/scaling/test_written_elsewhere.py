"""A local LLM that writes on other machines: the same replies, in the same cache, and none lost."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from ask_elsewhere import config_of, content_of, request_of
from this_process import ThisProcess, fleet_of
from tiny_gguf import save_tiny_gguf

from embft.config import QuestionsConfig
from embft.errors import QuestionError, ScaleError
from embft.judging.asking import JudgeLLM
from embft.questions.budget import Budget
from embft.questions.chat_endpoint import Reply, ask_now
from embft.questions.local_llm import LocalServer, local_identity, open_llm
from embft.questions.reply_cache import ReplyCache
from embft.scaling.fleet import Fleet
from embft.scaling.kinds import Cut
from embft.scaling.shard import do_shard
from embft.scaling.work import given_of, read_work, result_of

COUNT, SHARD = 11, 4


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("xllamacpp", reason="llama.cpp is not installed: make llm")
    return save_tiny_gguf(tmp_path_factory.mktemp("llm") / "tiny.gguf")


@pytest.fixture
def config(weights: Path) -> QuestionsConfig:
    return config_of(weights)


@pytest.fixture(scope="module")
def here(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reply]:
    """What this machine alone makes of the requests."""
    server = LocalServer.start(
        weights, config_of(weights), threads=1
    )  # two wait for each other where a machine is busy
    requests = [request_of(weights.name, local_identity(weights), content_of(number)) for number in range(COUNT)]
    cache = ReplyCache(tmp_path_factory.mktemp("here") / "replies.sqlite")
    return ask_now(requests, server.config, cache, Budget(server.config))


def asked(
    config: QuestionsConfig, folder: Path, fleet: Fleet | None = None, count: int = COUNT, more: Sequence[str] = ()
) -> dict[str, Reply]:
    with open_llm(config, fleet) as llm:
        contents = [*map(content_of, range(count)), *more]
        requests = [request_of(llm.config.model, llm.endpoint, content) for content in contents]
        return llm.ask(requests, llm.config, ReplyCache(folder / "replies.sqlite"), Budget(llm.config))


def cut(fewest: int = 1) -> Cut:
    return Cut(SHARD, fewest)


def texts(replies: dict[str, Reply]) -> dict[str, str | None]:
    return {key: reply.text for key, reply in replies.items()}


def test_shards_give_the_replies_of_one_machine_and_leave_nothing(tmp_path, config, here, monkeypatch):
    driver = ThisProcess()
    there = asked(config, tmp_path, fleet_of(tmp_path, driver, requests=cut()))
    assert driver.done == [0, 1, 2]
    assert there == here
    assert len({reply.text for reply in here.values()}) > COUNT // 2  # each prompt has replies of its own
    assert list((tmp_path / "shards").iterdir()) == []

    # A later run on one machine finds all of them, and needs no llama.cpp.
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    again = asked(config, tmp_path)
    assert texts(again) == texts(here)
    assert all(reply.cached for reply in again.values())


def test_few_requests_stay_here(tmp_path, config, here):
    driver = ThisProcess()
    there = asked(config, tmp_path, fleet_of(tmp_path, driver, requests=cut(2)), 1)
    assert list(there.items()) == list(here.items())[:1]
    assert driver.done == []


def test_a_run_that_was_killed_continues_with_the_shards_that_are_left_however_few(tmp_path, config, here):
    with pytest.raises(KeyboardInterrupt):
        asked(config, tmp_path, fleet_of(tmp_path, ThisProcess(dies_after=1), requests=cut()))
    folder = work_in(tmp_path)
    do_shard(str(folder), 2)  # a node that did not notice
    second = ThisProcess()
    there = asked(config, tmp_path, fleet_of(tmp_path, second, requests=cut(COUNT)))
    assert second.done == [1]
    assert texts(there) == texts(here)
    assert sum(reply.cached for reply in there.values()) == SHARD
    assert list((tmp_path / "shards").iterdir()) == []


def _damaged(folder: Path) -> None:
    content = bytearray(result_of(folder, 1).read_bytes())
    content[-5] ^= 1
    result_of(folder, 1).write_bytes(content)


def _of_another_shard(folder: Path) -> None:
    shutil.copyfile(result_of(folder, 0), result_of(folder, 1))


def _cut_off(folder: Path) -> None:
    result_of(folder, 1).write_bytes(result_of(folder, 1).read_bytes()[:40])


def _no_file_of_embft(folder: Path) -> None:
    result_of(folder, 1).write_bytes(b"[]\n\xff\x00")


@pytest.mark.parametrize("spoil", [_damaged, _of_another_shard, _cut_off, _no_file_of_embft])
def test_a_shard_that_is_damaged_or_foreign_is_asked_for_again(tmp_path, config, here, spoil: Callable[[Path], None]):
    class Spoiling(ThisProcess):
        def run(self, folder: Path, numbers: Sequence[int]) -> Iterator[int]:
            if numbers[0] == 0:  # all of them, before any is merged
                list(super().run(folder, numbers))
                spoil(folder)
                yield from numbers
            else:
                yield from super().run(folder, numbers)

    driver = Spoiling()
    assert asked(config, tmp_path, fleet_of(tmp_path, driver, requests=cut())) == here
    assert driver.done == [0, 1, 2, 1]


def test_a_request_that_fails_there_says_why_and_is_not_stored(tmp_path, config):
    driver = ThisProcess()
    there = asked(config, tmp_path, fleet_of(tmp_path, driver, requests=cut()), more=["x" * 6000])
    failed = [reply for reply in there.values() if reply.text is None]
    assert len(failed) == 1
    assert "available context size" in str(failed[0].failure)
    assert "lower corpus.chunk_tokens or questions.reply_tokens" in str(failed[0].failure)
    assert driver.done == [0, 1, 2]
    # It alone is asked for the next time.
    again = asked(config, tmp_path, fleet_of(tmp_path, driver, requests=cut()), more=["x" * 6000])
    assert driver.done == [0, 1, 2, 0]
    assert sum(reply.cached for reply in again.values()) == COUNT


def test_what_failed_before_a_kill_is_asked_for_after_the_shards_that_are_left(tmp_path, config):
    long = ["x" * 6000, *(f"more {number}" for number in range(SHARD))]
    with pytest.raises(KeyboardInterrupt):
        asked(config, tmp_path, fleet_of(tmp_path, ThisProcess(dies_after=1), requests=cut()), 2, long)
    second = ThisProcess()
    there = asked(config, tmp_path, fleet_of(tmp_path, second, requests=cut()), 2, long)
    assert second.done == [1, 0]  # the second shard, then the one request
    assert sum(reply.text is None for reply in there.values()) == 1


def test_a_cap_holds_on_other_machines(tmp_path, config, here):
    driver = ThisProcess()
    few = replace(config, max_tokens=140)
    there = asked(few, tmp_path, fleet_of(tmp_path, driver, requests=cut()))
    spent = [reply for reply in there.values() if reply.text is None]
    assert driver.done == [0]
    assert spent
    assert {reply.failure for reply in spent} == {"the budget is spent"}
    assert {key: text for key, text in texts(there).items() if text} == {
        key: reply.text for key, reply in here.items() if there[key].text
    }


@pytest.fixture
def planned(tmp_path: Path, config: QuestionsConfig) -> Path:
    """The folder of a work of which nothing is done."""
    with pytest.raises(KeyboardInterrupt):
        asked(config, tmp_path, fleet_of(tmp_path, ThisProcess(dies_after=0), requests=cut()))
    return work_in(tmp_path)


def work_in(tmp_path: Path) -> Path:
    return next(path for path in (tmp_path / "shards").iterdir() if path.is_dir())


def test_a_node_with_another_embft_or_llm_or_requests_or_none_says_so(planned, monkeypatch, weights):
    model = planned / "model" / weights.name
    content = model.read_bytes()
    model.unlink()  # the link alone; the model's own file stays
    model.write_bytes(content[:-1])
    with pytest.raises(ScaleError, match="is not whole as seen from"):
        do_shard(str(planned), 0)
    model.write_bytes(content)
    given_of(planned, 1).write_text('{"body": {}, "endpoint": null}\n')
    with pytest.raises(ScaleError, match="is not what was written"):
        do_shard(str(planned), 1)
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(QuestionError, match=r"questions: a local LLM needs llama.cpp: pip install 'embft\[llm\]'"):
        do_shard(str(planned), 0)
    monkeypatch.setattr("embft.scaling.shard.own_code", lambda: "other")
    with pytest.raises(ScaleError, match="install the same version"):
        do_shard(str(planned), 0)
    assert not list(planned.glob("result-*"))


def test_the_work_of_another_embft_is_planned_anew(planned, tmp_path, config, here, monkeypatch):
    do_shard(str(planned), 0)
    monkeypatch.setattr("embft.scaling.fleet.own_code", lambda: "other")
    monkeypatch.setattr("embft.scaling.shard.own_code", lambda: "other")
    driver = ThisProcess()
    assert asked(config, tmp_path, fleet_of(tmp_path, driver, requests=cut())) == here
    assert driver.done == [0, 1, 2]


def test_an_llm_of_the_judge_is_spoken_of_by_its_own_settings(tmp_path, config):
    judge = JudgeLLM(
        **{name: getattr(config, name) for name in ("name", "backend", "model", "concurrency", "api_key_env")}
    )
    there = asked(judge, tmp_path, fleet_of(tmp_path, ThisProcess(), requests=cut()), 1, ["x" * 6000])
    assert read_failure(there) == "lower corpus.chunk_tokens or evaluation.judging.reply_tokens"


def read_failure(replies: dict[str, Reply]) -> str:
    failure = next(reply.failure for reply in replies.values() if reply.failure)
    return failure.rpartition("(")[2].rstrip(")")


def test_a_node_takes_no_more_processors_than_it_was_given(planned):
    assert read_work(planned).settings["threads"] == 1
