import numpy as np
import pytest

from embft.retrieval.vector_cache import VectorCache


def counting(calls: list[list[str]]):
    def encode(texts):
        calls.append(list(texts))
        return np.array([[len(text), ord(text[0])] for text in texts], np.float32)

    return encode


def test_a_text_is_embedded_once_whatever_the_order_or_process(tmp_path):
    calls: list[list[str]] = []
    first = VectorCache(tmp_path / "v").encode("m", "", ["bb", "a", "bb"], counting(calls))
    assert first.tolist() == [[2, 98], [1, 97], [2, 98]]
    again = VectorCache(tmp_path / "v").encode("m", "", ["a", "ccc", "bb"], counting(calls))
    assert again.tolist() == [[1, 97], [3, 99], [2, 98]]
    assert calls == [["bb", "a"], ["ccc"]]


def test_another_model_or_prompt_is_another_vector(tmp_path):
    calls: list[list[str]] = []
    cache = VectorCache(tmp_path / "v")
    cache.encode("m", "", ["a"], counting(calls))
    cache.encode("n", "", ["a"], counting(calls))
    cache.encode("m", "query: ", ["a"], counting(calls))
    assert len(calls) == 3


def test_what_was_embedded_before_a_crash_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("embft.retrieval.vector_cache.TEXTS_AT_ONCE", 2)
    cache = VectorCache(tmp_path / "v")
    calls: list[list[str]] = []
    inner = counting(calls)

    def breaks(texts):
        if len(calls) == 1:
            raise RuntimeError
        return inner(texts)

    texts = ["dddd", "ccc", "bb", "a"]
    with pytest.raises(RuntimeError):
        cache.encode("m", "", texts, breaks)
    cache.encode("m", "", texts, counting(calls))
    assert calls == [["dddd", "ccc"], ["bb", "a"]]


def test_vectors_made_elsewhere_are_found(tmp_path):
    cache = VectorCache(tmp_path / "v")
    cache.store("m", "p", ["a"], np.array([[1.5, 2.5]], np.float32))
    assert cache.encode("m", "p", ["a"], counting([])).tolist() == [[1.5, 2.5]]
    assert cache.encode("m", "p", [], counting([])).shape == (0, 0)
