"""Every layout of model with every recipe: trained, saved, loaded by others, and the same vectors to 1e-5."""

from __future__ import annotations

import json
import os
import random
import subprocess
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import yaml
from forks import in_fork
from layouts import WORDS, save_layout, save_multi_vector, save_static
from tiny import make_lab, tune

from embft.config import RetrievalConfig
from embft.errors import ModelError
from embft.models.encoder import Encoder
from embft.models.fit import check_fit
from embft.models.folder_check import check_folder
from embft.models.token_vectors import token_vectors
from embft.models.trial import try_model
from embft.records import RetrievalDataset, Splits
from embft.retrieval.embedder import Embedder
from embft.retrieval.vector_cache import VectorCache
from embft.steps.training import tuned_embedder

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
OTHERS = "EMBFT_OTHER_VERSIONS"
"""Pythons that have other versions of sentence-transformers, with a colon between them."""
ENVIRONMENTS = Path(os.environ.get("EMBFT_ENVIRONMENTS", ROOT / ".environments"))
"""Where environments of others are looked for besides."""
QUERY, DOCUMENT = "query: ", "passage: "
MATRIX = (
    "qwen3",
    "gemma3",
    "modernbert",
    "xlm-r",
    "mpnet",
    "distilbert",
    "bert",
    "bert-dense",
    "static",
    "multi-vector",
)


@dataclass(frozen=True)
class Recipe:
    """A file of configs/training, shrunk to tiny models, and how chunks are searched."""

    training: str = "default"
    mode: str = "windows"
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        """What a run with it would have, but for its size."""
        written = yaml.safe_load((ROOT / "configs" / "training" / f"{self.training}.yaml").read_text())
        asked = {key: value for key, value in written.items() if key not in ("name", "defaults")}
        return {
            **asked,
            "epochs": 1,
            "batch_size": 6,
            "learning_rate": 1e-2,
            "frozen_share": asked.get("frozen_share"),
            **self.changes,
        }


SAVES = {"static": save_static, "multi-vector": save_multi_vector}
RECIPES = {
    "default": Recipe(),
    "fast": Recipe("fast"),
    "lora": Recipe("lora", changes={"lora_rank": 2}),
    "adapter": Recipe("adapter"),
    "matryoshka": Recipe("matryoshka", changes={"matryoshka": [8, 4]}),
    "gist": Recipe(changes={"loss": "gist"}),
    "cached": Recipe("cached", changes={"mini_batch": 5}),
    "truncate": Recipe(mode="truncate"),
    "late": Recipe(mode="late"),
}

REFUSED = {
    ("static", "fast"): "which has no layers to freeze",
    ("static", "lora"): "which has no linear layers",
    ("static", "late"): "retrieval=late needs a transformer",
    ("multi-vector", "adapter"): "training.part=adapter maps those of texts",
    ("multi-vector", "truncate"): "add retrieval=late",
}
"""What is said of combinations that make no sense. A model of token vectors takes all other recipes with retrieval=late."""

LOADS = """
import json, sys
from pathlib import Path
import numpy as np
import sentence_transformers
from sentence_transformers import SentenceTransformer

new = int(sentence_transformers.__version__.split(".")[0]) >= 5

def vectors_of(model, texts, task):
    if new:
        return (model.encode_query if task == "query" else model.encode_document)(texts)
    return model.encode(texts, prompt_name=task)

def own_tokens_of(model, texts, task):
    return np.concatenate((model.encode_query if task == "query" else model.encode_document)(texts, convert_to_numpy=True))

def tokens_of(model, texts, task):
    prompt, rows = model.prompts[task], []
    for text in texts:
        vectors = model.encode([text], prompt=prompt, output_value="token_embeddings")[0].cpu().numpy()
        spans = model.tokenizer(prompt + text, truncation=True, max_length=model.max_seq_length, return_offsets_mapping=True)
        own = vectors[[end > len(prompt) for _, end in spans["offset_mapping"]]]
        rows.append(own / np.linalg.norm(own, axis=1, keepdims=True))
    return np.concatenate(rows)

for folder in map(Path, sys.argv[1:]):
    wanted = json.loads((folder.parent / "ranked.json").read_text())
    many = json.loads((folder / "config_sentence_transformers.json").read_text()).get("model_type") == "MultiVectorEncoder"
    static = json.loads((folder / "modules.json").read_text())[0]["type"].endswith("StaticEmbedding")
    if (wanted["two_ways"] or static) and not new or many and not hasattr(sentence_transformers, "MultiVectorEncoder"):
        continue
    model = (sentence_transformers.MultiVectorEncoder if many else SentenceTransformer)(str(folder), device="cpu")
    for task, texts in wanted["texts"].items():
        got = (own_tokens_of if many else tokens_of if wanted["late"] else vectors_of)(model, texts, task)
        distance = float(np.abs(got - np.array(wanted["vectors"][task])).max())
        assert distance <= 1e-5, (sentence_transformers.__version__, str(folder), task, distance)
        print(folder, task, "is the same")
"""


@dataclass(frozen=True)
class Cell:
    """A model that was tuned.

    Attributes:
        folder: The saved model; beside it ranked.json, the vectors of the test split as they were ranked.
        moved: The largest change of a number of a vector by the training.
    """

    folder: Path
    moved: float


@cache
def place() -> Path:
    keeper = TemporaryDirectory(prefix="embft-matrix-")
    PLACES.append(keeper)
    return Path(keeper.name)


PLACES: list[TemporaryDirectory[str]] = []


@cache
def splits() -> Splits:
    dice = random.Random(5)
    parts = {}
    for name, count in (("train", 30), ("dev", 0), ("test", 4)):
        corpus = {f"{name}{at}": " ".join(dice.sample(WORDS, 8)) for at in range(count)}
        queries = {f"{key}-q": " ".join(dice.sample(text.split(), 3)) for key, text in corpus.items()}
        parts[name] = RetrievalDataset(queries, corpus, {f"{key}-q": (key,) for key in corpus})
    return Splits(**parts, distractors={}, searches=dict.fromkeys(("dev", "test"), Splits.EVERYTHING), origins={})


def base_of(layout: str, mode: str) -> Embedder:
    folder = place() / layout / "base"
    if new := not folder.exists():
        SAVES.get(layout, partial(save_layout, layout))(folder)
    retrieval = RetrievalConfig(name=mode, mode=mode, window_tokens=16, window_overlap=0 if mode == "late" else 4)
    encoder = Encoder(folder / "model", layout, query_prompt=QUERY, document_prompt=DOCUMENT)
    if new:
        try_model(encoder)
    return Embedder(encoder, retrieval, VectorCache(place() / layout / "vectors.sqlite"))


def ranked(embedder: Embedder) -> dict[str, Any]:
    """The vectors of the test split as they are ranked."""
    searched = splits().searched("test")
    texts = {"query": list(searched.queries.values()), "document": list(embedder.passages(searched.indexed).texts)[:12]}
    late = embedder.retrieval.mode == "late"
    if late:
        encoder = embedder.open_model
        vectors = {
            task: token_vectors(encoder, encoder.model, asked, queries=task == "query").vectors
            for task, asked in texts.items()
        }
    else:
        vectors = dict(zip(texts, embedder.pair_vectors(*texts.values()), strict=True))
    return {"texts": texts, "vectors": {task: rows.tolist() for task, rows in vectors.items()}, "late": late}


@cache
def cell(layout: str, name: str) -> Cell:
    """Trains; what cannot work is refused as a run refuses it."""
    recipe = RECIPES[name]
    base = base_of(layout, "late" if layout == "multi-vector" and name != "truncate" else recipe.mode)
    lab = make_lab(place() / layout / name, base, **recipe.settings)
    check_fit(layout, check_folder(layout, base.open_model.folder).kind, lab.config)
    tuned = tune(place() / layout / name, base, splits(), **recipe.settings).value
    embedder = tuned_embedder(base, tuned)
    figures = ranked(embedder)
    before = ranked(base)
    where = tuned.folder.parent / "ranked.json"
    where.write_text(json.dumps({**figures, "two_ways": recipe.settings.get("part") == "adapter"}))
    moved = max(
        float(np.abs(np.array(figures["vectors"][task]) - np.array(before["vectors"][task])).max())
        for task in figures["texts"]
    )
    return Cell(tuned.folder, moved)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("layout", MATRIX)
def test_a_model_of_this_layout_is_trained_by_this_recipe(layout, recipe):
    if sentence := REFUSED.get((layout, recipe)):
        with pytest.raises(ModelError, match=sentence) as refused:
            cell(layout, recipe)
        assert len(str(refused.value).splitlines()) == 1
    else:
        assert cell(layout, recipe).moved > 1e-3


@pytest.mark.parametrize("layout", MATRIX)
def test_a_fresh_process_gives_the_vectors_that_were_ranked(layout):
    folders = [str(cell(layout, recipe).folder) for recipe in RECIPES if (layout, recipe) not in REFUSED]
    done = in_fork(LOADS, *folders, cwd=place(), environment={**os.environ, "HF_HUB_OFFLINE": "1"}, embft="gone")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("is the same") == 2 * len(folders)


def pythons() -> list[str]:
    found = sorted(map(str, ENVIRONMENTS.glob("sentence-transformers-*/bin/python")))
    return [*filter(None, os.environ.get(OTHERS, "").split(":")), *found]


@pytest.mark.skipif(not pythons(), reason=f"set {OTHERS} to Pythons with other versions of sentence-transformers")
def test_other_versions_of_sentence_transformers_give_the_vectors_that_were_ranked():
    cells = [(layout, recipe) for layout in MATRIX for recipe in RECIPES if (layout, recipe) not in REFUSED]
    folders = [str(cell(*one).folder) for one in cells]
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for python in pythons():
        done = subprocess.run([python, "-c", LOADS, *folders], capture_output=True, text=True, env=clean, cwd=place())
        assert done.returncode == 0, done.stderr
        known = [one for one in cells if one[0] != "multi-vector"]
        in_old = [one for one in known if one[0] != "static" and one[1] != "adapter"]
        assert done.stdout.count("is the same") in (2 * len(known), 2 * len(in_old))


NAMES = {
    "qwen3": "Qwen3: last token, padding on the left",
    "gemma3": "EmbeddingGemma: two dense layers",
    "modernbert": "ModernBERT",
    "xlm-r": "XLM-R: bge-m3, e5, arctic_large",
    "mpnet": "MPNet",
    "distilbert": "DistilBERT",
    "bert": "BERT, first token: bge, arctic",
    "bert-dense": "BERT, mean, a dense layer",
    "static": "static table",
    "multi-vector": "token vectors, with `retrieval=late`",
}


def table() -> list[str]:
    """The matrix in Markdown, with what is said of cells that are refused."""
    sentences = list(REFUSED.values())
    rows = [
        " | ".join(
            ["", NAMES[layout]]
            + [
                f"no ({sentences.index(said) + 1})" if (said := REFUSED.get((layout, name))) else "yes"
                for name in RECIPES
            ]
            + [""]
        ).strip()
        for layout in MATRIX
    ]
    notes = [f'{number}. "... {sentence} ..."' for number, sentence in enumerate(sentences, 1)]
    return [f"| layout | {' | '.join(RECIPES)} |", "| --- |" + " --- |" * len(RECIPES), *rows, "", *notes]


def test_the_page_on_models_has_this_matrix():
    page = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    begin, end = "<!-- matrix: begin -->\n", "\n<!-- matrix: end -->"
    assert page.partition(begin)[2].partition(end)[0].strip().splitlines() == table()
