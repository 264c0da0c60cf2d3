"""A run with contexts: what is embedded, indexed, trained on and handed over has them; texts, questions and quotes do not."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from pydoc_data.topics import topics

import pytest
from hydra import compose, initialize_config_dir

from embft.config import register
from embft.config.command_line import as_config
from embft.config.problems import problems
from embft.config.usage import unused_problems
from embft.dataset.formats import read_beir, read_llama_index, write_beir
from embft.pipeline import run_experiment
from embft.records import RetrievalDataset

sys.path.append(str(Path(__file__).parents[1] / "training"))
from tiny_bert import save_tiny_bert

CONFIGS = str(Path(__file__).parents[2] / "configs")
register()


def composed(*overrides: str):
    with initialize_config_dir(CONFIGS, version_base="1.3"):
        return as_config(compose("config", overrides=list(overrides)))


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Path]:
    """The same documents with the title and headings of each chunk, and without."""
    root = tmp_path_factory.mktemp("contexts")
    save_tiny_bert(root / "model")
    docs = root / "docs"
    docs.mkdir()
    for name in (
        "assert",
        "break",
        "del",
        "for",
        "global",
        "if",
        "import",
        "lambda",
        "pass",
        "raise",
        "return",
        "while",
    ):
        (docs / f"{name}.txt").write_text(topics[name][:1500], encoding="utf-8")
    common = [
        "corpus=files", f"corpus.path={docs}", "corpus.chunk_tokens=64", f"model.path={root / 'model'}", "tracking=local",
        f"cache_dir={root / 'cache'}", "evaluation.resamples=100", "dataset.block_pages=1",
        "retrieval.window_tokens=24", "retrieval.window_overlap=4",
    ]  # fmt: skip
    untrained = [
        "training=none",
        "evaluation=base_only",
        "evaluation.systems=[bm25]",
        "evaluation.objective=bm25/ndcg@10",
    ]
    run_experiment(
        composed(*common, "training.epochs=1", "training.batch_size=4", "corpus.context=headings"), root / "headings"
    )
    run_experiment(composed(*common, *untrained), root / "none")
    return {kind: root / kind for kind in ("none", "headings")}


@pytest.mark.slow
def test_texts_and_questions_stay_what_they_are(runs):
    plain, with_headings = (read_llama_index(runs[kind] / "dataset" / "test.json") for kind in ("none", "headings"))
    assert with_headings.corpus == plain.corpus
    assert with_headings.queries == plain.queries
    assert plain.contexts == {}
    assert set(with_headings.contexts) == set(with_headings.corpus)
    assert all(context.startswith(("The ", "Lambdas")) for context in with_headings.contexts.values())
    assert len(list((runs["none"].parent / "cache" / "stages" / "questions").glob("[!.]*"))) == 1, (
        "written once for both"
    )


def test_the_run_hands_over_the_contexts_of_all_that_is_searched(runs):
    contexts = json.loads((runs["headings"] / "dataset" / "contexts.json").read_text(encoding="utf-8"))
    for part in ("train", "dev", "test"):
        assert set(read_llama_index(runs["headings"] / "dataset" / f"{part}.json").corpus) <= set(contexts)
    assert json.loads((runs["none"] / "dataset" / "contexts.json").read_text(encoding="utf-8")) == {}


def test_the_cost_is_counted_and_shown(runs):
    metrics = {kind: json.loads((runs[kind] / "metrics.json").read_text(encoding="utf-8")) for kind in runs}
    assert metrics["none"]["dataset"]["context"] is None
    context = metrics["headings"]["dataset"]["context"]
    assert (context["kind"], context["chunks"]) == ("headings", sum(metrics["none"]["dataset"]["chunks"].values()))
    assert context["tokens"] > context["chunks"]
    assert "context" in metrics["headings"]["timings"]


def test_report_and_card_show_the_context_apart(runs):
    page = (runs["headings"] / "report.html").read_text(encoding="utf-8")
    assert "What stands before each chunk" in page
    data = json.loads(re.search(r"<script[^>]*application/json[^>]*>(.*?)</script>", page, re.DOTALL)[1])
    assert len(data["contexts"]) == len(data["passages"])
    assert all(context.startswith(("The ", "Lambdas")) for context in data["contexts"])
    assert not any("<" in context for context in data["contexts"])
    card = (runs["headings"] / "model" / "README.md").read_text(encoding="utf-8")
    assert "its document's title and headings" in card
    assert "embedded_text(context, text)" in card


def test_a_datasets_file_brings_its_contexts_into_another_run(runs, tmp_path):
    data = runs["headings"] / "dataset"
    config = composed(
        "dataset=llama_index", f"dataset.train={data / 'train.json'}", f"dataset.test={data / 'test.json'}", "training=none",
        "evaluation=base_only", "evaluation.systems=[bm25]", "evaluation.objective=bm25/ndcg@10",
        f"model.path={runs['none'].parent / 'model'}", "tracking=local",
        f"cache_dir={tmp_path / 'cache'}", "dataset.leaks=allow", "dataset.dev_fraction=0", "evaluation.resamples=100",
    )  # fmt: skip
    run_experiment(config, tmp_path / "run")
    context = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))["dataset"]["context"]
    assert context["kind"] == "given"


def test_beir_titles_are_contexts_where_that_is_asked_for(tmp_path):
    dataset = RetrievalDataset({"q": "who?"}, {"a": "one two", "b": "three"}, {"q": ("a",)}, contexts={"a": "Acme"})
    write_beir(tmp_path, {"test": dataset})
    assert read_beir(tmp_path, "test").corpus == {"a": "Acme one two", "b": "three"}
    from embft.dataset.beir import read_beir_folder

    apart = read_beir_folder(tmp_path, titles_apart=True)["test"]
    assert (apart.corpus, apart.contexts) == (dataset.corpus, {"a": "Acme"})


def test_what_cannot_be_is_refused_in_words():
    (problem,) = problems(composed("corpus.context=llm"))
    assert "questions=extractive asks none" in problem
    (problem,) = problems(composed("dataset=beir", "dataset.path=x", "corpus.context=headings"))
    assert "take title" in problem
    given = composed("dataset=llama_index", "dataset.train=a", "dataset.test=b", "corpus.context=title")
    assert "contexts of their own" in unused_problems(["corpus.context"], [given])["corpus.context"]
