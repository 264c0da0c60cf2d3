"""Datasets that exist: any splits, what one loses to another, leaks, and training questions for those without."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from embft.config import DatasetConfig
from embft.dataset.beir import read_beir, write_beir
from embft.dataset.formats import read_llama_index, write_llama_index
from embft.dataset.leaks import leak_findings
from embft.dataset.reading import read_given
from embft.dataset.tables import read_table, write_table
from embft.dataset.training_questions import training_chunks, with_training_questions
from embft.errors import DatasetError
from embft.records import Question, RetrievalDataset

WORDS = ("tide bread chain hive paper clock gauge mill gate harbour " * 2 + "garden library lamp boat well").split()


def text(at: int) -> str:
    word = WORDS[at % len(WORDS)]
    return f"The {word} number {at} belongs to its keeper, who writes each {word} into the {word} ledger of {at * 37} rows {at}."


def folder(place: Path, docs: int = 30, **judged: list[tuple[str, str]]) -> DatasetConfig:
    (place / "qrels").mkdir()
    names = sorted({query for rows in judged.values() for query, _ in rows})
    (place / "corpus.jsonl").write_text(
        "\n".join(json.dumps({"_id": f"d{at}", "text": text(at)}) for at in range(docs))
    )
    (place / "queries.jsonl").write_text(
        "\n".join(json.dumps({"_id": name, "text": f"what of {name}?"}) for name in names)
    )
    for split, rows in judged.items():
        (place / "qrels" / f"{split}.tsv").write_text("".join(f"{query}\t{doc}\t1\n" for query, doc in rows))
    return DatasetConfig(name="beir", kind="beir", path=str(place))


def about(prefix: str, *docs: int) -> list[tuple[str, str]]:
    return [(f"{prefix}{doc}", f"d{doc}") for doc in docs]


def sizes(config: DatasetConfig) -> tuple[int, int, int]:
    splits = read_given(config, 42).splits
    return len(splits.train.queries), len(splits.dev.queries), len(splits.test.queries)


def test_a_test_split_alone_is_enough(tmp_path: Path) -> None:
    config = folder(tmp_path, test=about("q", 1, 2, 3))
    splits = read_given(config, 42).splits
    assert sizes(config) == (0, 0, 3)
    assert len(splits.searched("test").corpus) == 30


@pytest.mark.parametrize("name", ["dev", "val", "validation"])
def test_dev_has_several_names(tmp_path: Path, name: str) -> None:
    assert sizes(folder(tmp_path, test=about("q", 1), train=about("t", 2), **{name: about("v", 3)})) == (1, 1, 1)


def test_without_dev_a_part_of_train_is_dev(tmp_path: Path) -> None:
    assert sizes(folder(tmp_path, test=about("q", 1), train=about("t", *range(2, 22)))) == (17, 3, 1)


def test_what_train_loses_to_test_is_counted_and_said(tmp_path: Path) -> None:
    config = folder(tmp_path, test=about("q", 1, 2), dev=about("v", 9), train=[*about("t", 1, 2, 3), ("t3", "d9")])
    given = read_given(config, 42)
    assert len(given.splits.train.queries) == 0
    assert any(
        "3 of 3 train questions share relevant documents with test and dev questions" in note for note in given.notes
    )
    assert sizes(DatasetConfig(name="beir", kind="beir", path=str(tmp_path), train_on="all")) == (3, 1, 2)


def test_a_question_s_own_copy_is_left_out_and_an_equal_number_is_not(tmp_path: Path) -> None:
    config = folder(tmp_path, test=[("d1", "d2"), ("d3", "d4")])
    rows = [{"_id": "d1", "text": text(1)}, {"_id": "d3", "text": "an unrelated question, which counts from d3?"}]
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert read_given(config, 42).splits.searched("test").excluded == {"d1": ("d1",)}


def given_files(place: Path, train: list[tuple[str, str]], **settings: str) -> DatasetConfig:
    for name, rows in (("train", train), ("test", about("q", 20, 21, 22))):
        docs = range(10) if name == "train" else range(20, 25)
        corpus = {f"d{at}": text(at) for at in docs} | {key: text(int(key[1:])) for _, key in rows}
        part = RetrievalDataset({key: f"what of {key}?" for key, _ in rows}, corpus, {key: (doc,) for key, doc in rows})
        write_llama_index(place / f"{name}.json", part)
    paths = {name: str(place / f"{name}.json") for name in ("train", "test")}
    return DatasetConfig(name="llama_index", kind="llama_index", **paths, **settings)  # type: ignore[arg-type]


def test_a_leaking_question_is_dropped_counted_and_shown(tmp_path: Path) -> None:
    given = read_given(given_files(tmp_path, [*about("t", 1, 2, 3, 4, 5), ("leak", "d20")]), 42)
    assert "leak" not in {**given.splits.train.queries, **given.splits.dev.queries, **given.splits.origins}
    (said,) = given.notes
    assert said.startswith("1 of")
    assert "“what of leak?”" in said
    assert leak_findings(given.splits) == []


def test_leaks_may_stop_or_be_allowed(tmp_path: Path) -> None:
    for choice in ("stop", "allow"):
        given = read_given(given_files(tmp_path, [*about("t", 1, 2, 3, 4, 5), ("leak", "d20")], leaks=choice), 42)
        assert given.notes == ()
        assert [found.level for found in leak_findings(given.splits)] == ["blocking"]


def test_a_table_is_a_dataset_too(tmp_path: Path) -> None:
    config = given_files(tmp_path, about("t", 1, 2, 3, 4, 5, 6, 7, 8))
    write_table(tmp_path / "train.csv", {"train": read_llama_index(tmp_path / "train.json")})
    config.train = str(tmp_path / "train.csv")
    assert sum(sizes(config)[:2]) == 8


GRADED = RetrievalDataset(
    {"q1": "one?", "q2": "two?"},
    {"c1": "a", "c2": "b", "c3": "c"},
    {"q1": ("c1", "c2"), "q2": ("c3",)},
    {"q1": {"c2": 3}},
)


def test_grades_go_through_every_format(tmp_path: Path) -> None:
    write_llama_index(tmp_path / "a.json", GRADED)
    assert read_llama_index(tmp_path / "a.json") == GRADED
    write_beir(tmp_path, {"test": GRADED})
    assert read_beir(tmp_path, "test") == GRADED
    for suffix in ("jsonl", "csv", "parquet"):
        write_table(tmp_path / f"t.{suffix}", {"train": GRADED})
        assert read_table(tmp_path / f"t.{suffix}")["train"].grades == GRADED.grades


def made(chunks: list[str]) -> list[Question]:
    return [
        Question(f"m-{key}", f"what is written of {key} and its {at}?", (key,), "extractive", text(at))
        for at, key in enumerate(chunks)
    ]


@pytest.mark.parametrize("train_on", ["unasked", "all"])
def test_training_questions_are_about_the_chunks_that_are_allowed(tmp_path: Path, train_on: str) -> None:
    config = folder(tmp_path, test=about("q", 1, 2, 3))
    config.train_on = train_on
    given = read_given(config, 42).splits
    pages, chunks = training_chunks(given, config)
    assert len(pages) == len(chunks) == (27 if train_on == "unasked" else 30)
    splits, left_out = with_training_questions(given, made([chunk.id for chunk in chunks]), config, 42)
    assert left_out == {}
    assert len(splits.train.queries) + len(splits.dev.queries) == len(chunks)
    assert len(splits.dev.queries) == round(0.15 * len(chunks))
    assert len(splits.searched("test").corpus) == len(splits.searched("dev").corpus) == 30
    assert splits.shares_chunks == (train_on == "all")
    assert leak_findings(splits) == []
    assert bool(set(splits.test.corpus) & {*splits.train.corpus, *splits.dev.corpus}) == splits.shares_chunks


def test_the_same_question_leaks_even_where_chunks_are_shared(tmp_path: Path) -> None:
    config = folder(tmp_path, test=[("a", "d1")])
    (tmp_path / "queries.jsonl").write_text(json.dumps({"_id": "a", "text": "what is written of the tide number one?"}))
    config.train_on = "all"
    given = read_given(config, 42).splits
    copied = Question("m-copy", "what is written of the tide number one?", ("d1",), "openai")
    splits, left_out = with_training_questions(given, [*made([f"d{at}" for at in range(5, 30)]), copied], config, 42)
    assert "m-copy" not in {**splits.train.queries, **splits.dev.queries}
    assert sum(left_out.values()) == 1


def test_a_folder_without_test_says_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no test\.tsv but train\.tsv"):
        read_given(folder(tmp_path, train=about("t", 1)), 42)


def test_people_s_collections_are_read(nvidia_data: Path) -> None:
    for name, questions in (("cisi", 76), ("cacm", 52)):
        place = nvidia_data.parent / name
        if not place.is_dir():
            pytest.skip(f"no folder {place}")
        given = read_given(DatasetConfig(name="beir", kind="beir", path=str(place)), 42)
        assert (len(given.splits.test.queries), given.notes) == (questions, ())
