"""A batch that is cut into tokens once and padded by length has the vectors of `Encoder`."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import LAYOUTS, save_layout

from embft.models.batch_encoding import by_length, encode_batch
from embft.models.encoder import Encoder

TEXTS = ["w1", "w2 w3 loop stop early w4 w5", "", *(f"passage {' w7' * count}" for count in (1, 30, 3, 90))]


def cost(parts: list[list[int]], lengths: list[int], one_pass: int) -> int:
    return sum(one_pass + len(part) * max(lengths[place] for place in part) for part in parts)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=7), st.integers(0, 60))
def test_no_other_division_of_a_batch_is_cheaper(lengths, one_pass):
    parts = by_length(lengths, one_pass)
    assert sorted(place for part in parts for place in part) == list(range(len(lengths)))
    order = sorted(range(len(lengths)), key=lambda place: lengths[place])
    for ends in product([False, True], repeat=len(lengths) - 1):
        other: list[list[int]] = [[order[0]]]
        for place, begins in zip(order[1:], ends, strict=True):
            if begins:
                other.append([])
            other[-1].append(place)
        assert cost(parts, lengths, one_pass) <= cost(other, lengths, one_pass)


@pytest.mark.parametrize("name", sorted(LAYOUTS))
@pytest.mark.parametrize("queries", [True, False])
def test_vectors_counts_and_cuts_are_those_of_the_encoder(name, queries, tmp_path):
    encoder = Encoder(
        save_layout(name, tmp_path / name), name, query_prompt="query: ", document_prompt="passage: ", max_seq_length=24
    )
    batch = encode_batch(encoder, TEXTS, queries=queries)
    alone = encoder.encode_with(encoder.model, TEXTS, queries=queries)
    assert np.abs(batch.vectors - alone).max() < 2e-6
    prompt = encoder.query_prompt if queries else encoder.document_prompt
    whole = [len(row) for row in encoder.model.tokenizer([prompt + text for text in TEXTS])["input_ids"]]
    assert (batch.tokens, batch.cut) == (whole, [count > 24 for count in whole])
