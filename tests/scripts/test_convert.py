"""Every format to every other and back, on made-up data and on the published dataset."""

from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path

import pytest

from embft.dataset.convert import read_any
from embft.dataset.formats import read_llama_index, write_llama_index
from embft.records import RetrievalDataset

_spec = importlib.util.spec_from_file_location("convert", Path(__file__).parents[2] / "scripts" / "convert.py")
assert _spec
assert _spec.loader
convert = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(convert)

TRAIN = RetrievalDataset(
    {"q1": "什么是民法典？", "q2": 'a "quoted", question\nof two lines'},
    {"c1": "民法典自2021年1月1日起施行。", "c2": "a passage, with commas", "c3": "民法典共七编"},
    {"q1": ("c1", "c3"), "q2": ("c2",)},
)
TEST = RetrievalDataset({"q3": "=cmd"}, {"c4": "unasked", "c5": "asked"}, {"q3": ("c5",)})


@pytest.fixture
def run_dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "dataset"
    folder.mkdir()
    write_llama_index(folder / "train.json", TRAIN)
    write_llama_index(folder / "test.json", TEST)
    return folder


@pytest.mark.parametrize("arguments", [["out"], ["out", "--to", "datasets"], ["out", "--to", "llama_index"]], ids=str)
def test_folders_lose_nothing(run_dataset: Path, tmp_path: Path, arguments: list[str]) -> None:
    name, *options = arguments
    assert convert.main([str(run_dataset), str(tmp_path / name), *options]) == 0
    assert convert.main([str(tmp_path / name), str(tmp_path / "back"), "--to", "llama_index"]) == 0
    found = {split: read_llama_index(tmp_path / "back" / f"{split}.json") for split in ("train", "test")}
    for split, part in (("train", TRAIN), ("test", TEST)):
        assert found[split].queries == part.queries
        assert found[split].relevant_docs == part.relevant_docs
        assert part.corpus.items() <= found[split].corpus.items()  # a BEIR corpus is shared


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_tables_keep_questions_and_their_passages(run_dataset: Path, tmp_path: Path, suffix: str) -> None:
    table = tmp_path / f"triples{suffix}"
    assert convert.main([str(run_dataset), str(table)]) == 0
    found = read_any(table)
    assert (found["train"].queries, found["train"].relevant_docs) == (TRAIN.queries, TRAIN.relevant_docs)
    assert found["test"].relevant_docs == TEST.relevant_docs
    assert found["test"].corpus == TEST.corpus  # the negative brought the other chunk along


def test_a_triple_has_the_hardest_chunk_that_does_not_answer(run_dataset: Path, tmp_path: Path) -> None:
    convert.main([str(run_dataset), str(tmp_path / "t.csv"), "--split", "train"])
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["question_id"], row["chunk_id"], row["negative_id"]) for row in rows] == [
        ("q1", "c1", "c2"), ("q1", "c3", "c2"), ("q2", "c2", "c1"),
    ]  # fmt: skip
    convert.main([str(run_dataset), str(tmp_path / "p.csv"), "--split", "train", "--no-negatives"])
    with (tmp_path / "p.csv").open(encoding="utf-8", newline="") as file:
        assert {row["negative"] for row in csv.DictReader(file)} == {""}


@pytest.mark.parametrize("name", ["t.jsonl", "t.csv", "t.json"])
def test_chinese_stays_readable(run_dataset: Path, tmp_path: Path, name: str) -> None:
    assert convert.main([str(run_dataset), str(tmp_path / name), "--split", "train"]) == 0
    text = (tmp_path / name).read_text(encoding="utf-8")
    assert "什么是民法典？" in text
    assert "\\u" not in text


def test_a_table_of_texts_alone_gets_ids(tmp_path: Path) -> None:
    lines = [{"question": "why", "passage": "because"}, {"question": "why", "passage": "so it is"}]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    part = read_any(tmp_path / "t.jsonl")["train"]
    assert part.queries == {"q1": "why"}
    assert [part.corpus[key] for key in part.relevant_docs["q1"]] == ["because", "so it is"]


def test_the_published_dataset_goes_round(nvidia_data: Path, tmp_path: Path) -> None:
    source = nvidia_data / "val_dataset.json"
    assert convert.main([str(source), str(tmp_path / "beir")]) == 0
    assert (tmp_path / "beir" / "qrels" / "val.tsv").is_file()
    assert convert.main([str(tmp_path / "beir"), str(tmp_path / "again.json")]) == 0
    assert read_llama_index(tmp_path / "again.json") == read_llama_index(source)


@pytest.mark.parametrize(
    ("content", "target", "said"),
    [
        (None, "o.json", "No such file or folder"),
        ('{"question": "why"}\n', "o.json", "row 1: no text in passage"),
        ("not json\n", "o.json", "cannot be read as jsonl"),
        ("", "o.json", "has no rows"),
        ('{"question": "a", "passage": "b", "chunk_id": "1"}\n{"question": "a", "passage": "c", "chunk_id": "1"}\n', "o.json",
         "row 2: '1' had another text"),
        ('{"question": "a", "passage": "b"}\n', "o.xlsx", "unknown suffix"),
        ('{"question": "a", "passage": "b"}\n{"question": "a", "passage": "b", "split": "test"}\n', "o.json", "holds one split"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, target: str, said: str
) -> None:
    if content is not None:
        (tmp_path / "in.jsonl").write_text(content, encoding="utf-8")
    assert convert.main([str(tmp_path / "in.jsonl"), str(tmp_path / target)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert not (tmp_path / target).exists()


def test_a_folder_that_is_no_dataset_and_an_unknown_split_are_named(
    run_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    assert convert.main([str(tmp_path / "other"), str(tmp_path / "o.csv")]) == 2
    assert "is no dataset" in capsys.readouterr().err
    assert convert.main([str(run_dataset), str(tmp_path / "o.csv"), "--split", "dev"]) == 2
    assert "has no split 'dev'. It has: train, test." in capsys.readouterr().err


def test_grades_and_what_is_left_out_come_through(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "question;passage;grade\nwhy;because;2\nwhy;so it is;1\nwhy;not;0\n"
    (tmp_path / "in.csv").write_text(rows, encoding="utf-16")
    assert convert.main([str(tmp_path / "in.csv"), str(tmp_path / "beir")]) == 0
    assert "1 rows" in capsys.readouterr().err
    assert (tmp_path / "beir" / "qrels" / "train.tsv").read_text().split() == [
        "query-id", "corpus-id", "score", "q1", "c2", "2", "q1", "c3", "1",
    ]  # fmt: skip
    assert convert.main([str(tmp_path / "beir"), str(tmp_path / "back.jsonl"), "--no-negatives"]) == 0
    assert [json.loads(line)["grade"] for line in (tmp_path / "back.jsonl").read_text().splitlines()] == [2, 1]
