"""Not a test: fine-tunes a tiny model in several ways, alone or under torchrun, and writes what came of each.

Usage: [torchrun ...] tune_on_processes.py MODEL OUTPUT OVERRIDES...
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import numpy as np
from hydra import compose, initialize_config_dir

from embft.config import register
from embft.config.command_line import as_config
from embft.config.training import TrainingConfig
from embft.errors import TrainingError
from embft.pipeline import run_experiment
from embft.training.examples import ChunkExample
from embft.training.finetune import FineTuneJob, Hardware, fine_tune
from embft.training.processes import run_distributed, with_helpers
from embft.training.trainee import Trainee

WORDS = "one two three four five six seven eight nine ten".split()
RECIPE = {"batch_size": 4, "learning_rate": 5e-3, "train_embeddings": True}
CASES = {
    "plain": (21, {"epochs": 2}),
    "in pieces": (20, {"batch_size": 5, "mini_batch": 3, "symmetric": True, "hardness": 2.0}),
    "guided": (21, {"loss": "gist", "matryoshka": [4], "frozen_share": 0.34, "train_embeddings": False}),
    "distilled": (21, {"loss": "distillation"}),
    "not a number": (20, {"learning_rate": 1e38, "max_grad_norm": 1e38}),
    "after that": (8, {"average": 0.7}),
}
"""By name, the chunks and the recipe. 21 chunks in steps of 4 leave one, so that a process has no share of the last step."""


def examples(number: int) -> list[ChunkExample]:
    """Chunks with one to three questions, of one or two passages, of unlike lengths."""
    draw = np.random.default_rng(0)

    def text() -> str:
        return " ".join(draw.choice(WORDS, size=draw.integers(1, 9)))

    found = []
    for chunk in map(str, range(number)):
        questions, passages = int(draw.integers(1, 4)), int(draw.integers(1, 3))
        found.append(
            ChunkExample(
                chunk,
                tuple(text() for _ in range(questions)),
                tuple(text() for _ in range(passages)),
                (chunk,) * passages,
                tuple(int(target) for target in draw.integers(0, passages, size=questions)),
                (frozenset({chunk}),) * questions,
            )
        )
    return found


def vectors_of(texts) -> np.ndarray:
    """A vector of length 1 that depends on the text alone."""
    found = np.stack([np.random.default_rng(list(text.encode())).normal(size=8) for text in texts])
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


class Judge:
    """A teacher."""

    def scores(self, questions, passages) -> np.ndarray:
        return 5 * vectors_of(questions) @ vectors_of(passages).T


def tune(model: Path, output: Path, name: str) -> None:
    """One case; process 0 writes its losses and the tuned model."""
    number, changes = CASES[name]
    config = TrainingConfig(name=name, **{**RECIPE, **changes})
    trainee = Trainee.of(model, config, "cpu", None, seed=7)
    rows = examples(number)
    if trainee.lower is not None:
        trainee.lower.fill([text for row in rows for text in (*row.questions, *row.passages)], "")
    losses: list[float] = []

    def log(figures, step) -> None:
        if "train/loss" in figures:
            losses.append(figures["train/loss"])

    def guide(questions, passages):
        return vectors_of(questions), vectors_of(passages)

    job = FineTuneJob(
        config,
        Hardware("cpu", "fp32"),
        query_prompt="",
        document_prompt="",
        seed=7,
        output=output / name,
        scratch=output / f"scratch {name}",
        guide=guide if config.loss == "gist" else None,
        teacher=Judge() if config.loss == "distillation" else None,
    )
    report = fine_tune(trainee, rows, job, None, log)
    if report:
        text = json.dumps({"losses": losses, **report.as_json()})
        (output / f"{name}.json").write_text(text, encoding="utf-8")
    print("printed by", "process 0" if report else "another")


def main(model: Path, output: Path, *arguments: str) -> int:
    """All cases, then a whole run; also called by the test, for one process."""
    for name in CASES:
        case = partial(tune, model, output, name)
        try:
            with with_helpers(case, "cpu"):
                case()
        except TrainingError as error:
            (output / f"{name}.txt").write_text(str(error), encoding="utf-8")
    register()
    with initialize_config_dir(str(Path(__file__).parents[2] / "configs"), version_base="1.3"):
        composed = compose("config", overrides=list(arguments))
    run_experiment(as_config(composed), output / "runs" / "one")
    return 0


if __name__ == "__main__":
    sys.exit(run_distributed(partial(main, Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])))
