"""Two gloo processes on the CPU against one: what torchrun gives has to be what it gives alone."""

from __future__ import annotations

import json
import math
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from forks import in_fork
from safetensors.numpy import load_file
from tiny_bert import save_tiny_bert
from torchrun import torchrun
from tune_on_processes import CASES

from embft.config.training import TrainingConfig
from embft.errors import TrainingError
from embft.models.encoder import Encoder
from embft.training.processes import launch_problems, with_helpers

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WORDS = "one two three four five six seven eight nine ten".split()
PROGRAM = Path(__file__).parent / "tune_on_processes.py"

ENVIRONMENT = {
    **os.environ,
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a random BERT of three layers and a small dataset."""
    folder = tmp_path_factory.mktemp("place")
    save_tiny_bert(folder / "model", tuple(WORDS), positions=512)
    draw = np.random.default_rng(1)
    for name, chunks in (("train", 21), ("dev", 12), ("test", 12)):
        corpus = {f"{name} {number}": " ".join(draw.choice(WORDS, size=12)) for number in range(chunks)}
        queries = {f"question {chunk}": " ".join(text.split()[:5]) for chunk, text in corpus.items()}
        relevant = {question: [question.removeprefix("question ")] for question in queries}
        dataset = {"queries": queries, "corpus": corpus, "relevant_docs": relevant, "mode": "text"}
        (folder / f"{name}.json").write_text(json.dumps(dataset), encoding="utf-8")
    return folder


RECIPE = [
    "dataset=llama_index", "dataset.train=train.json", "dataset.dev=dev.json", "dataset.test=test.json",
    "model.path=model/model", "training.batch_size=4", "training.epochs=2", "training.frozen_share=0.34",
    "training.max_grad_norm=1e38", "evaluation.resamples=100", "tracking=local",
]  # fmt: skip


def recipe(name: str) -> list[str]:
    return [*RECIPE, "training.learning_rate=5e-3", f"cache_dir={name}/cache"]


@pytest.fixture(scope="module")
def cases(place) -> tuple[Path, Path, subprocess.CompletedProcess[str]]:
    """What the program beside this file gives in one process and in two; both leave a folder."""
    one, two = place / "one", place / "two"
    one.mkdir()
    two.mkdir()
    command = [str(PROGRAM), str(place / "model" / "model")]
    alone = in_fork(*command, str(one), *recipe("one"), cwd=place, environment=ENVIRONMENT)
    assert alone.returncode == 0, alone.stderr[-3000:]
    done = torchrun(PROGRAM, *command[1:], two, *recipe("two"), cwd=place, environment=ENVIRONMENT).wait()
    assert done.returncode == 0, done.stderr[-3000:]
    return one, two, done


@pytest.mark.parametrize("name", ["plain", "in pieces", "guided", "distilled", "after that"])
def test_two_processes_give_the_losses_and_the_weights_of_one(cases, place, name):
    reports = [json.loads((folder / f"{name}.json").read_text()) for folder in cases[:2]]
    assert [report["processes"] for report in reports] == [1, 2]
    assert np.allclose(reports[0]["losses"], reports[1]["losses"], atol=1e-4, rtol=0)
    weights = [load_file(folder / name / "model.safetensors") for folder in cases[:2]]
    base = load_file(place / "model" / "model" / "model.safetensors")
    assert all(np.allclose(weights[0][key], weights[1][key], atol=1e-4, rtol=0) for key in weights[0])
    assert max(np.abs(weights[0][key] - base[key]).max() for key in weights[0]) > 1e-3


def test_the_passages_of_the_other_process_are_negatives(cases):
    report = json.loads((cases[1] / "plain.json").read_text())
    # A random model's cosines are all alike, so the loss is about log(passages): 4 chunks have 4 to 8, a half of them 2 to 4.
    assert report["losses"][0] > math.log(5)
    # One chunk is left for the last step, and its passages are no negatives of each other.
    assert report["losses"][-1] == 0.0


def test_a_loss_that_is_no_number_ends_the_job_in_both_processes_and_not_the_next_one(cases):
    for folder in cases[:2]:
        assert "The loss became nan" in (folder / "not a number.txt").read_text()
        assert not (folder / "not a number").exists()


def test_only_process_0_prints(cases):
    done = cases[2]
    assert done.stdout.count("printed by process 0") == len(CASES) - 1
    assert "printed by another" not in done.stdout
    assert "Warning" not in done.stderr


def test_a_whole_run_under_torchrun_gives_the_metrics_that_it_gives_alone(cases):
    found = []
    for folder in cases[:2]:
        (run,) = (folder / "runs").iterdir()
        found.append(json.loads((run / "metrics.json").read_text(encoding="utf-8")))
    alone, both = found
    assert (alone["training"]["processes"], both["training"]["processes"]) == (1, 2)
    for system in ("base", "tuned"):
        assert both["systems"][system]["metrics"] == pytest.approx(alone["systems"][system]["metrics"], abs=1e-3)
    dev = [[epoch["dev_ndcg@10"] for epoch in metrics["training"]["history"]] for metrics in found]
    assert len(dev[0]) == 3
    assert dev[1] == pytest.approx(dev[0], abs=1e-3)


def kill_one(arguments: list[str], cwd: Path, victim: int, after: str) -> subprocess.CompletedProcess[str]:
    """Kills one of two processes when there is a file like ``after``; returns how torchrun ended."""
    launched = torchrun(ROOT / "run.py", *arguments, cwd=cwd, environment=ENVIRONMENT)
    while not any(cwd.glob(after)):
        assert launched.process.exitcode is None
        time.sleep(0.001)
    workers = [psutil.Process(int((cwd / f".rank-{rank}").read_text())) for rank in (0, 1)]
    workers[victim].kill()
    done = launched.wait()
    assert not any(worker.is_running() for worker in workers)
    return done


def test_a_killed_process_ends_the_other_and_the_same_command_goes_on_to_the_same_weights_and_the_next_job(
    cases, place
):
    sweep = [
        "-m", *RECIPE, "training.learning_rate=5e-3,1e38", "cache_dir=killed/cache",
        "training.checkpoint_steps=1",
    ]  # fmt: skip
    third = "killed/cache/scratch/training/*/checkpoints/checkpoint-3/*.json"
    stopped = kill_one([*sweep, "hydra.sweep.dir=killed/first"], place, victim=1, after=third)
    assert stopped.returncode != 0
    said = stopped.stdout + stopped.stderr
    assert "gloo" not in said.lower(), said  # process 0 says what it means, if it is not ended first
    # The one command of the tests that is torchrun's own, from the start of Python on.
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(ROOT / "run.py"),
         *sweep, "hydra.sweep.dir=killed/second"],
        cwd=place, env=ENVIRONMENT, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    first, second = (place / "killed" / "second" / number for number in "01")
    assert json.loads((first / "status.json").read_text())["status"] == "ok", done.stderr[-3000:]
    training = json.loads((first / "metrics.json").read_text())["training"]
    assert (training["processes"], training["resumed"]) == (2, True)
    (unbroken,) = (cases[1] / "runs").iterdir()
    assert (first / "model" / "model.safetensors").read_bytes() == (
        unbroken / "model" / "model.safetensors"
    ).read_bytes()
    # The second job's loss is no number: an error of the user's, which ends both processes and is said once.
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert said.count("[ERROR]") == 1
    assert "The loss became nan" in said
    assert "[process 1]" not in said
    assert json.loads((second / "status.json").read_text())["status"] == "failed"


def test_fewer_chunks_a_step_than_processes_are_refused(monkeypatch):
    config = TrainingConfig(batch_size=2)
    assert launch_problems(config) == []
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "3")
    (problem,) = launch_problems(config)
    assert "3 processes" in problem
    assert launch_problems(TrainingConfig(batch_size=3)) == []


def test_a_job_that_another_launcher_runs_is_told_so(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match="hydra/launcher"), with_helpers(lambda: None, "cpu"):
        pass


def test_an_encoder_travels_without_its_model():
    encoder = Encoder(Path("somewhere"), "abc", query_prompt="query: ")
    encoder.__dict__["model"] = lambda: None  # cannot be pickled
    there = pickle.loads(pickle.dumps(encoder))
    assert (there.folder, there.query_prompt) == (encoder.folder, "query: ")
    assert "model" not in there.__dict__
