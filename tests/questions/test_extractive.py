"""Queries made without an LLM must look like what people type, and never repeat."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embft.questions.extractive import extractive
from embft.records import Chunk

ENGLISH = [
    "A vector database is a system that stores embeddings and finds the nearest of them. However, an exact search "
    "compares a question with every stored embedding, which takes long for a large collection. It may also run on disk.",
    "As a result, the garbage collector frees objects whose reference count has dropped to zero. The collector runs "
    "again when the number of allocations exceeds a threshold that the program can change.",
    "We may process sensitive personal data of customers in several countries. Export controls restrict shipments of "
    "advanced accelerators to certain regions, and licenses are required before delivery.",
]
CHINESE = [
    "向量数据库是一种专门用于存储和检索高维向量的数据库系统。它通过近似最近邻算法在毫秒级时间内返回与查询最相似的结果。",
    "光合作用是指绿色植物利用光能把二氧化碳和水转化为有机物并释放氧气的过程。叶绿体中的色素负责吸收光能。",
    "但是，如果温度超过八十摄氏度，设备会自动关闭电源。此外，风扇转速由主板上的控制器调节。",
]


def chunks(texts: list[str]) -> list[Chunk]:
    return [Chunk(f"c{place}", text, "doc", None, 0, len(text)) for place, text in enumerate(texts)]


@pytest.mark.parametrize("texts", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_every_chunk_gets_the_number_asked_for(texts: list[str]) -> None:
    questions, report = extractive(chunks(texts), 2)
    assert [question.chunk_ids for question in questions] == [(f"c{place}",) for place in (0, 0, 1, 1, 2, 2)]
    assert (report["asked"], report["made"], report["chunks_without_questions"]) == (6, 6, [])


def test_the_same_chunks_give_the_same_questions() -> None:
    assert extractive(chunks(ENGLISH + CHINESE), 2) == extractive(chunks(ENGLISH + CHINESE), 2)


def test_a_definition_becomes_a_question() -> None:
    assert "what is vector database" in {question.text for question in extractive(chunks(ENGLISH), 3)[0]}
    chinese = {question.text for question in extractive(chunks(CHINESE), 3)[0]}
    assert {"什么是向量数据库", "什么是光合作用"} <= chinese


def test_no_query_starts_with_what_only_joins_sentences() -> None:
    texts = [question.text.lower() for question in extractive(chunks(ENGLISH + CHINESE), 4)[0]]
    openings = ("however", "as a result", "we ", "it ", "may ", "also ", "not ", "但是", "此外")
    assert not [text for text in texts if text.startswith(openings)]


def test_a_long_sentence_is_never_repeated_whole() -> None:
    sentence = "The committee publishes " + " ".join(f"figure{place}" for place in range(30)) + " for each branch."
    texts = [question.text for question in extractive(chunks([sentence, *ENGLISH]), 2)[0]]
    assert texts
    assert max(len(text.split()) for text in texts) <= 14


def test_a_chinese_query_ends_between_words_and_stays_short() -> None:
    clause = "用人单位自用工之日起超过一个月不满一年未与劳动者订立书面劳动合同并且没有支付工资。"
    texts = [question.text for question in extractive(chunks([clause, *CHINESE]), 1)[0]]
    assert texts[0] == "用人单位自用工之日起超过一个月不满一年未与劳动者"
    assert all(len(text.replace(" ", "")) <= 25 for text in texts)


def test_markup_does_not_reach_a_query() -> None:
    text = 'Users **should not** touch the "__builtins__" attribute, which is an `implementation` detail of the interpreter.'
    texts = [question.text for question in extractive(chunks([text]), 2)[0]]
    assert texts
    assert not [query for query in texts if set(query) & set('*`"|')]


@pytest.mark.parametrize(
    "text",
    [
        "2021 26,974 26,914 16,675 10,918 $ 4.14 % 2022",
        "ITEM 7A. QUANTITATIVE AND QUALITATIVE DISCLOSURES",
        'funcdef ::= [decorators] "def" funcname [type_params] "(" [parameter_list] ")"',
        "Contents",
    ],
)
def test_tables_headings_and_grammar_are_not_asked_about(text: str) -> None:
    questions, report = extractive(chunks([text]), 2)
    assert (questions, report["chunks_without_questions"]) == ([], ["c0"])


def test_equal_chunks_do_not_get_equal_questions() -> None:
    questions, report = extractive(chunks([ENGLISH[0], ENGLISH[0]]), 2)
    assert len({question.text for question in questions}) == len(questions)
    assert report["duplicates"] > 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=200) | st.sampled_from(ENGLISH + CHINESE), max_size=6), st.integers(1, 4))
def test_any_text_gives_distinct_queries_and_true_counts(texts: list[str], per_chunk: int) -> None:
    questions, report = extractive(chunks(texts), per_chunk)
    assert len({question.text for question in questions}) == len(questions) == report["made"]
    assert len({question.id for question in questions}) == len(questions)
    assert all(question.text.strip() for question in questions)
    assert set(report["chunks_without_questions"]) == {f"c{place}" for place in range(len(texts))} - {
        key for question in questions for key in question.chunk_ids
    }
