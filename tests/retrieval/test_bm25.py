from embft.retrieval.bm25 import BM25Scorer, words
from embft.retrieval.scoring import rank

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
