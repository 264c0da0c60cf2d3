"""BM25 over the terms that are asked for gives what bm25s gives over all of them, to the last bit."""

from itertools import chain

import bm25s
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embft import scratch
from embft.config import RetrievalConfig
from embft.embedded_text import IndexedCorpus
from embft.retrieval import asked_terms, bm25
from embft.retrieval.best_windows import PositionFirst
from embft.retrieval.bm25 import BM25Scorer, index_bytes, pairs_of, windows_of
from embft.text.corpus_terms import CorpusTerms
from embft.text.terms import merged

WORDS = [f"w{letter}{other}" for letter in "abcdefgh" for other in "klm"]
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join), min_size=1, max_size=12)


def by_bm25s(texts: list[list[str]], asked: list[str]) -> np.ndarray:
    if not any(texts) or not asked:
        return np.zeros(len(texts), np.float32)
    lists = bm25s.BM25(k1=1.5, b=0.75, method="lucene")
    lists.index(texts, show_progress=False)
    return lists.get_scores(asked)


def reference(
    corpus: list[str], question: str, window: int, share: float, language: str, contexts: list[str] | None = None
) -> np.ndarray:
    terms = CorpusTerms.of(corpus, language)
    readings = terms.question(question)
    before = terms.of_contexts(contexts or [""] * len(corpus))
    chunks = [[*context, *chunk] for context, chunk in zip(before, terms.chunks, strict=True)]
    row = by_bm25s(chunks, merged(readings))
    if window and any(len(chunk) > window for chunk in terms.chunks):
        cut = [
            [[*context, *part] for part in windows_of(chunk, window)]
            for context, chunk in zip(before, terms.chunks, strict=True)
        ]
        scores = by_bm25s(list(chain.from_iterable(cut)), merged(readings))
        row = row + np.maximum.reduceat(scores, np.cumsum([0, *map(len, cut[:-1])]))
    if share:
        asked = merged([pairs_of(one) for one in readings])
        row = row + np.float32(share) * by_bm25s([pairs_of(chunk) for chunk in chunks], asked)
    return np.round(row, 6)


@settings(max_examples=40, deadline=None)
@given(
    TEXTS, TEXTS, TEXTS, st.sampled_from([0, 1, 2, 3, 5, 8]), st.sampled_from([0.0, 0.5]), st.sampled_from([1, 3, 100]),
    st.sampled_from([0, 300, 1 << 20]),
)  # fmt: skip
def test_scores_are_those_of_the_whole_index(corpus, questions, contexts, window, share, shard, in_memory):
    contexts = [contexts[place] if place < len(contexts) else "" for place in range(len(corpus))]
    indexed = IndexedCorpus(*({str(at): text for at, text in enumerate(texts)} for texts in (corpus, contexts)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bm25, "SHARD", shard)
        patch.setattr(scratch, "IN_MEMORY", in_memory)
        patch.setattr(asked_terms, "_BLOCK", min(shard, 2))
        scorer = BM25Scorer(indexed, questions, window=window, pairs=share, language="en")
        scores = scorer.scores(0, len(questions))
        whole = BM25Scorer(indexed, None, window=window, pairs=share, language="en")
    for row, question in zip(scores, questions, strict=True):
        assert np.array_equal(row, reference(corpus, question, window, share, "en", contexts))
    assert np.array_equal(whole.asking(questions).scores(0, len(questions)), scores)


def test_a_corpus_in_two_languages_is_asked_by_the_rules_of_both():
    german = "Die Mitarbeiter nehmen Elternzeit, und die Firma zahlt ihre Sozialversicherung in dieser Zeit weiter."
    english = "Employees may take parental leave for twelve weeks, and the company keeps paying for their insurance."
    corpus = [f"{text} {number}" for number in range(4) for text in (german, english)]
    question = "Wer zahlt die Sozialversicherung der Mitarbeiter?"
    scorer = BM25Scorer(dict(enumerate(corpus)), [question], window=4, pairs=0.5)
    assert np.array_equal(scorer.scores(0, 1)[0], reference(corpus, question, 4, 0.5, "auto"))


def test_a_part_of_the_questions_scores_as_all_of_them_do():
    corpus = {"a": "alpha beta", "b": "beta gamma", "c": "delta"}
    scorer = BM25Scorer(corpus, ["alpha", "beta gamma", ""], window=1, pairs=1.0)
    assert np.array_equal(scorer.scores(1, 3), scorer.scores(0, 3)[1:])


@pytest.mark.parametrize("counts", [[1, 1, 1], [3, 1, 2, 3], [1], [2, 5]])
def test_the_maximum_of_positions_is_that_of_each_chunk(counts):
    layout = PositionFirst(np.array(counts))
    scores = np.random.default_rng(0).normal(size=(4, sum(counts))).astype(np.float32)
    starts = np.cumsum([0, *counts[:-1]])
    assert np.array_equal(layout.best(scores[:, layout.sources()]), np.maximum.reduceat(scores, starts, axis=1))
    chunks = np.repeat(np.arange(len(counts)), counts)
    rows = layout.rows(chunks, np.arange(len(chunks)) - starts[chunks])
    assert np.array_equal(layout.sources()[rows], np.arange(len(chunks)))


def test_the_size_of_an_index_is_that_of_bm25s():
    corpus = {"a": "gross margin fell again", "b": "margin gross of tax", "c": "", "d": "gross gross gross"}
    chunks = CorpusTerms.of(list(corpus.values()), "en").chunks
    expected = 0
    for texts in (chunks, [one for chunk in chunks for one in windows_of(chunk, 2)], [pairs_of(one) for one in chunks]):
        lists = bm25s.BM25()
        lists.index(texts, show_progress=False)
        expected += sum(lists.scores[name].nbytes for name in ("data", "indices", "indptr"))
        expected += sum(len(word.encode()) for word in lists.vocab_dict)
    config = RetrievalConfig(name="windows", bm25_window=2, bm25_pairs=0.5, bm25_language="en")
    assert index_bytes(config, corpus) == expected
