"""Whatever is swept, dev and test ask the same: their questions are fixed by what answers them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from embft.config import (
    CorpusConfig,
    DatasetConfig,
    EvaluationConfig,
    ExperimentConfig,
    ModelConfig,
    QuestionsConfig,
    RetrievalConfig,
    TrackingConfig,
    TrainingConfig,
)
from embft.errors import DatasetError
from embft.files import write_jsonl
from embft.records import RetrievalDataset
from embft.results import Dataset
from embft.runs.folder import RunFolder
from embft.stages import StageResult
from embft.steps.corpus import make_corpus
from embft.steps.dataset import make_dataset
from embft.steps.held_back import hold_back_questions
from embft.steps.questions import make_questions
from embft.steps.reading import read_corpus_documents
from embft.steps.workspace import Workspace

HUMAN = [
    {"question": "how do I leave a loop early", "evidence": "terminates the nearest enclosing loop"},
    {"question": "remove a name from a scope", "evidence": "Deletion of a name removes the binding of that name"},
    {"question": "check an assumption while debugging", "evidence": "convenient way to insert debugging assertions"},
    {
        "question": "skip the rest of this pass",
        "evidence": "continues with the next cycle of the nearest enclosing loop",
    },
    {"question": "a statement that does nothing", "evidence": "null operation"},
    {
        "question": "give a value back to the caller",
        "evidence": "leaves the current function call with the expression list",
    },
]


@pytest.fixture
def config(tmp_path: Path) -> ExperimentConfig:
    from pydoc_data.topics import topics

    docs = tmp_path / "docs"
    docs.mkdir()
    for name in (
        "assert",
        "break",
        "continue",
        "del",
        "for",
        "if",
        "import",
        "pass",
        "raise",
        "return",
        "try",
        "while",
    ):
        (docs / f"{name}.txt").write_text(topics[name][:3000], encoding="utf-8")
    return ExperimentConfig(
        corpus=CorpusConfig(name="files", path=str(docs)),
        questions=QuestionsConfig(name="extractive"),
        dataset=DatasetConfig(name="generated", block_pages=1),
        model=ModelConfig(name="none"),
        training=TrainingConfig(name="default"),
        retrieval=RetrievalConfig(name="windows"),
        evaluation=EvaluationConfig(name="default"),
        tracking=TrackingConfig(name="local"),
        cache_dir=str(tmp_path / "cache"),
    )


def changed(config: ExperimentConfig, **values: Any) -> ExperimentConfig:
    """The configuration with other values, by ``group__key``."""
    for name, value in values.items():
        group, _, key = name.partition("__")
        if not key:
            config = replace(config, **{group: value})
        elif key.startswith("test__"):
            test = replace(config.questions.test, **{key.removeprefix("test__"): value})
            config = replace(config, questions=replace(config.questions, test=test))
        else:
            config = replace(config, **{group: replace(getattr(config, group), **{key: value})})
    return config


def dataset_of(config: ExperimentConfig) -> StageResult[Dataset]:
    workspace = Workspace(config, Path(config.cache_dir))
    reading = read_corpus_documents(workspace)
    corpus = make_corpus(workspace, reading)
    asked = hold_back_questions(workspace, reading, corpus)
    return make_dataset(workspace, corpus, asked, make_questions(workspace, corpus, asked))


def held(dataset: StageResult[Dataset]) -> dict[str, dict[str, str]]:
    return {name: dict(getattr(dataset.value.splits, name).queries) for name in ("dev", "test")}


def evidence_is_held_by(part: RetrievalDataset, chunks: dict[str, str], quotes: dict[str, str]) -> bool:
    return all(
        any(" ".join(quotes[text].split()) in " ".join(chunks[key].split()) for key in part.relevant_docs[question_id])
        for question_id, text in part.queries.items()
    )


@pytest.mark.parametrize(
    "values",
    [
        {"questions__per_chunk": 1},
        {"questions__per_chunk": 4},
        {"seed": 7},
        {"corpus__chunk_tokens": 64},
        {"corpus__chunk_tokens": 128, "corpus__chunk_overlap": 32},
        {"training__enabled": False},
    ],
    ids=str,
)
def test_written_questions_stay(config: ExperimentConfig, values: dict[str, Any]) -> None:
    first, other = dataset_of(config), dataset_of(changed(config, **values))
    assert held(first) == held(other)
    assert first.value.report.asked == other.value.report.asked
    # No chunk that trains holds anything of what is held back.
    splits = other.value.splits
    assert not set(splits.train.corpus) & {key for ids in splits.test.relevant_docs.values() for key in ids}
    assert not set(splits.train.corpus) & set(splits.test.corpus)


def test_another_split_or_another_writer_asks_others(config: ExperimentConfig) -> None:
    first = held(dataset_of(config))
    assert held(dataset_of(changed(config, dataset__seed=7))) != first
    assert held(dataset_of(changed(config, questions__test__per_chunk=1)))["test"].items() < first["test"].items()


@pytest.mark.parametrize("tokens", [32, 64, 128, 512])
def test_people_s_questions_stay_and_their_evidence_is_found_in_the_new_chunks(
    config: ExperimentConfig, tmp_path: Path, tokens: int
) -> None:
    write_jsonl(tmp_path / "human.jsonl", HUMAN)
    own = changed(config, questions__human=str(tmp_path / "human.jsonl"))
    first, other = dataset_of(own), dataset_of(changed(own, corpus__chunk_tokens=tokens))
    assert held(first) == held(other)
    assert sum(len(asked) for asked in held(first).values()) == len(HUMAN)
    quotes = {str(row["question"]): str(row["evidence"]) for row in HUMAN}
    splits = other.value.splits
    if tokens >= 64:  # smaller chunks may cut a quote in two
        for part in (splits.dev, splits.test):
            assert evidence_is_held_by(part, splits.searched("test").corpus, quotes)
    assert set(splits.evidence) == {*splits.dev.queries, *splits.test.queries}


def test_documents_are_read_once_for_chunks_of_any_size(config: ExperimentConfig) -> None:
    for number, tokens in enumerate((64, 128, 256)):
        workspace = Workspace(changed(config, corpus__chunk_tokens=tokens), Path(config.cache_dir))
        assert read_corpus_documents(workspace).cached == (number > 0)


def run_of(dataset: StageResult[Dataset], config: ExperimentConfig, folder: Path) -> Path:
    RunFolder(folder, config, command="", choices={}).copy_dataset(dataset.folder)
    return folder


def test_a_run_takes_another_run_s_test_though_its_pages_were_read_another_way(
    config: ExperimentConfig, tmp_path: Path
) -> None:
    first = dataset_of(config)
    run = run_of(first, config, tmp_path / "run")
    for file in (tmp_path / "docs").glob("*.txt"):
        file.write_text("Another first paragraph.\n\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    moved = changed(config, corpus__chunk_tokens=128)
    assert held(dataset_of(moved)) != held(first)
    for source in (run, run / "dataset" / "held_back.jsonl", run / "dataset"):
        other = dataset_of(changed(moved, dataset__test_from=str(source)))
        assert held(other) == held(first)
        assert other.value.report.asked == first.value.report.asked
        assert other.value.report.left_out == {}


def test_a_run_of_an_older_version_lends_its_test_too(config: ExperimentConfig, tmp_path: Path) -> None:
    first = dataset_of(config)
    run = run_of(first, config, tmp_path / "run")
    (run / "dataset" / "held_back.jsonl").unlink()
    for source in (run, run / "dataset" / "test.json"):
        assert held(dataset_of(changed(config, dataset__test_from=str(source)))) == held(first)


def test_a_test_of_another_corpus_is_refused(config: ExperimentConfig, tmp_path: Path) -> None:
    run = run_of(dataset_of(config), config, tmp_path / "run")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.txt").write_text("Tides come and go. " * 40, encoding="utf-8")
    other = changed(config, corpus__path=str(tmp_path / "other"), dataset__test_from=str(run))
    with pytest.raises(DatasetError, match=r"dataset\.test_from=.*none of its \d+ test questions has its place"):
        dataset_of(other)


@pytest.mark.parametrize(
    "content", ["{}\n", '{"split": "test", "nonsense": 1}\n', '{"split": "train"}\n', "not json\n"]
)
def test_a_file_that_is_none_is_named(config: ExperimentConfig, tmp_path: Path, content: str) -> None:
    (tmp_path / "x.jsonl").write_text(content, encoding="utf-8")
    with pytest.raises(DatasetError, match=r"dataset\.test_from=.*is not what a run leaves"):
        dataset_of(changed(config, dataset__test_from=str(tmp_path / "x.jsonl")))
    with pytest.raises(DatasetError, match=r"dataset\.test_from=.*is no run: give"):
        dataset_of(changed(config, dataset__test_from=str(tmp_path / "nowhere")))


def test_what_is_held_back_is_a_file_that_says_where_the_answers_stand(config: ExperimentConfig) -> None:
    dataset = dataset_of(config)
    rows = [json.loads(line) for line in (dataset.folder / "held_back.jsonl").read_text(encoding="utf-8").splitlines()]
    questions = [row for row in rows if "text" in row]
    assert {row["split"] for row in questions} == {"dev", "test"}
    assert all(row["places"][0][0]["text"] for row in questions)
    assert any("stretch" in row for row in rows)
