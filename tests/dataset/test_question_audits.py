import dataclasses

import pytest

from embft.dataset.question_audits import (
    copy_findings,
    dependent_findings,
    language_findings,
    prompt_findings,
    repeat_findings,
    unanswerable_findings,
)
from embft.records import RetrievalDataset, Splits
from embft.text.passage_dependence import passage_dependence
from tests.dataset.test_leaks import part, passage, plus, splits


def with_test(**changes) -> Splits:
    found = splits()
    return dataclasses.replace(found, test=dataclasses.replace(found.test, **changes))


@pytest.mark.parametrize(
    "question",
    [
        "According to the context information, what is the purpose of the Plan?",
        "Based on the information provided, who signed?",
        "What does the author mean in this section?",
        "What limitations are outlined in the document?",
        "In the context of the document, what is an RSU?",
        "根据上述文本，用人单位应当如何处理？",
        "该文主要讨论了什么？",
        "文中提到的条件有哪些？",
    ],
)
def test_questions_that_point_at_a_passage_are_seen(question: str):
    assert passage_dependence(question)


@pytest.mark.parametrize(
    "question",
    [
        "make a loop stop early",
        "How do I read a document line by line?",
        "In the context of the United Kingdom, who settles the award?",
        "According to Section 162(m) of the Code, what is deductible?",
        "what is a context manager",
        "How are rows inserted into a table?",
        "该公司的总收入是多少？",
        "合同文件由谁保存？",
        "本法所称劳动者是指什么？",
    ],
)
def test_questions_that_a_person_may_ask_are_not(question: str):
    assert not passage_dependence(question)


def test_passage_dependent_questions_are_counted_in_test_and_train():
    found = with_test(queries={**splits().test.queries, "test-q0": "What does this passage say?"})
    (finding,) = dependent_findings(found)
    assert (finding.count, finding.total) == (1, 12)
    assert finding.examples[0] == {"question": "What does this passage say?"}
    assert dependent_findings(splits()) == []


@pytest.mark.parametrize(
    "line",
    [
        "Here are two potential questions based on the provided context information:", "Sure! Here are 2 questions:",
        "以下是两个可能的问题：", "好的，以下是问题", "Question 1:", "```json", "[", "Hier sind zwei Fragen:",
        "I hope these questions help!",
        "Let me know if you need more.", "As an AI language model I have no opinion.", "问题1：",
    ],
)  # fmt: skip
def test_an_llm_s_talk_in_a_dataset_is_seen(line: str):
    (finding,) = dependent_findings(with_test(queries={**splits().test.queries, "test-q0": line}))
    assert finding.count == 1
    assert "1 of these are an LLM's words" in finding.text
    assert finding.examples[0] == {"question": line}


@pytest.mark.parametrize(
    "question",
    [
        "here maps offline", "great barrier reef depth", "what are frequently asked questions", "okay google commands",
        "how do I let somebody know if I am late", "feel good inc chords", "sorry state of roads", "question mark in excel",
        "以下哪个选项正确？", "当然权利是什么", "Sure footing of goats", "what is a [slot]",
    ],
)  # fmt: skip
def test_what_people_type_is_no_talk(question: str):
    assert dependent_findings(with_test(queries={**splits().test.queries, "test-q0": question})) == []


def test_near_copies_among_searched_chunks_warn_where_somebody_asks_about_them():
    assert copy_findings(splits()) == []
    test = part("test", 100)
    asked = splits(
        test=RetrievalDataset(test.queries, {**test.corpus, "copy": test.corpus["test-c0"]}, test.relevant_docs)
    )
    (found,) = copy_findings(asked)
    assert (found.level, found.count) == ("warning", 2)
    aside = {**test.corpus, "x": passage(1), "y": passage(1)}
    (found,) = copy_findings(splits(part("train", 400), RetrievalDataset(test.queries, aside, test.relevant_docs)))
    assert found.level == "info"


def test_repeated_questions_say_whether_their_chunks_differ():
    assert repeat_findings(splits()) == []
    test = plus(part("test", 100), " ".join(part("test", 100).queries["test-q2"].upper().split()), passage(77), "other")
    (found,) = repeat_findings(splits(test=test))
    assert found.count == 1
    assert "1 with a different chunk" in found.text
    assert found.examples[0]["chunk of the repeat"].startswith(passage(77)[:50])


def test_a_chunk_that_says_nothing_answers_nothing():
    assert unanswerable_findings(splits(), []) == []
    (found,) = unanswerable_findings(with_test(corpus={**splits().test.corpus, "test-c0": "Page 3"}), [])
    assert (found.count, found.examples[0]["chunk"]) == (1, "Page 3")
    (lost,) = unanswerable_findings(splits(), [{"question": "what is a walrus", "reason": "not in the corpus"}])
    assert "1 human question was left out" in lost.text


def test_a_chinese_model_on_english_text_is_told_and_a_multilingual_one_is_not():
    (chunks, questions) = language_findings(splits(), "zh")
    assert "The model is for Chinese, but 36 of 36 chunks" in chunks.text
    assert "12 of 12 test questions" in questions.text
    assert language_findings(splits(), "en") == []
    assert language_findings(splits(), "multi") == []


def test_a_model_without_its_instruction_is_told():
    (found,) = prompt_findings("intfloat/multilingual-e5-small", "", "passage: ")
    assert "'query: ' before questions" in found.text
    assert prompt_findings("intfloat/multilingual-e5-small", "query: ", "passage: ") == []
    assert prompt_findings("BAAI/bge-small-en", "Represent this sentence: ", "") == []
    assert prompt_findings("sentence-transformers/all-MiniLM-L6-v2", "", "") == []
