"""Near-copies are the same in however many parts the shingles are cut and compared, and wherever these lie."""

import numpy as np
import pytest

from embft import scratch
from embft.dataset import near_copies as module
from embft.dataset.near_copies import near_copies


@pytest.mark.parametrize(("part", "words_at_once", "in_memory"), [(150, 1, 0), (7, 900, 1 << 20), (1000, 90, 2000)])
def test_parts_change_no_pair(part, words_at_once, in_memory, monkeypatch):
    random = np.random.default_rng(0)
    words = [f"w{number}" for number in range(60)]
    texts = {}
    for number in range(40):
        base = random.choice(words, 30).tolist()
        texts[f"{number:02d}"] = " ".join(base)
        base[random.integers(30)] = "other"
        texts[f"{number:02d}x"] = " ".join(base)
        texts[f"{number:02d}y"] = texts[f"{number:02d}"]
    right = dict(list(texts.items())[::2])
    within, across = near_copies(texts, similarity=0.5), near_copies(texts, right, similarity=0.5)
    assert len(within) >= 60
    monkeypatch.setattr(module, "_PART", part)
    monkeypatch.setattr(module, "_WORDS", words_at_once)
    monkeypatch.setattr(scratch, "IN_MEMORY", in_memory)
    assert near_copies(texts, similarity=0.5) == within
    assert near_copies(texts, right, similarity=0.5) == across


def test_texts_without_words_have_no_copies(monkeypatch):
    monkeypatch.setattr(module, "_WORDS", 2)
    assert near_copies({}, similarity=0.5) == near_copies({"a": "", "b": "..."}, {}, similarity=0.5) == []
    assert [
        (one.left, one.right) for one in near_copies({"a": "one two", "b": "", "c": "One, two"}, similarity=0.5)
    ] == [("a", "c")]
