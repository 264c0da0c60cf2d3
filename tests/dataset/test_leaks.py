import dataclasses
import random

import pytest

from embft.dataset.formats import read_llama_index
from embft.dataset.leaks import find_leaks, leak_findings, same_page_findings, without_leaks
from embft.records import RetrievalDataset, Splits


def passage(seed: int) -> str:
    draw = random.Random(seed)
    return " ".join(f"word{draw.randrange(3000)}" for _ in range(80))


def part(name: str, start: int, count: int = 12) -> RetrievalDataset:
    corpus = {f"{name}-c{at}": passage(start + at) for at in range(count)}
    queries = {f"{name}-q{at}": f"what about {' '.join(passage(900 + start + at).split()[:6])}" for at in range(count)}
    return RetrievalDataset(queries, corpus, {f"{name}-q{at}": (f"{name}-c{at}",) for at in range(count)})


def splits(train: RetrievalDataset | None = None, test: RetrievalDataset | None = None) -> Splits:
    train, test = train or part("train", 0), test or part("test", 100)
    everything = Splits.EVERYTHING
    dev = part("dev", 200)
    origins = dict.fromkeys([*train.queries, *dev.queries, *test.queries], "file")
    return Splits(train, dev, test, {}, {"dev": everything, "test": everything}, origins)


def plus(dataset: RetrievalDataset, question: str, text: str, chunk_id: str) -> RetrievalDataset:
    return RetrievalDataset(
        {**dataset.queries, "planted": question},
        {**dataset.corpus, chunk_id: text},
        {**dataset.relevant_docs, "planted": (chunk_id,)},
    )


def test_a_clean_split_raises_nothing():
    assert leak_findings(splits()) == []
    assert same_page_findings(splits(), {}) == []


def test_the_published_10_k_questions_are_a_clean_split(nvidia_data):
    train, test = (read_llama_index(nvidia_data / f"{name}_dataset.json") for name in ("train", "val"))
    assert find_leaks(train, test) == []


def test_ten_train_questions_about_test_chunks_are_found_and_block():
    test = part("test", 100)
    train = part("train", 0)
    for at in range(10):
        key = f"test-c{at}"
        train = RetrievalDataset(
            {**train.queries, f"leak{at}": f"another question {at}"},
            {**train.corpus, key: test.corpus[key]},
            {**train.relevant_docs, f"leak{at}": (key,)},
        )
    (found,) = leak_findings(splits(train, test))
    assert (found.level, found.count, found.total) == ("blocking", 10, 22)
    assert "dataset.leaks=allow" in found.remedy
    assert found.examples[0]["train question"].startswith("another question")


def test_a_planted_near_duplicate_of_a_document_is_found():
    test = part("test", 100)
    changed = test.corpus["test-c3"].replace("word", "Word", 5).split()
    changed[10:12] = ["other", "words"]
    (leak,) = find_leaks(plus(part("train", 0), "my own question", " ".join(changed), "copy"), test)
    assert (leak.train, leak.held, leak.chunk, leak.held_chunk) == ("planted", "test-q3", "copy", "test-c3")
    assert 0.7 <= leak.similarity < 1


@pytest.mark.parametrize(("question", "leaks"), [("{}", 1), ("{} please", 1), ("something else entirely again", 0)])
def test_the_same_question_about_an_overlapping_chunk_leaks_and_another_question_does_not(question, leaks):
    test = part("test", 100)
    half = " ".join([*test.corpus["test-c0"].split()[20:], *passage(7).split()[:20]])  # similarity about 0.6
    train = plus(part("train", 0), question.format(test.queries["test-q0"]), half, "overlapping")
    assert len(find_leaks(train, test)) == leaks


def test_a_test_chunk_that_nobody_asks_about_is_no_secret():
    test = part("test", 100)
    unasked = RetrievalDataset(test.queries, {**test.corpus, "more": passage(55)}, test.relevant_docs)
    assert find_leaks(plus(part("train", 0), "about a distractor", passage(55), "same"), unasked) == []


def test_dev_questions_about_test_chunks_block_unless_people_asked_them():
    test = part("test", 100)
    found = dataclasses.replace(
        splits(test=test), dev=plus(part("dev", 200), "chosen by", test.corpus["test-c1"], "copy")
    )
    assert [(each.level, each.count) for each in leak_findings(found)] == [("blocking", 1)]
    asked = dataclasses.replace(found, origins={**found.origins, "planted": "human"})
    assert [each.level for each in leak_findings(asked)] == ["warning"]


def test_leaking_train_questions_of_our_own_are_left_out():
    test = part("test", 100)
    leaking = splits(plus(part("train", 0), "mine", test.corpus["test-c1"], "copy"), test)
    kept, count = without_leaks(leaking)
    assert count == 1
    assert "planted" not in kept.train.queries
    assert "planted" not in kept.origins
    assert leak_findings(kept) == []


def test_leaking_dev_questions_of_our_own_are_left_out_and_people_s_are_not():
    test = part("test", 100)
    dev = plus(part("dev", 200), "mine", test.corpus["test-c1"], "copy")
    for origin, left_out in (("extractive", 1), ("human", 0)):
        origins = dict.fromkeys([*splits().train.queries, *dev.queries, *test.queries], origin)
        kept, count = without_leaks(dataclasses.replace(splits(test=test), dev=dev, origins=origins))
        assert count == left_out
        assert ("planted" in kept.dev.queries) == (not left_out)


def test_questions_about_other_chunks_of_a_train_page_are_told_but_do_not_block():
    places = {
        "train-c0": ("a.pdf", 4),
        "test-c0": ("a.pdf", 4),
        "test-c1": ("a.pdf", None),
        "train-c1": ("a.pdf", None),
    }
    (found,) = same_page_findings(splits(), places)
    assert (found.level, found.count) == ("info", 1)
    assert found.examples[0]["page"] == "a.pdf, page 4"
