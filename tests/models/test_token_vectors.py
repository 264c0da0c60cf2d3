import numpy as np
import pytest
import torch
from test_encoder import tiny_bert

from embft.errors import ModelError
from embft.models.encoder import Encoder
from embft.models.token_vectors import marks_of, token_vectors


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
