"""Every recipe in configs/training learns a small real problem, and what it saves loads anywhere.

Of ``windows``, which asks no questions and so learns no jargon, see test_windows_ask.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from forks import in_fork
from hydra import compose, initialize_config_dir
from jargon import write_jargon

from embft.config import register
from embft.config.command_line import as_config
from embft.models.encoder import Encoder
from embft.models.vectors import read_query_map
from embft.pipeline import run_experiment
from embft.retrieval.vector_cache import VectorCache

CONFIGS = Path(__file__).parents[2] / "configs"
ROWS = {
    "gist": ["training.loss=gist"],
    "distillation": ["training.loss=distillation"],
    "symmetric": ["training.symmetric=true"],
}
"""Recipes that are one override: rows of the table in docs/training.md."""
RECIPES = sorted({path.stem for path in (CONFIGS / "training").glob("*.yaml")} - {"none"} | set(ROWS))
# The recipes are made for hundreds of long passages; here are 48 short ones.
EAGER = ["training.epochs=3", "training.batch_size=16", "training.dropout=0"]
EAGER_FOR = {
    "adapter": [],
    "lora": [*EAGER, "training.learning_rate=3e-3"],
    # 12 passages of a batch are about the same task: mining finds nothing harder.
    "cached": [*EAGER, "training.learning_rate=5e-4", "training.mini_batch=8"],
}

pytestmark = pytest.mark.slow
register()


@pytest.fixture(scope="module")
def place(tmp_path_factory, minilm_folder) -> Path:
    return tmp_path_factory.mktemp("learning")


@pytest.fixture(scope="module")
def run_of(place) -> Callable[[str], Path]:
    """From a recipe to the folder of a whole run, made once."""
    data = write_jargon(place / "data")

    @cache
    def run(recipe: str) -> Path:
        overrides = [
            *data, *ROWS.get(recipe, [f"training={recipe}"]), "retrieval=truncate", "tracking=local",
            f"cache_dir={place / 'cache'}",
            "evaluation.resamples=2000", *EAGER_FOR.get(recipe, [*EAGER, "training.learning_rate=5e-4"]),
        ]  # fmt: skip
        with initialize_config_dir(str(CONFIGS), version_base="1.3"):
            config = as_config(compose("config", overrides=overrides))
        run_experiment(config, place / recipe)
        return place / recipe

    return run


@pytest.mark.parametrize("recipe", RECIPES)
def test_it_learns(run_of, recipe):
    metrics = json.loads((run_of(recipe) / "metrics.json").read_text(encoding="utf-8"))
    (found,) = (
        row
        for row in metrics["comparisons"]
        if (row["system"], row["baseline"], row["metric"]) == ("tuned", "base", "ndcg@10")
    )
    print(recipe, metrics["systems"]["base"]["hit_rate@5"], metrics["systems"]["tuned"]["hit_rate@5"], found["ci95"])
    assert found["ci95"][0] > 0


FRESH = """
import json, pathlib, sys, numpy
from sentence_transformers import SentenceTransformer
for job in json.loads(pathlib.Path(sys.argv[1]).read_text()):
    model = SentenceTransformer(job["model"], device="cpu")
    questions, passages = model.encode_query(job["questions"]), model.encode_document(job["passages"])
    numpy.savez(job["found"], questions=questions, passages=passages)
"""


def some_texts(folder: Path) -> tuple[list[str], list[str]]:
    dev = json.loads((folder / "dataset" / "dev.json").read_text(encoding="utf-8"))
    return list(dev["queries"].values())[:4], list(dev["corpus"].values())[:4]


@pytest.fixture(scope="module")
def loaded(run_of, place) -> dict[str, Path]:
    """By recipe, the vectors of its model in another process, where embft cannot be imported."""
    jobs = []
    for recipe in RECIPES:
        folder = run_of(recipe)
        questions, passages = some_texts(folder)
        found = str(place / f"{recipe}.npz")
        jobs.append({"model": str(folder / "model"), "questions": questions, "passages": passages, "found": found})
    (place / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    done = in_fork(FRESH, str(place / "jobs.json"), cwd=place, environment=os.environ, embft="gone")
    assert done.returncode == 0, done.stderr[-3000:]
    return {recipe: place / f"{recipe}.npz" for recipe in RECIPES}


@pytest.mark.parametrize("recipe", RECIPES)
def test_its_model_loads_in_a_fresh_process_and_gives_the_same_vectors(run_of, loaded, recipe, minilm_folder):
    folder = run_of(recipe)
    questions, passages = some_texts(folder)
    training = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["training"]
    found = np.load(loaded[recipe])
    # What the model gave while it was trained, before it was saved.
    if training["part"] == "adapter":  # maps the base model's vectors, and leaves those of passages alone
        base = Encoder(minilm_folder, "base")
        mapped = read_query_map(folder / "model")(base.encode_questions(questions))
        np.testing.assert_allclose(found["questions"], mapped, atol=2e-6)
        np.testing.assert_allclose(found["passages"], base.encode_passages(passages), atol=2e-6)
        return
    vectors = VectorCache(folder.parent / "cache" / "vectors")
    identity = f"{training['fingerprint']}:own"

    def fail(texts):
        raise AssertionError(f"not embedded during training: {texts}")

    np.testing.assert_allclose(found["questions"], vectors.encode(identity, "", questions, fail), atol=2e-6)
    np.testing.assert_allclose(found["passages"], vectors.encode(identity, "", passages, fail), atol=2e-6)
