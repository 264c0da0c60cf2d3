"""What is pooled, what a judge is shown, and which grade is in a reply."""

from __future__ import annotations

import json

import pytest
from judged_world import dataset, made, rankings

from embft.errors import DatasetError
from embft.evaluation.metrics import dataset_scores
from embft.judging.judgements import Pair, Pool, judged_share, with_pool
from embft.judging.people import read_people
from embft.judging.prompt import fill, grade_of
from embft.records import RetrievalDataset


def test_the_pool_has_each_chunk_once_the_best_ranks_first():
    small = dataset().with_questions(["q1"])
    pool = Pool.of(rankings(), small, 2)
    assert [pair.chunk_id for pair in pool.pairs] == ["labelled1", "hidden1", "other1"]
    assert [pair.chunk_id for pair in pool.unjudged] == ["hidden1", "other1"]


def test_judged_at_k_is_the_share_with_a_label():
    small = dataset().with_questions(["q1", "q3"])
    by_system = rankings()
    assert judged_share(by_system["bm25"], small, 2) == pytest.approx(0.25)
    assert judged_share(by_system["base"], small, 3) == pytest.approx(1 / 3)
    assert judged_share(by_system["base"], small, 3, {Pair("q1", "hidden1"): 0}) == pytest.approx(0.5)
    assert judged_share(made("bm25", {}), small, 3) == 1.0


def test_the_pool_fills_holes_and_moves_no_label():
    small = RetrievalDataset({"q": "?"}, dict.fromkeys("abcd", "x"), {"q": ("a",)}, not_relevant={"q": ("b",)})
    grades = {Pair("q", "a"): 0, Pair("q", "b"): 3, Pair("q", "c"): 3, Pair("q", "d"): 1, Pair("z", "a"): 3}
    assert with_pool(small, grades, 2).relevant_docs == {"q": ("a", "c")}
    assert with_pool(small, grades, 2).grades == {}
    assert with_pool(small, grades, 1).relevant_docs == {"q": ("a", "c", "d")}
    graded = RetrievalDataset({"q": "?"}, dict.fromkeys("abcd", "x"), {"q": ("a",)}, grades={"q": {"a": 2}})
    assert with_pool(graded, grades, 2).grades == {"q": {"a": 2, "b": 2, "c": 2}}
    # nDCG@10 of a ranking c, a: as labelled .631 of a first rank, with the pool perfect.
    ranking = made("bm25", {"q": ("c", "a")})
    assert dataset_scores(ranking, small)["ndcg@10"][0] == pytest.approx(0.63093, abs=1e-4)
    assert dataset_scores(ranking, with_pool(small, grades, 2))["ndcg@10"][0] == pytest.approx(1.0)


def test_the_prompt_is_in_the_question_s_language_and_fills_nothing_that_stands_in_a_text():
    english = fill("what does {passage} mean?", "the word {question} and {grade}")
    assert "Question: what does {passage} mean?" in english
    assert "the word {question} and {grade}" in english
    assert english.count("Passage:") == 1
    chinese = fill("离婚后孩子的抚养费怎么算？", "Passage in English")
    assert "问题：离婚后孩子的抚养费怎么算？" in chinese
    assert '{"grade": G}' in chinese


@pytest.mark.parametrize(
    ("reply", "grade"),
    [
        ('{"grade": 2}', 2),
        ('```json\n{"grade": 0}\n```', 0),
        ('<think>It could be 3, or grade: 3.</think>{"grade": 1}', 1),
        ("M: 2, T: 3. ##final score: 3", 3),
        ("Final Score: 0", 0),
        ("**Grade: 2**", 2),
        ("The relevance is 1.", 1),
        ("等级：3", 3),
        ("2", 2),
        ("Score: 2/3", 2),
        ("2 out of 3", 2),
        ('{"score": 3, "reason": "There are 14 pages about it"}', 3),
        ("grade: 5", None),
        ("grade: 2.5", None),
        ("2 or 3", None),
        ("It answers the question.", None),
        ("", None),
        ("In 1998 there were 14 of them.", None),
    ],
)
def test_the_grade_in_a_reply(reply, grade):
    assert grade_of(reply) == grade


def written(path, *rows):
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8"
    )
    return path


def test_people_s_judgements_are_read_by_id_or_text_and_the_middle_one_counts(tmp_path):
    file = written(
        tmp_path / "judged.jsonl",
        {"question_id": "q1", "chunk_id": "hidden1", "grade": 3, "judge": "ann"},
        {"question": "what is number 1?", "chunk_id": "hidden1", "grade": 2, "judge": "bob"},
        {"question_id": "q2", "chunk_id": "other2", "grade": 1, "judge": "ann"},
        {"question_id": "q2", "chunk_id": "other2", "grade": 0, "judge": "ann"},
        {"question_id": "q3", "chunk_id": "other3", "grade": 2, "judge": "ann"},
        {"question_id": "q3", "chunk_id": "other3", "grade": None, "judge": "ann"},
        "",
        {"question": "what is number 3?", "chunk_id": "", "grade": 0, "judge": "ann"},
        {"question_id": "elsewhere", "chunk_id": "other3", "grade": 2},
    )
    with file.open("a", encoding="utf-8") as log:
        log.write('{"question_id": "q1", "chu')  # the server was killed here
    found = read_people(file, dataset())
    assert {(one.question_id, one.chunk_id): one.grade for one in found.judgements} == {
        ("q1", "hidden1"): 2,
        ("q2", "other2"): 0,
    }
    assert found.judgements[0].judge == "ann and bob"
    assert "2 judgements by ann, bob" in found.notes[0]
    assert "1 lines" in found.notes[1]
    assert "Line 10 of judged.jsonl, its last one, is cut off" in found.notes[2]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("{", "line 1: this is no JSON"),
        ("[1]", "this is no JSON object"),
        ({"question_id": "q1", "grade": 1}, "chunk_id or grade is missing"),
        ({"question_id": "q1", "chunk_id": "a", "grade": 4}, "the grade is 4"),
        ({"question_id": "q1", "chunk_id": "a", "grade": True}, "the grade is True"),
        ({"question_id": "q1", "chunk_id": "a", "grade": "2"}, "the grade is '2'"),
        ({"question_id": "q1", "chunk_id": "a", "grade": float("nan")}, "the grade is nan"),
        ({"question_id": "nobody", "chunk_id": "a", "grade": 2}, "none of its 1 lines"),
    ],
)
def test_a_file_that_is_no_file_of_judgements_is_refused_in_words(tmp_path, row, words):
    with pytest.raises(DatasetError, match=words.replace("(", r"\(")):
        read_people(written(tmp_path / "judged.jsonl", row), dataset())
