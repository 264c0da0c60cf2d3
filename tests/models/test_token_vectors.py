import numpy as np
import pytest
import torch
from layouts import LAYOUTS, save_layout
from sentence_transformers import SentenceTransformer
from test_encoder import tiny_bert

from embft.errors import ModelError
from embft.models.encoder import Encoder
from embft.models.token_vectors import marks_of, token_vectors
from embft.reporting.load_example import _late_example


def test_a_vector_a_token_without_marks_and_prompt(tmp_path):
    encoder = Encoder(tiny_bert(tmp_path), "x", query_prompt="why : ", document_prompt="")
    texts = ["a b c", "a", "a b c d e f g"]
    found = token_vectors(encoder, encoder.model, texts, queries=True)
    assert found.starts.tolist() == [0, 3, 4]
    assert found.vectors.shape == (11, 32)
    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-5)
    # Sentence-transformers' own, one text at a time: [CLS] why : a b c [SEP].
    whole = encoder.model.encode(["why : a b c"], output_value="token_embeddings")[0].numpy()
    expected = whole[3:-1] / np.linalg.norm(whole[3:-1], axis=1, keepdims=True)
    assert np.allclose(found.vectors[:3], expected, atol=1e-5)
    without = token_vectors(encoder, encoder.model, texts, queries=False)
    assert without.starts.tolist() == found.starts.tolist()
    assert not np.allclose(without.vectors, found.vectors)


def test_a_text_without_tokens_is_its_marks_and_an_unknown_word_is_a_token(tmp_path):
    encoder = Encoder(tiny_bert(tmp_path), "x", query_prompt="", document_prompt="")
    found = token_vectors(encoder, encoder.model, ["", "???", "a"], queries=False)
    assert found.starts.tolist() == [0, 2, 5]
    assert len(found.vectors) == 6
    assert encoder.model.tokenizer.unk_token_id not in marks_of(encoder.model.tokenizer)


def test_what_is_read_ends_where_the_model_s_limit_is(tmp_path):
    encoder = Encoder(tiny_bert(tmp_path), "x", query_prompt="", document_prompt="why : ", max_seq_length=8)
    found = token_vectors(encoder, encoder.model, ["a b c d e f g h i"], queries=False)
    assert len(found.vectors) == 8 - 2 - 2


def test_a_model_without_token_vectors_is_refused(tmp_path):
    class OneVectorOnly(torch.nn.Module):
        def forward(self, features):
            return {key: value for key, value in features.items() if key != "token_embeddings"}

    encoder = Encoder(tiny_bert(tmp_path), "x", name="one", query_prompt="", document_prompt="")
    encoder.model.append(OneVectorOnly())
    with pytest.raises(ModelError, match="one has no vectors of tokens"):
        token_vectors(encoder, encoder.model, ["a"], queries=False)


@pytest.fixture(scope="module", params=LAYOUTS)
def layout(request, tmp_path_factory):
    return save_layout(request.param, tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize("prompt", ["", "query: ", "passage:", "w1 w2 "])
def test_every_piece_of_the_text_itself_has_a_vector_whatever_stands_before_it(layout, prompt):
    encoder = Encoder(layout, "x", query_prompt=prompt, document_prompt="")
    texts = ["loop makes stop", "w3", "early w7 w8 w9 w10"]
    found = token_vectors(encoder, encoder.model, texts, queries=True)
    ends = [*found.starts[1:], len(found.vectors)]
    for text, start, end in zip(texts, found.starts, ends, strict=True):
        whole = encoder.model.encode([prompt + text], output_value="token_embeddings")[0].numpy()
        encoded = encoder.model.tokenizer(prompt + text, return_offsets_mapping=True)
        marks = marks_of(encoder.model.tokenizer)
        own = [
            place
            for place, (token, (_, last)) in enumerate(
                zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
            )
            if token not in marks and last > len(prompt)
        ]
        assert end - start == len(own)
        expected = whole[own] / np.linalg.norm(whole[own], axis=1, keepdims=True)
        assert np.allclose(found.vectors[start:end], expected, atol=1e-4)


def test_the_first_piece_after_a_prompt_that_ends_in_a_space_is_not_lost(tmp_path):
    encoder = Encoder(save_layout("xlm-r", tmp_path), "x", query_prompt="query: ", document_prompt="")
    prompt_alone = encoder.model.tokenizer("query: ", add_special_tokens=False)["input_ids"]
    together = encoder.model.tokenizer("query: loop w1", add_special_tokens=False)["input_ids"]
    assert len(prompt_alone) + 2 > len(together)  # counting the prompt by itself takes one too many away
    found = token_vectors(encoder, encoder.model, ["loop w1"], queries=True)
    assert len(found.vectors) == 2


def test_the_card_s_example_gives_the_same_score_as_the_evaluation(layout):
    model = SentenceTransformer(str(layout), device="cpu")
    query, document = "query: ", "w1 w2 "
    encoder = Encoder(layout, "x", query_prompt=query, document_prompt=document)
    lines = [
        line.replace('"..."]', '"makes stop early", "w9 loop"]').replace('"..."', '"loop makes w3"')
        for line in _late_example(query, document)
    ]
    known = {"model": model, "torch": torch, "normalize": torch.nn.functional.normalize}
    exec("\n".join(lines), known)
    question = token_vectors(encoder, encoder.model, ["loop makes w3"], queries=True).vectors
    chunk = token_vectors(encoder, encoder.model, ["makes stop early", "w9 loop"], queries=False).vectors
    assert float(known["score"]) == pytest.approx((question @ chunk.T).max(axis=1).mean(), abs=1e-4)
