"""``corpus.context=auto``: dev questions that people asked say whether titles stand before the chunks."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random

import pytest
from hydra import compose, initialize_config_dir

from embft.config import register
from embft.config.command_line import as_config
from embft.pipeline import run_experiment

sys.path.append(str(Path(__file__).parents[1] / "training"))
from tiny_bert import save_tiny_bert

CONFIGS = str(Path(__file__).parents[2] / "configs")
FIRMS = ("apple", "ball", "crane", "delta", "eagle", "frost", "globe", "heron")
FACTS = (
    "revenue rose by nine percent",
    "the board met in spring",
    "debt fell in the third quarter",
    "two plants were sold",
)
WORDS = (
    "amber",
    "bolt",
    "cedar",
    "dune",
    "ember",
    "fjord",
    "grain",
    "hinge",
    "ivory",
    "jade",
    "kelp",
    "lime",
    "moss",
    "nut",
)
BM25_ALONE = ("evaluation.systems=[bm25]", "evaluation.objective=bm25/ndcg@10")
register()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Filings that say the same, each of another firm, which only the file's name says; a question about each fact."""
    root = tmp_path_factory.mktemp("auto")
    said = {word for fact in FACTS for word in fact.split()} | {"in", "this", "year", "annual", "report"}
    save_tiny_bert(root / "model", (*FIRMS, *WORDS, *sorted(said)), layers=1, width=64)
    (root / "docs").mkdir()
    rows, random = [], Random(3)
    for firm in FIRMS:
        lines = [f"In this year {fact}, {' '.join(random.choices(WORDS, k=12))}." for fact in FACTS]
        (root / "docs" / f"{firm} annual report.txt").write_text("\n\n".join(lines), encoding="utf-8")
        rows += [
            {"question": f"{firm} annual report: {fact}?", "document": f"{firm} annual report.txt", "evidence": line}
            for fact, line in zip(FACTS, lines, strict=True)
        ]
    (root / "questions.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return root


def metrics_of(root: Path, name: str, *overrides: str) -> dict:
    common = [
        f"corpus.path={root / 'docs'}", "corpus=files", "corpus.chunk_tokens=32", f"model.path={root / 'model'}",
        "tracking=local", f"cache_dir={root / 'cache'}", "evaluation.resamples=100", "training=none", "evaluation=base_only",
        "evaluation.systems=[base]", "questions.per_chunk=1", "dataset.dev_fraction=0.4",
    ]  # fmt: skip
    with initialize_config_dir(CONFIGS, version_base="1.3"):
        config = as_config(compose("config", overrides=[*common, *overrides]))
    run_experiment(config, root / name)
    return json.loads((root / name / "metrics.json").read_text(encoding="utf-8"))


def test_titles_stand_before_chunks_where_dev_says_so(place: Path) -> None:
    human = f"questions.human={place / 'questions.jsonl'}"
    metrics = metrics_of(place, "auto", human, "corpus.context=auto")
    [file] = (place / "cache" / "stages" / "context_choice").glob("*/choice.json")
    choice = json.loads(file.read_text(encoding="utf-8"))
    assert choice["means"]["title"] > choice["means"]["none"] + 0.1, "nothing else says whose a chunk is"
    assert choice["kind"] == metrics["dataset"]["context"]["kind"] == "title"
    [note] = [note["text"] for note in metrics["notes"] if "corpus.context=auto" in note["text"]]
    assert note.startswith("Titles stand before the chunks: on ")
    without = metrics_of(place, "none", human)
    assert without["dataset"]["context"] is None
    assert metrics["systems"]["base"]["ndcg@10"] > without["systems"]["base"]["ndcg@10"]


def test_questions_from_the_chunks_choose_nothing(place: Path) -> None:
    metrics = metrics_of(place, "extractive", "corpus.context=auto")
    assert metrics["dataset"]["context"] is None
    assert (
        why_untried(metrics)
        == "no dev questions were asked by people, and those written from a chunk ask for what it says."
    )


def test_without_a_model_or_without_titles_that_differ_nothing_is_tried(place: Path, tmp_path: Path) -> None:
    human = f"questions.human={place / 'questions.jsonl'}"
    metrics = metrics_of(
        place, "bm25", human, "corpus.context=auto", "evaluation.systems=[bm25]", "evaluation.objective=bm25/ndcg@10"
    )
    assert why_untried(metrics) == "evaluation.systems names no system with a model."
    one = tmp_path / "docs" / "all reports.txt"
    one.parent.mkdir()
    texts = [file.read_text(encoding="utf-8") for file in sorted((place / "docs").iterdir())]
    one.write_text("\n\n".join(texts), encoding="utf-8")
    metrics = metrics_of(place, "one", "corpus.context=auto", f"corpus.path={one.parent}")
    assert why_untried(metrics) == "fewer than two documents have titles of their own."


def why_untried(metrics: dict) -> str:
    """What the report says of it."""
    [note] = [note["text"] for note in metrics["notes"] if "corpus.context=auto" in note["text"]]
    start = "Titles were not tried, and do not stand before the chunks (corpus.context=auto): "
    assert note.startswith(start)
    return note[len(start) :]
