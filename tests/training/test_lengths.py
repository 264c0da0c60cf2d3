"""Batches in groups of like length give the vectors of the whole batch."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from embft.models.loading import load_model
from embft.training import lengths
from embft.training.lengths import embed_by_length, groups_of_length


@given(st.lists(st.integers(1, 512), min_size=1, max_size=60))
def test_groups_hold_every_text_once_longest_first(sizes):
    groups = groups_of_length(torch.tensor(sizes))
    order = torch.cat(groups).tolist()
    assert sorted(order) == list(range(len(sizes)))
    assert [sizes[place] for place in order] == sorted(sizes, reverse=True)
    if len(groups) > 1:
        assert all(sum(sizes[place] for place in group.tolist()) >= 1024 for group in groups)


def test_texts_of_one_length_stay_together_and_others_do_not():
    assert len(groups_of_length(torch.full((32,), 254))) == 1
    assert len(groups_of_length(torch.tensor([20] * 32))) == 1
    assert [len(group) for group in groups_of_length(torch.tensor([254] * 8 + [120] * 16))] == [8, 16]


def test_vectors_come_in_the_order_of_the_batch_and_are_those_of_one_group(minilm_folder, monkeypatch):
    monkeypatch.setattr(lengths, "_WORTH", 20)
    model = load_model(minilm_folder, "cpu")
    texts = [f"text {number} " + "goes on and on " * (7 * number % 11) for number in range(20)]
    widths = []

    def embed(features):
        widths.append(features["input_ids"].shape)
        return model(dict(features))["sentence_embedding"]

    features = model.preprocess(texts)
    together = embed(features)
    widths.clear()
    apart = embed_by_length(embed, features)
    assert len(widths) > 2
    assert len({width for _, width in widths}) == len(widths)
    assert torch.allclose(apart, together, atol=1e-5)
    apart.sum().backward()


NOT_PADDED = [{"vector": torch.ones(4, 2)}, {"input_ids": torch.ones(1, 9), "attention_mask": torch.ones(2, 2)}]


@pytest.mark.parametrize("features", NOT_PADDED)
def test_what_is_not_padded_at_its_end_is_embedded_as_it_is(features):
    seen = []
    embed_by_length(lambda given: seen.append(given) or torch.zeros(4, 2), features)
    assert seen == [features]


def test_texts_padded_at_their_beginnings_are_embedded_as_they_are():
    mask = torch.tensor([[0, 1, 1], [1, 1, 1]])
    seen = []
    embed_by_length(lambda given: seen.append(given) or torch.zeros(2, 2), {"input_ids": mask, "attention_mask": mask})
    assert len(seen) == 1
