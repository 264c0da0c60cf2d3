"""Cells of tables as other tools write them: objects with texts, lists in a cell of CSV, names of columns, labels in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from embft.dataset.tables import read_table
from embft.errors import DatasetError
from embft.records import RetrievalDataset

Q, P = "When is high water?", "Fifty minutes later each day."


def read(folder: Path, content: Any, name: str = "a.jsonl") -> dict[str, RetrievalDataset]:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return read_table(path)


def answers(dataset: RetrievalDataset) -> dict[str, list[str]]:
    return {
        text: [dataset.corpus[chunk] for chunk in dataset.relevant_docs[key]] for key, text in dataset.queries.items()
    }


@pytest.mark.parametrize(
    "row",
    [
        {
            "query": Q,
            "positive_passages": [{"docid": "7", "text": P}],
            "negative_passages": [{"docid": "8", "text": "no"}],
        },
        {"question": Q, "positive_ctxs": [{"text": P}], "negative_ctxs": [], "hard_negative_ctxs": [{"text": "no"}]},
        {"query": Q, "pos": [{"content": P}, None], "neg": ["no"]},
        {"user_input": Q, "reference_contexts": [P], "hard_negs": "no"},
        {"prompt": Q, "chosen": P, "rejected": "no"},
        {"sentence_A": Q, "sentence_B": P, "negative_text_1": "no"},
    ],
    ids=lambda row: "-".join(row),
)
def test_rows_of_other_tools_give_question_passage_and_negative(row: dict[str, Any], tmp_path: Path) -> None:
    dataset = read(tmp_path, row)["train"]
    assert answers(dataset) == {Q: [P]}
    assert set(dataset.corpus.values()) == {P, "no"}


def test_ids_and_titles_within_objects_are_kept(tmp_path: Path) -> None:
    row = {"query_id": 0, "query": Q, "positive_passages": [{"docid": 0, "title": "Tides", "text": P}]}
    dataset = read(tmp_path, row)["train"]
    assert (dict(dataset.queries), dict(dataset.corpus)) == ({"0": Q}, {"0": f"Tides {P}"})


def test_a_list_as_python_writes_it_into_a_cell_is_a_list(tmp_path: Path) -> None:
    dataset = read(tmp_path, f"question,contexts\n{Q},\"['{P}', 'It''s so']\"\n".replace("It''s", "It is"), "a.csv")
    assert answers(dataset["train"]) == {Q: [P, "It is so"]}


def test_an_array_that_lost_its_commas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="row 1: an array without commas"):
        read(tmp_path, f"question,contexts\n{Q},\"['a' 'b']\"\n", "a.csv")


@pytest.mark.parametrize("label", ["no", "N", "f", "否", "不相关", "negative", "0,0"])
def test_labels_in_words_and_with_a_decimal_comma(label: str, tmp_path: Path) -> None:
    yes = {"0,0": "0,9"}.get(label, "是")
    dataset = read(tmp_path, f"question;passage;label\n{Q};{P};{yes}\n{Q};other;{label}\n", "a.csv")
    assert answers(dataset["train"]) == {Q: [P]}


def test_splits_go_by_any_of_their_names(tmp_path: Path) -> None:
    rows = "split,question,passage\nTRAIN,a?,b\nValidation,c?,d\ntesting,e?,f\n"
    assert list(read(tmp_path, rows, "a.csv")) == ["train", "dev", "test"]
