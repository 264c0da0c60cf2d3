"""The realism figures, against hand-made sets and the article's."""

from __future__ import annotations

from dataclasses import replace

from embft.dataset.formats import read_llama_index
from embft.evaluation.realism import realism, realism_warnings
from embft.questions.realism import describe
from embft.records import RetrievalDataset, Splits
from embft.retrieval.best_ranks import best_ranks

CORPUS = {"a": "cats purr and sleep", "b": "dogs bark at cats", "c": "fish swim"}


def test_best_ranks_are_those_of_the_best_relevant_chunk_with_ties_in_order() -> None:
    questions = ["dogs bark", "fish", "cats", "cats", "nothing shared"]
    relevant = [("b",), ("a", "c"), ("a",), ("b",), ("a",)]
    ranks = best_ranks(questions, relevant, CORPUS)
    assert ranks[:2] == [1, 1]
    assert sorted(rank for rank in ranks[2:4] if rank) == [1, 2]
    assert ranks[4] is None
    assert best_ranks(["x", "cat"], [("two",), ("two",)], {"one": "cat", "two": "cat"}) == [None, 2]


def test_figures_of_a_small_set_by_hand() -> None:
    questions = ["what do dogs bark at", "What do dogs bark at?", "fish swim", "according to the text, why sleep"]
    passages = [CORPUS["b"], CORPUS["b"], CORPUS["c"], CORPUS["a"]]
    figures = describe(questions, passages, [1, 1, 2, None])
    assert figures.looked_at == 4
    assert figures.bm25_at_1 == 0.5
    assert (figures.duplicates, figures.near_duplicates, figures.passage_dependent) == (1, 1, 1)
    assert figures.copied == 0.75  # "bark at", "fish swim"
    assert figures.kinds == {"fact": 0.5, "keywords": 0.5}


def splits(train: dict[str, str], test: dict[str, str], origin: dict[str, str]) -> Splits:
    def part(asked: dict[str, str], chunks: tuple[str, ...]) -> RetrievalDataset:
        return RetrievalDataset(asked, {key: CORPUS[key] for key in chunks}, dict.fromkeys(asked, chunks[:1]))

    everything = Splits.EVERYTHING
    return Splits(
        part(train, ("b",)), part({}, ()), part(test, ("a", "c")), {}, {"dev": everything, "test": everything}, origin
    )


def test_each_split_and_origin_has_its_row() -> None:
    rows = realism(
        splits({"1": "dogs bark", "2": "why bark"}, {"3": "purr"}, {"1": "extractive", "2": "openai", "3": "human"})
    )
    assert [(row.split, row.origin, row.questions) for row in rows] == [
        ("train", "extractive", 1), ("train", "openai", 1), ("test", "human", 1),
    ]  # fmt: skip
    assert rows[2].bm25_at_1 == 1.0


def test_the_article_s_test_questions_are_described_and_warned_of(nvidia_data) -> None:
    train, test = (read_llama_index(nvidia_data / f"{name}_dataset.json") for name in ("train", "val"))
    empty = RetrievalDataset({}, {}, {})
    origins = {key: "file" for part in (train, test) for key in part.queries}
    rows = realism(Splits(train, empty, test, {}, {"dev": ("dev",), "test": ("test",)}, origins))
    row = next(row for row in rows if row.split == "test")
    assert (row.questions, row.passage_dependent, row.duplicates) == (182, 58, 1)
    assert 0.7 < row.bm25_at_1 < 0.8
    assert row.overlap > 0.6
    (warning,) = realism_warnings(rows)
    assert warning.startswith("58 of 182 test questions lean on a passage")
    assert realism_warnings([replace(row, passage_dependent=3)]) == []
