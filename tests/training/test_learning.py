"""Every recipe in configs/training learns a small real problem, and what it saves loads anywhere."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from jargon import write_jargon

from embft.config import register
from embft.models.encoder import Encoder
from embft.overrides import as_config
from embft.pipeline import run_experiment
from embft.retrieval.vector_cache import VectorCache
from embft.training.adapter_model import read_query_map

CONFIGS = Path(__file__).parents[2] / "configs"
RECIPES = sorted({path.stem for path in (CONFIGS / "training").glob("*.yaml")} - {"none"})
# The recipes are made for hundreds of long passages; here are 48 short ones.
EAGER = ["training.epochs=4", "training.batch_size=16", "training.dropout=0"]
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


@pytest.fixture(scope="module", params=RECIPES)
def run(request, place) -> tuple[str, Path]:
    recipe = request.param
    overrides = [
        *write_jargon(place / "data"), f"training={recipe}", "retrieval=truncate", "tracking=local",
        f"cache_dir={place / 'cache'}", "evaluation.resamples=2000",
        *EAGER_FOR.get(recipe, [*EAGER, "training.learning_rate=5e-4"]),
    ]  # fmt: skip
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = as_config(compose("config", overrides=overrides))
    run_experiment(config, place / recipe)
    return recipe, place / recipe


def test_it_learns(run):
    recipe, folder = run
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    (found,) = (
        row
        for row in metrics["comparisons"]
        if (row["system"], row["baseline"], row["metric"]) == ("tuned", "base", "ndcg@10")
    )
    print(recipe, metrics["systems"]["base"]["hit_rate@5"], metrics["systems"]["tuned"]["hit_rate@5"], found["ci95"])
    assert found["ci95"][0] > 0


FRESH = """
import sys, numpy
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu")
assert not any(name.split(".")[0] == "embft" for name in sys.modules)
numpy.savez(sys.argv[2], questions=model.encode_query(sys.argv[3::2]), passages=model.encode_document(sys.argv[4::2]))
"""


def test_its_model_loads_in_a_fresh_process_and_gives_the_same_vectors(run, tmp_path, minilm_folder):
    _, folder = run
    dev = json.loads((folder / "dataset" / "dev.json").read_text(encoding="utf-8"))
    training = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["training"]
    questions = list(dev["queries"].values())[:4]
    passages = list(dev["corpus"].values())[:4]
    pairs = [text for pair in zip(questions, passages, strict=True) for text in pair]
    subprocess.run([sys.executable, "-c", FRESH, folder / "model", tmp_path / "found.npz", *pairs], check=True)
    found = np.load(tmp_path / "found.npz")
    # What the model gave while it was trained, before it was saved.
    cache = VectorCache(folder.parent / "cache" / "vectors.sqlite")
    if training["part"] == "adapter":  # maps the base model's vectors, and leaves those of passages alone
        base = Encoder(minilm_folder, "base")
        mapped = read_query_map(folder / "model")(base.encode_questions(questions))
        np.testing.assert_allclose(found["questions"], mapped, atol=2e-6)
        np.testing.assert_allclose(found["passages"], base.encode_passages(passages), atol=2e-6)
        return
    identity = f"{training['fingerprint']}:own"

    def fail(texts):
        raise AssertionError(f"not embedded during training: {texts}")

    np.testing.assert_allclose(found["questions"], cache.encode(identity, "", questions, fail), atol=2e-6)
    np.testing.assert_allclose(found["passages"], cache.encode(identity, "", passages, fail), atol=2e-6)
