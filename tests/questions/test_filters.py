"""Each filter on its own: what it takes, what it leaves, and that it says why."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embft.config import FiltersConfig
from embft.dataset.formats import read_llama_index
from embft.questions.filters import askable_chunks, filter_questions, near_duplicates
from embft.questions.traits import copied_run, kind_of
from embft.questions.unaskable import boilerplate
from embft.records import Chunk, Question
from embft.text.content_words import word_count, words_shared
from embft.text.languages import script_of
from embft.text.passage_dependence import passage_dependence

ENGLISH = "The garbage collector frees objects whose reference count has dropped to zero."
CHINESE = "垃圾回收器会释放引用计数降为零的对象。"
CHUNKS = [Chunk("en", ENGLISH, "d", 1, 0, 9), Chunk("zh", CHINESE, "d", 2, 0, 9)]


def kept(texts: list[str], filters: FiltersConfig, about: str = "en", ranks: list[int | None] | None = None):
    questions = [Question(f"q{place}", text, (about,), "m") for place, text in enumerate(texts)]
    found, rejected = filter_questions(questions, CHUNKS, filters, "auto", lambda asked: ranks or [1] * len(asked))
    return [question.text for question in found], {row.question: (row.reason, row.detail) for row in rejected}


@pytest.mark.parametrize(
    "question",
    [
        "According to the context information, what is the purpose of the plan?",
        "What are the potential liabilities under the provisions mentioned in the document?",
        "In Section 5(c) of the document, what are the methods of payment?",
        "How is voting power determined, according to the given context information?",
        "What does this section say about leaks?",
        "what is described above",
        "What is the main idea of the passage?",
        "该文主要讲了什么？",
        "根据上文，谁有权批准？",
        "本段提到的条件有哪些？",
        "根据以下内容，回答申请期限是多久？",
    ],
)
def test_a_question_that_leans_on_its_passage_is_found(question: str) -> None:
    assert passage_dependence(question)
    assert kept([question], FiltersConfig(passage_dependent=True))[0] == []


@pytest.mark.parametrize(
    "question",
    [
        "how do I open a text file",
        "What is the context of the Versailles treaty?",
        "In the context of stock awards, when may options be exercised?",
        "According to Section 162(m) of the Code, what qualifies as performance-based?",
        "context manager protocol",
        "how to split a document into passages",
        "What is the passage of time?",
        "该文件由谁签发？",
        "本条例自何时起施行",
        "合同文本由谁保管",
    ],
)
def test_a_question_that_stands_alone_is_left(question: str) -> None:
    assert passage_dependence(question) is None


def test_the_article_s_test_questions_that_nobody_would_type_are_found(nvidia_data) -> None:
    texts = list(read_llama_index(nvidia_data / "val_dataset.json").queries.values())
    assert len(texts) == 182
    # Read one by one, all 58 do: the issue that asked for this filter counted 45 of them.
    assert sum(passage_dependence(text) is not None for text in texts) == 58
    assert len(texts) - len({text.casefold() for text in texts}) == 1
    repeated = near_duplicates(texts, 90)
    assert sorted(repeated) == [176, 177, 181]
    assert repeated[181] == texts[181]


def test_near_duplicates_spare_the_first_and_ignore_case_order_and_punctuation() -> None:
    texts = [
        "How do I stop a loop?",
        "stop a loop, how do I",
        "How do I start a thread?",
        "如何停止循环？",
        "如何停止循环",
    ]
    found, rejected = kept(texts, FiltersConfig(near_duplicates=95))
    assert found == [texts[0], texts[2], texts[3]]
    assert rejected[texts[1]] == ("near_duplicate", texts[0])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text("abc 你好", max_size=8), max_size=40))
def test_the_first_of_equal_questions_always_stays(texts: list[str]) -> None:
    found = near_duplicates(texts, 100)
    assert not {place for place in found if texts[place] not in texts[:place] and found[place] == texts[place]}
    assert all(place > 0 for place in found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stop a loop", 3), ("垃圾回收", 2), ("如何取消会议室的预订？", 5), ("GPU 显存不足！", 3), ("会議をキャンセル", 3),
        ("", 0), ("a – b ?", 2), ("ยกเลิกการประชุม", 3),
    ],
)  # fmt: skip
def test_words_are_words_in_every_language(text: str, words: int) -> None:
    assert word_count(text) == words


def test_length_has_two_ends() -> None:
    found, rejected = kept(["why", "why does it leak", "a " * 9], FiltersConfig(fewest_words=2, most_words=8))
    assert found == ["why does it leak"]
    assert set(rejected.values()) == {("length", "1 words"), ("length", "9 words")}


def test_another_script_than_the_chunk_s_goes_but_a_name_stays() -> None:
    filters = FiltersConfig(language=True)
    assert kept(["对象何时被释放？", "when are objects freed"], filters)[0] == ["when are objects freed"]
    assert kept(["对象何时被释放？", "when are objects freed", "CPython GC", "GC 何时运行"], filters, "zh")[0] == [
        "对象何时被释放？",
        "CPython GC",
        "GC 何时运行",
    ]
    assert kept(["когда удаляются объекты"], filters)[1] == {
        "когда удаляются объекты": ("language", "Cyrillic, not Latin")
    }


def test_the_script_of_texts() -> None:
    texts = ["a loop", "循环", "ループを止める", "루프 중지", "12 + 3", "цикл"]
    assert [script_of(text) for text in texts] == ["Latin", "Han", "Kana", "Hangul", None, "Cyrillic"]


def test_what_copies_a_run_of_the_passage_goes() -> None:
    copy, own = "objects whose reference count has dropped to zero", "when does python give memory back"
    found, rejected = kept([copy, own], FiltersConfig(copied_share=0.6))
    assert found == [own]
    assert rejected[copy][0] == "copied"
    assert kept(["引用计数降为零的对象", "内存什么时候归还"], FiltersConfig(copied_share=0.6), "zh")[0] == [
        "内存什么时候归还"
    ]


def test_a_run_needs_whole_words_in_their_order() -> None:
    assert copied_run("count reference objects", ENGLISH, 0.5) is None
    assert copied_run("ject whose refer", ENGLISH, 0.9) is None
    assert copied_run("why reference count has dropped", ENGLISH, 0.8) == "reference count has dropped"


def test_the_round_trip_takes_what_is_answered_better_elsewhere() -> None:
    found, rejected = kept(["a b", "c d", "e f"], FiltersConfig(round_trip=5), ranks=[5, 6, None])
    assert found == ["a b"]
    assert [detail for _, detail in rejected.values()] == ["rank 6", "not found"]


def test_filters_that_are_off_take_nothing_and_ask_no_retriever() -> None:
    def never(questions):
        raise AssertionError

    questions = [Question("q", "该文", ("en",), "m")]
    assert filter_questions(questions, CHUNKS, FiltersConfig(), "auto", never) == (questions, [])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Introduction ........ 1\nMethods ........ 4\nResults ........ 9\nAnnex ........ 12", "table of contents"),
        ("CONTENTS\nItem 1. Business 4\nItem 1A. Risks 15\nItem 2. Places 30\nItem 3. Legal 31", "table of contents"),
        ("目录\n第一章 总则 1\n第二章 权利 4\n第三章 义务 9\n第四章 附则 12", "table of contents"),
        ("/s/ A. Huang, President, February 24, 2023\n/s/ C. Kress, CFO\n/s/ T. Coxe, Director", "signatures"),
        ("See below.", "hardly any words"),
        ("Revenue 12,345 23,456 34,567 45,678 Cost 1,234 2,345 3,456 4,567 Total 99,999 88,888 77,777", "figures without text"),
    ],
)  # fmt: skip
def test_boilerplate_is_named(text: str, what: str) -> None:
    assert boilerplate(text) == what


@pytest.mark.parametrize(
    "text",
    [
        ENGLISH,
        CHINESE,
        "An agreement needs a signature. The signature is witnessed, and a signature that is forged binds nobody.",
        "Steps:\n1. Open the file.\n2. Read line 3.\n3. Close it.\nNothing else is needed.",
        "def f(x):\n    return x + 1\n\nThe function adds 1.",
    ],
)
def test_prose_is_not_boilerplate(text: str) -> None:
    assert boilerplate(text) is None


def test_no_question_is_asked_about_boilerplate_and_the_chunk_is_named() -> None:
    chunks = [*CHUNKS, Chunk("toc", "Intro ........ 1\nEnd ........ 4\nA ........ 7\nB ........ 8", "d", 3, 0, 9)]
    askable, rejected = askable_chunks(chunks, FiltersConfig(boilerplate=True))
    assert askable == CHUNKS
    assert [(row.chunk_ids, row.reason, row.detail) for row in rejected] == [
        (("toc",), "boilerplate", "table of contents")
    ]
    assert askable_chunks(chunks, FiltersConfig())[0] == chunks


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What is a loop?", "fact"), ("how many cores", "fact"), ("How do I stop a loop?", "how or why"),
        ("difference between list and tuple", "comparison"), ("Is a list mutable?", "yes or no"),
        ("stop loop early", "keywords"), ("何时施行？", "fact"), ("为什么会泄漏", "how or why"),
        ("列表和元组的区别", "comparison"),
        ("列表可变吗？", "yes or no"), ("停止 循环", "keywords"),
    ],
)  # fmt: skip
def test_the_kind_of_a_question_is_seen_from_its_form(question: str, kind: str) -> None:
    assert kind_of(question) == kind


def test_words_shared_are_a_share_of_the_content_words() -> None:
    assert words_shared("what frees objects quickly", ENGLISH) == pytest.approx(2 / 3)
    assert words_shared("the of and", ENGLISH) == 0.0
