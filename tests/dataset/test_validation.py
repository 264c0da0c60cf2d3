from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embft.dataset.validation import Findings, validate
from embft.records import RetrievalDataset

SOUND = RetrievalDataset(
    {"q1": "how?", "q2": "why?"}, {"c1": "so", "c2": "because", "c3": "unasked"}, {"q1": ("c1",), "q2": ("c2", "c1")}
)


def test_a_sound_dataset_has_no_findings():
    assert validate(SOUND, "test") == Findings([], [])


def test_an_empty_dataset_is_fatal_on_both_counts():
    found = validate(RetrievalDataset({}, {}, {}), "test")
    assert found.fatal == ["test: there are no questions.", "test: the corpus is empty."]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"relevant_docs": {"q1": ("c1",)}}, "train: questions without a relevant chunk: 1 (q2)."),
        ({"relevant_docs": {"q1": ("c1",), "q2": ()}}, "train: questions without a relevant chunk: 1 (q2)."),
        (
            {"relevant_docs": {**SOUND.relevant_docs, "q9": ("c1",)}},
            "train: entries of relevant_docs about questions that are not there: 1 (q9).",
        ),
        (
            {"relevant_docs": {"q1": ("c1",), "q2": ("c2", "gone")}},
            "train: questions whose relevant chunks are not in the corpus: 1 (q2 -> gone).",
        ),
        ({"queries": {"q1": " \n", "q2": "why?"}}, "train: empty questions: 1 (q1)."),
    ],
)
def test_what_makes_a_dataset_unusable_is_fatal_and_names_split_count_and_id(changes, sentence):
    found = validate(replace(SOUND, **changes), "train")
    assert len(found.fatal) == 1
    assert found.fatal[0].startswith(sentence)
    assert len(found.fatal[0]) > len(sentence) + 10  # and what to do
    assert found.warnings == []


def test_empty_chunks_are_warnings():
    found = validate(replace(SOUND, corpus={**SOUND.corpus, "c3": "", "c4": "  "}), "dev")
    assert found.fatal == []
    assert found.warnings[0].startswith("dev: empty chunks: 2 (c3, c4).")


def test_empty_questions_are_not_called_repeated_as_well():
    found = validate(replace(SOUND, queries={"q1": "", "q2": " "}), "dev")
    assert len(found.fatal) == 1
    assert found.warnings == []


def test_three_ids_are_shown_of_many():
    many = {f"q{number}": "" for number in range(7)}
    found = validate(RetrievalDataset(many, {"c": "x"}, dict.fromkeys(many, ("c",))), "dev")
    assert found.fatal[0].startswith("dev: empty questions: 7 (q0, q1, q2, ...).")


def test_all_problems_are_reported_at_once():
    found = validate(RetrievalDataset({"q1": ""}, {"c1": ""}, {"q9": ("gone",)}), "test")
    assert (len(found.fatal), len(found.warnings)) == (4, 1)


@given(
    st.dictionaries(st.sampled_from("pqr"), st.text(max_size=3)),
    st.dictionaries(st.sampled_from("abc"), st.text(max_size=3)),
    st.dictionaries(st.sampled_from("pqrs"), st.lists(st.sampled_from("abcd"), max_size=2).map(tuple)),
)
def test_a_dataset_without_fatal_findings_can_be_scored(queries, corpus, relevant_docs):
    if not validate(RetrievalDataset(queries, corpus, relevant_docs), "test").fatal:
        assert queries
        assert all(relevant_docs[key] and set(relevant_docs[key]) <= set(corpus) for key in queries)
