"""The log of labels: every key on the disk, undone in order, read back after a kill."""

import json

import pytest

from embft.errors import QuestionError
from embft.labelling.agreement import compare, merge
from embft.labelling.command import main
from embft.labelling.labels import LabelFile, log_of
from embft.questions.human_files import read_human


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_result_is_what_questions_human_takes(tmp_path):
    labels = LabelFile(tmp_path / "labels.jsonl", "ann")
    labels.add("how long?", [("c1", 3)])
    labels.add("how long?", [("c2", 0)])
    labels.add("保修期多长？", [("c3", 2)], written=True)
    labels.close()
    read = read_human(str(tmp_path / "labels.jsonl"))
    assert [(row.question, row.chunk_ids, row.grades) for row in read] == [
        ("how long?", ("c1", "c2"), (3, 0)),
        ("保修期多长？", ("c3",), (2,)),
    ]


def test_undo_takes_keys_back_one_by_one_also_after_a_restart(tmp_path):
    labels = LabelFile(tmp_path / "labels.jsonl", "ann")
    labels.add("q", [("c1", 1)])
    labels.add("q", [("c1", 3)])
    labels.add("q", [("c2", 0), ("c3", 0)])  # one key: nothing here answers it
    labels.close()
    again = LabelFile(tmp_path / "labels.jsonl", "ann")
    assert again.grades("q") == {"c1": 3, "c2": 0, "c3": 0}
    assert again.undo() == "q"
    assert again.grades("q") == {"c1": 3}
    again.undo()
    assert again.grades("q") == {"c1": 1}
    again.close()
    last = LabelFile(tmp_path / "labels.jsonl", "ann")
    last.undo()
    assert last.grades("q") == {}
    assert last.undo() is None
    assert rows(tmp_path / "labels.jsonl") == []


def test_half_a_line_of_a_killed_process_is_dropped_and_the_rest_kept(tmp_path):
    path = tmp_path / "labels.jsonl"
    labels = LabelFile(path, "ann")
    labels.add("q", [("c1", 2)])
    labels.close()
    with log_of(path).open("ab") as log:
        log.write('{"question": "r", "chunk_id": "保'.encode()[:-1])
    again = LabelFile(path, "ann")
    again.add("r", [("c9", 1)])
    assert [row["question"] for row in rows(log_of(path))] == ["q", "r"]


def test_two_pages_do_not_write_one_file(tmp_path):
    first = LabelFile(tmp_path / "labels.jsonl", "ann")
    with pytest.raises(QuestionError, match="another page"):
        LabelFile(tmp_path / "labels.jsonl", "ben")
    first.close()


def test_a_file_that_is_not_its_own_is_not_overwritten(tmp_path):
    (tmp_path / "labels.jsonl").write_text('{"question": "mine"}\n')
    with pytest.raises(QuestionError, match="would be overwritten"):
        LabelFile(tmp_path / "labels.jsonl", "ann")


@pytest.mark.parametrize("line", ["{", "[]", '{"question": "q"}', '{"question": "q", "chunk_id": "c", "grade": 7}'])
def test_a_strange_line_is_named(tmp_path, line):
    (tmp_path / "labels.log.jsonl").write_text(f"{line}\n")
    with pytest.raises(QuestionError, match="line 1"):
        LabelFile(tmp_path / "labels.jsonl", "ann")


def test_two_peoples_files_are_compared_and_merged(tmp_path):
    grades = {"ann": [3, 3, 0, 0, 2, 0], "ben": [3, 0, 0, 0, 1, 0]}
    for judge, own in grades.items():
        labels = LabelFile(tmp_path / f"{judge}.jsonl", judge)
        for number, grade in enumerate(own):
            labels.add("q", [(f"c{number}", grade)])
        labels.close()
    said = compare(tmp_path / "ann.jsonl", tmp_path / "ben.log.jsonl")
    assert "6 pairs" in said
    # Relevant or not: both 3 and 2 times, five of six alike; by chance (3 * 2 + 3 * 4) / 36 = 1/2: (5/6 - 1/2) / (1/2).
    assert "relevant or not, from 1: 83% agree, Cohen's kappa 0.67" in said
    assert "3 and 0: q  [c1]" in said
    print(merge([tmp_path / "ann.jsonl", tmp_path / "ben.jsonl"], tmp_path / "both.jsonl"))
    (row,) = rows(tmp_path / "both.jsonl")
    assert row["grades"] == [3, 0, 0, 0, 1, 0]
    with pytest.raises(QuestionError, match="there already"):
        merge([tmp_path / "ann.jsonl"], tmp_path / "both.jsonl")


def test_a_whole_last_line_that_an_editor_left_without_its_end_is_kept(tmp_path):
    path = tmp_path / "labels.jsonl"
    labels = LabelFile(path, "ann")
    labels.add("q", [("c1", 2)])
    labels.close()
    log_of(path).write_bytes(log_of(path).read_bytes().rstrip())
    again = LabelFile(path, "ann")
    assert again.grades("q") == {"c1": 2}
    again.add("r", [("c9", 1)])
    assert [row["question"] for row in rows(log_of(path))] == ["q", "r"]


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    LabelFile(tmp_path / "a.jsonl", "ann").add("q", [("c1", 2)])
    assert main(["--merge", str(tmp_path / "a.jsonl"), "--out", str(tmp_path / "file" / "b.jsonl")]) == 2
    assert "cannot be read or written" in capsys.readouterr().err
