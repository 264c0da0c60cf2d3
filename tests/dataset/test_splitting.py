from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embft.config import DatasetConfig
from embft.dataset.holding_back import hold_back
from embft.dataset.joining import split_questions
from embft.dataset.splitting import carve_dev, linked_groups
from embft.errors import DatasetError
from embft.records import Chunk, Question, RetrievalDataset, Splits


def paged(pages: int, per_page: int = 2) -> list[Chunk]:
    return [
        Chunk(f"p{page:03d}-{n}", f"text of page {page}, part {n}", "a.pdf", page, 0, 1)
        for page in range(1, pages + 1)
        for n in range(per_page)
    ]


def asked(chunks: list[Chunk], origin: str = "extractive") -> list[Question]:
    return [Question(f"{origin}-{chunk.id}", f"about {chunk.id}", (chunk.id,), origin) for chunk in chunks]


def config(**changes) -> DatasetConfig:
    return DatasetConfig(name="generated", **changes)


def split(chunks: list[Chunk], questions: list[Question], config: DatasetConfig) -> tuple[Splits, dict[str, int]]:
    """Dev and test of the questions about passages that are held back (people's, where there are any); the others train."""
    human = [question for question in questions if question.origin == "human"]
    made = [question for question in questions if question.origin != "human"]

    def write(held: list[Chunk]) -> list[Question]:
        ids = {chunk.id for chunk in held}
        return [question for question in made if ids.issuperset(question.chunk_ids)]

    return split_questions(chunks, hold_back(chunks, human, config, write), made, config)


@settings(max_examples=30, deadline=None)
@given(st.integers(8, 90), st.integers(1, 3), st.integers(0, 5), st.integers(1, 4))
def test_no_chunk_stands_in_two_splits_and_none_is_lost(pages, per_page, seed, block):
    chunks = paged(pages, per_page)
    splits, left_out = split(chunks, asked(chunks), config(block_pages=block, seed=seed))
    parts = [set(splits.train.corpus), set(splits.dev.corpus), set(splits.test.corpus)]
    assert sum(len(part) for part in parts) == len(set().union(*parts)) == len(chunks)
    assert left_out == {}
    home = {}
    for name, part in zip(("train", "dev", "test"), parts, strict=True):
        for chunk in chunks:
            if chunk.id in part and pages >= 20 * block:
                assert home.setdefault((chunk.page - 1) // block, name) == name


def test_people_s_questions_that_share_chunks_stay_together():
    chunks = paged(40, 1)
    human = [*asked(chunks, "human"), Question("bridge", "both", ("p001-0", "p040-0"), "human")]
    splits, _ = split(chunks, [*human, *asked(chunks)], config(seed=3, train_on="all"))
    home = {key: name for name in ("dev", "test") for key in getattr(splits, name).corpus}
    assert home["p001-0"] == home["p040-0"]
    assert "bridge" in getattr(splits, home["p001-0"]).queries


def test_a_question_about_chunks_of_two_splits_trains_nothing():
    chunks = paged(40, 1)
    home = {
        key: name
        for name in ("train", "test")
        for key in getattr(split(chunks, asked(chunks), config())[0], name).corpus
    }
    one, other = (next(key for key, split_name in home.items() if split_name == name) for name in ("train", "test"))
    splits, left_out = split(chunks, [*asked(chunks), Question("bridge", "both", (one, other), "openai")], config())
    assert left_out == {"questions about chunks of several splits": 1}
    assert "bridge" not in splits.train.queries


def test_human_questions_are_dev_and_test_and_generated_ones_train_elsewhere():
    chunks = paged(60, 1)
    human = asked(chunks[:20], "human")
    splits, left_out = split(chunks, [*human, *asked(chunks)], config(seed=0))
    origins = {
        name: Counter(splits.origins[key] for key in getattr(splits, name).queries) for name in ("train", "dev", "test")
    }
    assert origins == {"train": {"extractive": 40}, "dev": {"human": 6}, "test": {"human": 14}}
    assert left_out == {"generated questions about chunks that a person asked about": 20}
    assert len(splits.searched("test").corpus) == 60
    assert not set(splits.train.corpus) & set(splits.test.corpus)


def test_the_article_s_cut_loses_no_page():
    chunks = paged(169, 1)
    splits, _ = split(chunks, asked(chunks), config(split="article", train_pages=90, candidates="split", seed=0))
    test_pages = sorted(int(key[1:4]) for key in splits.test.corpus)
    assert test_pages == list(range(91, 170))
    assert len(splits.train.corpus) + len(splits.dev.corpus) == 90
    assert set(splits.searched("test").corpus) == set(splits.test.corpus)


def test_whole_documents_can_be_dealt_out():
    chunks = [Chunk(f"{d}{n}", f"{d}{n}", f"doc{d}", None, 0, 1) for d in "abcdefgh" for n in range(5)]
    splits, _ = split(chunks, asked(chunks), config(split="documents", seed=1))
    for name in ("train", "dev", "test"):
        part = getattr(splits, name).corpus
        assert all(f"{key[0]}{n}" in part for key in part for n in range(5))


def test_two_documents_are_too_few_to_deal_out():
    chunks = [Chunk(f"{d}", d, d, None, 0, 1) for d in "ab"]
    with pytest.raises(DatasetError, match=r"at least 3 documents.*dataset\.split=blocks"):
        split(chunks, asked(chunks), config(split="documents", seed=0))


def test_a_corpus_too_small_to_split_says_what_to_do():
    chunks = paged(1, 1)
    with pytest.raises(DatasetError, match=r"without questions.*block_pages"):
        split(chunks, asked(chunks), config(seed=0))


def test_the_split_depends_on_the_seed_and_on_nothing_else():
    chunks = paged(50)
    first, _ = split(chunks, asked(chunks), config(seed=1))
    again, _ = split(chunks, asked(chunks), config(seed=1))
    other, _ = split(chunks, asked(chunks), config(seed=2))
    assert first == again
    assert set(first.test.corpus) != set(other.test.corpus)


def test_dev_is_carved_from_train_by_chunks_with_all_their_questions():
    train = RetrievalDataset(
        {f"q{n}": str(n) for n in range(40)},
        {f"c{n}": str(n) for n in range(20)},
        {f"q{n}": (f"c{n // 2}",) for n in range(40)},
    )
    rest, dev = carve_dev(train, 0.15, 0)
    assert len(dev.corpus) == 3
    assert len(dev.queries) == 6
    assert set(rest.corpus) | set(dev.corpus) == set(train.corpus)
    assert not set(rest.corpus) & set(dev.corpus)
    assert all(ids[0] in dev.corpus for ids in dev.relevant_docs.values())


def test_groups_are_linked_through_shared_chunks():
    groups = linked_groups([("a", "b"), ("b", "c"), ("d",)])
    assert groups["a"] == groups["b"] == groups["c"] != groups["d"]
