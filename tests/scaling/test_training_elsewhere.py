"""A training that another machine does: here that machine is this process, which may die on the way."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tiny import make_base, make_dataset, make_lab

from embft.config import TrainingConfig
from embft.errors import ScaleError, TrainingError
from embft.progress import Work
from embft.scaling.events import EVENTS, Listener, Teller
from embft.scaling.rank import do
from embft.steps.training import train_model
from embft.training import on_a_node
from embft.training.elsewhere import TrainedElsewhere, _read_refusal
from embft.training.loss import ByChunkLoss
from embft.training.order import ERROR, ORDER, RESULT

DEAD_AFTER = 0.6


class DiedError(Exception):
    """The process is gone."""


@dataclass
class ThisProcess:
    """A starter whose job is over as soon as it was started; see `embft.scaling.long_job.Starter`."""

    jobs: int = 0
    status: int | None = None

    def check(self) -> None:
        pass

    @contextmanager
    def started(self, folder: Path, work: str) -> Iterator[ThisProcess]:
        self.jobs += 1
        try:
            self.status = do(work, str(folder))
        except (DiedError, ScaleError) as error:
            self.words = str(error)
        yield self

    def ended(self) -> bool:
        return True

    def state(self) -> str:
        return f"job {self.jobs}"

    def last_words(self) -> str:
        return self.words


def train(root: Path, starter: ThisProcess | None = None, log: Any = lambda values, step: None, **settings: Any) -> Any:
    """The training stage; by the starter where there is one."""
    lab = make_lab(root, make_base(root), **settings)
    if starter is not None:
        lab = replace(lab, elsewhere=TrainedElsewhere(starter, root / "shared", False, DEAD_AFTER))
    return train_model(lab, make_dataset(), log)


def outcome(result: Any) -> tuple[bytes, dict[str, Any]]:
    """Weights, and the report without what time and interruptions decide."""
    report = json.loads((result.folder / "training.json").read_text())
    for name in ("seconds", "resumed"):
        del report[name]
    return (result.folder / "model" / "model.safetensors").read_bytes(), report


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return train(tmp_path_factory.mktemp("here"))


def dies_at(monkeypatch: pytest.MonkeyPatch, *calls: int) -> None:
    """Has the process die in these steps, counted from the first of the first job."""
    forward, called = ByChunkLoss.forward, [0]

    def dying(self: Any, features: Any, labels: Any) -> Any:
        called[0] += 1
        if called[0] in calls:
            raise DiedError
        return forward(self, features, labels)

    monkeypatch.setattr(ByChunkLoss, "forward", dying)


def test_a_training_elsewhere_is_the_one_of_here_under_the_same_key_and_leaves_nothing(tmp_path, here):
    curve: list[Any] = []
    there = train(tmp_path, ThisProcess(), lambda values, step: curve.append((step, dict(values))))
    assert there.key == here.key
    assert outcome(there) == outcome(here)
    assert not there.value.report.resumed
    assert list((tmp_path / "shared").iterdir()) == []
    losses = [step for step, values in curve if "train/loss" in values]
    assert losses == list(range(1, there.value.report.steps + 1))
    assert train(tmp_path).cached


def test_one_that_is_killed_twice_continues_to_the_same_bytes_and_tells_each_step_once(
    tmp_path, monkeypatch, here, caplog
):
    dies_at(monkeypatch, 8, 20)
    curve: list[Any] = []
    starter = ThisProcess()
    there = train(tmp_path, starter, lambda values, step: curve.append((step, *values)), checkpoint_steps=3)
    assert starter.jobs == 3
    assert outcome(there) == outcome(here)
    assert there.value.report.resumed
    losses = [step for step, *names in curve if "train/loss" in names]
    assert losses == list(range(1, there.value.report.steps + 1))
    assert "Another job continues from the last checkpoint" in caplog.text


@pytest.mark.slow
def test_jobs_that_get_no_further_are_not_sent_for_ever(tmp_path, monkeypatch):
    dies_at(monkeypatch, *range(1, 100))
    starter = ThisProcess()
    with pytest.raises(ScaleError, match="Jobs ended 3 times without getting any further; the last one, job 3"):
        train(tmp_path, starter)
    assert starter.jobs == 3


@pytest.mark.slow
def test_what_the_user_can_mend_is_told_once_and_in_words_and_the_checkpoints_stay(tmp_path, monkeypatch, here):
    import torch

    forward, called = ByChunkLoss.forward, [0]

    def short_of_memory(self: Any, features: Any, labels: Any) -> Any:
        called[0] += 1
        if called[0] == 8:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, features, labels)

    monkeypatch.setattr(ByChunkLoss, "forward", short_of_memory)
    starter = ThisProcess()
    with pytest.raises(TrainingError, match=r"Memory ran out on cpu.*training.mini_batch=16"):
        train(tmp_path, starter, checkpoint_steps=3)
    assert starter.jobs == 1
    assert list(tmp_path.glob("shared/*/scratch/checkpoints/checkpoint-6"))
    there = train(tmp_path, starter, checkpoint_steps=3)
    assert there.value.report.resumed
    assert outcome(there) == outcome(here)


@pytest.mark.parametrize(
    ("what", "other", "message"),
    [
        ("own_code", "another", "The embft on .* is another one"),
        ("own_libraries", {"torch": "1.0"}, "torch 1.0 and not .* install the same versions"),
    ],
)
def test_a_node_that_would_train_another_model_is_refused(tmp_path, monkeypatch, what, other, message):
    monkeypatch.setattr(on_a_node, what, lambda: other)
    starter = ThisProcess()
    with pytest.raises(ScaleError, match=message):
        train(tmp_path, starter)
    assert starter.jobs == 1


def test_a_node_that_does_not_see_the_folder_says_so(tmp_path):
    with pytest.raises(
        ScaleError, match=r"order.json cannot be read on .* put scale.folder= on a disk that they share"
    ):
        on_a_node.train_in(str(tmp_path / "nowhere"))


def test_a_model_or_dataset_that_arrives_damaged_is_refused(tmp_path, monkeypatch):
    check = on_a_node._check

    def damaging(order: Any) -> None:
        check(order)
        for path in tmp_path.glob("shared/*/splits/train.json"):
            path.write_text(path.read_text() + " ")

    monkeypatch.setattr(on_a_node, "_check", damaging)
    with pytest.raises(ScaleError, match=r"splits is not whole as seen from .* Remove "):
        train(tmp_path, ThisProcess())


@pytest.mark.slow
def test_a_result_that_arrives_damaged_is_made_again(tmp_path, monkeypatch, here, caplog):
    write, written = on_a_node.write_result, [0]

    def damaged_first(made: Path, folder: Path) -> None:
        write(made, folder)
        written[0] += 1
        if written[0] == 1:
            os.truncate(folder / RESULT / "model" / "model.safetensors", 100)

    monkeypatch.setattr(on_a_node, "write_result", damaged_first)
    starter = ThisProcess()
    there = train(tmp_path, starter)
    assert (starter.jobs, outcome(there)) == (2, outcome(here))
    assert "is damaged: its training continues" in caplog.text


def test_a_job_of_a_run_that_was_killed_is_waited_for_and_no_other_is_sent(tmp_path, here):
    """The driver dies once the job is under way; the job ends on its own; the next run takes what it has made."""

    class Killed(ThisProcess):
        @contextmanager
        def started(self, folder: Path, work: str) -> Iterator[ThisProcess]:
            raise KeyboardInterrupt
            yield self

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, Killed())
    (order,) = tmp_path.glob(f"shared/*/{ORDER}")
    assert on_a_node.train_in(str(order.parent)) == 0
    starter = ThisProcess()
    assert outcome(train(tmp_path, starter)) == outcome(here)
    assert starter.jobs == 0


@pytest.mark.slow
def test_a_guide_of_ones_own_goes_along(tmp_path):
    from tiny import make_model

    make_model(tmp_path / "guide", layers=1)
    settings = {"loss": "gist", "guide": str(tmp_path / "guide")}
    alone, there = train(tmp_path / "a", **settings), train(tmp_path / "b", ThisProcess(), **settings)
    assert outcome(there) == outcome(alone)


@pytest.mark.slow
def test_an_adapter_is_trained_here(tmp_path):
    starter = ThisProcess()
    assert train(tmp_path, starter, part="adapter").value.report.part == "adapter"
    assert starter.jobs == 0


def test_the_device_is_what_the_job_asks_for():
    config = TrainingConfig(name="x")
    assert TrainedElsewhere(ThisProcess(), Path(), gpus=True).hardware(config).device == "cuda"
    assert TrainedElsewhere(ThisProcess(), Path(), gpus=False).hardware(config).device == "cpu"
    fp32 = TrainedElsewhere(ThisProcess(), Path(), gpus=True).hardware(replace(config, precision="fp32"))
    assert fp32.precision == "fp32"


def test_what_a_job_says_reaches_the_run_and_half_a_line_harms_nobody(tmp_path, caplog):
    teller, work, figures = Teller(tmp_path), Work("there"), []
    listener = Listener(tmp_path, lambda values, step: figures.append((dict(values), step)), work)
    listener.look()
    log = logging.getLogger("embft.there")
    for level, text, more in ((logging.WARNING, "mind this", {}), (logging.INFO, "3 of 9", {"is_progress": True})):
        teller.emit(log.makeRecord(log.name, level, "", 0, text, (), None, extra=more))
    teller.figures({"train/loss": 0.5}, 1)
    with (tmp_path / EVENTS).open("a") as file:
        file.write('{"figures": {"train/lo')
    listener.look()
    teller.figures({"train/loss": 0.4}, 2)
    teller.figures({"train/loss": 0.5, "train/dev": 0.1}, 1)
    teller.figures({"train/loss": 0.3}, 3)
    listener.look()
    assert "mind this" in caplog.text
    assert work.note == "3 of 9"
    assert figures == [({"train/loss": 0.5}, 1), ({"train/dev": 0.1}, 1), ({"train/loss": 0.3}, 3)]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"kind": 1}'])
def test_a_reason_that_arrives_damaged_is_no_traceback(tmp_path, content):
    (tmp_path / ERROR).write_text(content, encoding="utf-8")
    with pytest.raises(ScaleError, match=r"which says why, is damaged"):
        _read_refusal(tmp_path / ERROR)


@pytest.mark.parametrize(
    "line",
    ['{"figures": {"loss"', "3", "[]", "null", "{}", '{"figures": 1, "step": 1}', '{"figures": {"loss": "x"}, "step": 1}',
     '{"figures": {"loss": 1}, "step": "x"}', '{"level": 30}', '{"level": "x", "logger": "x", "text": "x"}'],
)  # fmt: skip
def test_a_line_that_no_job_wrote_is_passed_over(tmp_path, line):
    (tmp_path / EVENTS).write_text(line + '\n{"figures": {"loss": 0.5}, "step": 2}\n', encoding="utf-8")
    passed = []
    Listener(tmp_path, lambda values, step: passed.append((values, step)), Work("x")).look()
    assert passed == [({"loss": 0.5}, 2)]
