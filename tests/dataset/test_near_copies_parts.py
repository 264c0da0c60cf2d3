"""Near-copies are the same in however many parts the shingles are compared."""

import numpy as np
import pytest

from embft.dataset import near_copies as module
from embft.dataset.near_copies import near_copies


@pytest.mark.parametrize("part", [1, 50, 1000])
def test_parts_change_no_pair(part, monkeypatch):
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
    assert near_copies(texts, similarity=0.5) == within
    assert near_copies(texts, right, similarity=0.5) == across
