import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embft.models.encoder import Encoder
from embft.retrieval.windows import cut_windows, whole_chunks, window_spans
from embft.text import tokens as independent


def word_offsets(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\w{1,4}|[^\w\s]", text)]


@given(
    st.text(alphabet="abcdefgh ,.中文\n", min_size=1, max_size=300),
    st.integers(2, 30),
    st.integers(0, 20),
)
def test_windows_cover_every_token_in_order_and_fit(text, tokens, overlap):
    offsets = word_offsets(text)
    overlap = min(overlap, tokens - 1)
    spans = window_spans(text, offsets, tokens, overlap)
    assert spans == sorted(spans)
    assert spans[0][0] == 0
    assert spans[-1][1] == len(text)
    for (_, end), (start, _) in itertools.pairwise(spans):
        assert start <= end, "nothing between two windows is lost"
    for start, end in spans:
        assert sum(start <= first < end for first, _ in offsets) <= tokens


def test_a_short_chunk_is_one_window():
    assert window_spans("ab cd", [(0, 2), (3, 5)], 2, 1) == [(0, 5)]


def test_windows_of_a_chunk_are_equally_long_and_repeat_no_more_than_they_must():
    text = " ".join("w" for _ in range(130))
    offsets = word_offsets(text)
    assert [text[a:b].count("w") for a, b in window_spans(text, offsets, 128, 0)] == [65, 65]
    assert [text[a:b].count("w") for a, b in window_spans(text, offsets, 64, 10)] == [50, 50, 50]


def test_a_word_is_never_torn():
    text = "abcdefgh " * 40
    for start, end in window_spans(text, word_offsets(text), 16, 1):
        assert not text[start:end].strip().replace("abcdefgh", "").strip()


@pytest.mark.parametrize("tokens", [32, 128])
def test_windows_of_a_real_tokenizer_fit_the_model(minilm_folder, tokens):
    encoder = Encoder(minilm_folder, "x")
    corpus = {"a": "Retrieval-augmented generation, 检索增强生成。 " * 60, "b": "short"}
    passages = cut_windows(corpus, encoder.token_spans, tokens, 8)
    lengths = [len(spans) for spans in encoder.token_spans(passages.texts)]
    assert max(lengths) <= tokens
    assert passages.owner.tolist() == sorted(passages.owner.tolist())
    assert passages.texts[-1] == "short"
    assert passages.starts.tolist() == [0, len(passages.texts) - 1]


def test_whole_chunks_are_their_own_passages():
    passages = whole_chunks({"a": "x", "b": "y"})
    assert passages.texts == ("x", "y")
    assert passages.starts.tolist() == [0, 1]


@given(st.text(alphabet="abcdefgh ,.中文\n123", max_size=400), st.integers(16, 40))
def test_windows_without_a_tokenizer_fit_by_model_independent_tokens(text, limit):
    passages = cut_windows({"a": text}, lambda texts: [independent.spans(one) for one in texts], limit, 4)
    assert max(independent.count(window) for window in passages.texts) <= limit
    if len(passages.texts) == 1:
        assert passages.texts[0] == text.strip()
