import numpy as np

from embft.retrieval.bm25 import BM25Scorer, windows_of
from embft.retrieval.scoring import rank
from embft.text.terms import words

CORPUS = {
    "a": "The company repurchased shares of common stock.",
    "b": "Employees may take parental leave for twelve weeks.",
    "c": "公司在报告期内回购了普通股股份。",
    "d": "",
}


def order(question: str) -> tuple[str, ...]:
    scorer = BM25Scorer(CORPUS, [question])
    return rank(scorer, ["q"], list(CORPUS), system="bm25", score_name="bm25", depth=4, floor=0.0).chunk_ids["q"]


def test_stems_meet_and_stop_words_do_not():
    assert order("which repurchases of a share?") == ("a",)
    assert order("the of and") == ()


def test_chinese_is_cut_into_words():
    assert order("普通股回购") == ("c",)
    assert "股份" in words("普通股股份")


def test_names_numbers_and_mixed_text_stay_whole():
    assert words("GPT-3.5在A100上") == ["gpt", "3.5", "a100", "上"]
    assert words("__init__ don't") == ["__init__", "don't"] or "__init__" in words("__init__ don't")


def test_no_question_and_no_text_do_not_break():
    assert BM25Scorer({"a": ""}, ["x"]).scores(0, 1).tolist() == [[0.0]]
    assert BM25Scorer(CORPUS, [""]).scores(0, 1).tolist() == [[0.0] * 4]


def test_windows_overlap_by_half_and_the_last_ends_with_the_text():
    assert windows_of(list("abcdefg"), 4) == [list("abcd"), list("cdef"), list("defg")]
    assert windows_of(list("abcdef"), 4) == [list("abcd"), list("cdef")]
    assert windows_of(list("abc"), 4) == [list("abc")]
    assert windows_of([], 4) == [[]]
    assert windows_of(list("abc"), 1) == [["a"], ["b"], ["c"]]


def test_words_that_stand_together_count_for_more_than_words_apart():
    filler = [f"filler{number}" for number in range(60)]
    together = " ".join([*filler[:30], "parental", "leave", *filler[30:]])
    apart = " ".join(["parental", *filler, "leave"])
    corpus = {"apart": apart, "short": "commuters", "together": together}
    chunks, windows = (BM25Scorer(corpus, ["parental leave"], window=size).scores(0, 1)[0] for size in (0, 16))
    assert chunks[0] == chunks[2] > 0
    assert windows[2] > windows[0] > 0
    assert windows[1] == 0


def test_a_chunk_s_score_is_its_own_and_its_best_window_s():
    corpus = {"a": "alpha beta gamma delta epsilon zeta", "b": "alpha eta", "c": ""}
    cut = {"a1": "alpha beta gamma delta", "a2": "gamma delta epsilon zeta", "b": "alpha eta", "c": ""}
    question = ["zeta gamma alpha"]
    chunks, passages = (BM25Scorer(part, question).scores(0, 1)[0] for part in (corpus, cut))
    best = np.array([passages[:2].max(), passages[2], 0])
    assert np.allclose(BM25Scorer(corpus, question, window=4).scores(0, 1)[0], chunks + best, atol=1e-5)
    # Where every chunk fits into one window, there is nothing to add.
    assert np.array_equal(BM25Scorer(corpus, question, window=6).scores(0, 1)[0], chunks)


def test_words_side_by_side_count_for_more_than_the_same_words_scattered():
    corpus = {
        "bare": "leave the parental home",
        "pair": "parental leave home",
        "other": "commuters",
    }
    alone, with_pairs = (
        BM25Scorer(corpus, ["is parental leave paid?"], pairs=share).scores(0, 1)[0] for share in (0, 1)
    )
    assert alone[0] == alone[1] > 0
    assert with_pairs[0] == alone[0]
    assert with_pairs[1] > alone[1]
    assert with_pairs[2] == 0


def test_the_score_by_pairs_is_that_of_an_index_of_pairs():
    corpus = {"a": "gross margin fell", "b": "margin gross of tax", "c": "gross of margin", "d": ""}
    joined = {"a": "grossmargin marginfell", "b": "margingross grosstax", "c": "grossmargin", "d": ""}
    by_words = BM25Scorer(corpus, ["gross margin"]).scores(0, 1)[0]
    by_pairs = BM25Scorer(joined, ["grossmargin"]).scores(0, 1)[0]
    assert by_pairs[0] > 0 == by_pairs[1]
    mixed = BM25Scorer(corpus, ["gross margin"], pairs=0.5)
    assert np.allclose(mixed.scores(0, 1)[0], by_words + 0.5 * by_pairs, atol=1e-5)
    # A question of one word has no pair.
    assert np.array_equal(
        BM25Scorer(corpus, ["gross"], pairs=0.5).scores(0, 1)[0], BM25Scorer(corpus, ["gross"]).scores(0, 1)[0]
    )
