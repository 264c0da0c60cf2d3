"""Static tables and encoders of many vectors, where they differ from a transformer with a pooling."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from layouts import save_layout, save_multi_vector, save_static
from plain_config import plain_config
from safetensors.torch import load_file, save_file

from embft.config import RetrievalConfig, TrainingConfig
from embft.config.reranking import RerankerConfig
from embft.errors import ModelError
from embft.models.encoder import Encoder
from embft.models.fit import check_fit
from embft.models.folder_check import check_folder
from embft.models.kinds import MULTI_VECTOR, STATIC, TRANSFORMER
from embft.models.loading import load_model
from embft.models.saving import save_base
from embft.models.token_vectors import token_vectors
from embft.models.vectors import TokenVectors
from embft.retrieval.max_sim import max_sim
from embft.training.gradcache import pieces_of
from embft.training.token_loss import joined, max_sims, packed


@pytest.fixture(scope="module")
def static(tmp_path_factory) -> Path:
    return save_static(tmp_path_factory.mktemp("static"))


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Path:
    return save_multi_vector(tmp_path_factory.mktemp("many"))


def used(folder: Path, **settings) -> Encoder:
    return Encoder(folder, "x", query_prompt="query: ", document_prompt="passage: ", **settings)


def changed(file: Path, **settings) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **settings}))


def test_a_folder_says_of_which_kind_it_is(static, many, tmp_path):
    kinds = [check_folder("x", folder).kind for folder in (static, many, save_layout("bert", tmp_path))]
    assert kinds == [STATIC, MULTI_VECTOR, TRANSFORMER]


def test_a_static_table_tells_where_tokens_stand_and_reads_all_of_a_text(static):
    encoder = used(static)
    assert encoder.token_spans(["w1 loop: stop"])[0] == [(0, 2), (3, 7), (7, 8), (9, 13)]
    assert encoder.usable_tokens() is None
    assert encoder.read_ends(["w1 loop " * 500]) == [4000]


def test_a_static_table_cuts_texts_off_where_it_is_told_to_and_so_does_what_is_saved_of_it(static, tmp_path):
    encoder = used(static, max_seq_length=16)
    assert encoder.usable_tokens() == 14  # but for "passage:"
    text = " ".join(["w1", "w2"] * 6 + ["w3", "w4", "w5", "w6"])
    (end,) = encoder.read_ends([text])
    assert text[:end].split() == text.split()[:14]
    whole, cut = encoder.encode_passages([text, text[:end]])
    np.testing.assert_array_equal(whole, cut)
    save_base(encoder, tmp_path / "saved")
    np.testing.assert_allclose(load_model(tmp_path / "saved", "cpu").encode_document([text])[0], cut, atol=1e-6)


@pytest.mark.parametrize("with_modules", [True, False])
def test_model2vec_s_own_layout_is_a_static_table_too(static, tmp_path, with_modules):
    """As potion models are laid out on the hub, in half precision, with or without what sentence-transformers reads."""
    table = load_file(static / "model.safetensors")["embedding.weight"].half()
    save_file({"embeddings": table}, tmp_path / "model.safetensors")
    (tmp_path / "tokenizer.json").write_bytes((static / "tokenizer.json").read_bytes())
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "model2vec", "normalize": True, "hidden_dim": 16}))
    if with_modules:
        old = "sentence_transformers.models"
        modules = [
            {"idx": 0, "name": "0", "path": ".", "type": f"{old}.StaticEmbedding"},
            {"idx": 1, "name": "1", "path": "1_Normalize", "type": f"{old}.Normalize"},
        ]
        (tmp_path / "modules.json").write_text(json.dumps(modules))
    texts = ["w1 loop", "stop early w2"]
    given = used(tmp_path).encode_passages(texts)
    np.testing.assert_allclose(given, used(static).encode_passages(texts), atol=2e-3)
    assert next(load_model(tmp_path, "cpu").parameters()).dtype == torch.float32


def test_a_table_of_token_vectors_alone_is_adapted_and_loads_again(static, tmp_path):
    """Without a last layer that could be shared: the passages' way through it changes no vector."""
    from sentence_transformers import SentenceTransformer

    from embft.models.saving import Prompts
    from embft.models.vectors import QueryMap
    from embft.training.adapter_model import save_adapted

    bare = tmp_path / "bare"
    SentenceTransformer(modules=[load_model(static, "cpu")[0]], device="cpu").save_pretrained(str(bare))
    encoder, draw = used(bare), np.random.default_rng(0)
    query_map = QueryMap(draw.normal(size=(16, 16)).astype(np.float32), draw.normal(size=16).astype(np.float32), False)
    model = encoder.as_module()
    Prompts("query: ", "passage: ").put_into(model)
    save_adapted(model, query_map, tmp_path / "model")
    loaded = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    texts = ["loop makes", "w3 w4"]
    np.testing.assert_allclose(loaded.encode_query(texts), query_map(encoder.encode_questions(texts)), atol=1e-5)
    np.testing.assert_array_equal(loaded.encode_document(texts), encoder.encode_passages(texts))


def test_pieces_of_a_static_table_s_batch_are_its_texts(static):
    model = load_model(static, "cpu")
    features = model.preprocess(["w1", "loop stop early", "w2 w3", "w4 w5 w6", "w7"])
    whole = model(dict(features))["sentence_embedding"]
    pieces = pieces_of(features, 2)
    assert [len(piece["offsets"]) for piece in pieces] == [2, 2, 1]
    torch.testing.assert_close(torch.cat([model(piece)["sentence_embedding"] for piece in pieces]), whole)


def test_a_model_of_many_vectors_gives_those_that_it_scores_by(many):
    encoder = used(many)
    texts = ["w1 loop : stop", "early"]
    questions = token_vectors(encoder, encoder.model, texts, queries=True)
    assert questions.starts.tolist() == [0, 24]  # filled up with [MASK]
    passages = token_vectors(encoder, encoder.model, texts, queries=False)
    assert passages.starts.tolist() == [0, 6]  # [CLS] passage w1 loop stop [SEP]: colons do not count
    own = encoder.model.encode_document(texts, prompt="passage: ", convert_to_numpy=True)
    np.testing.assert_allclose(passages.vectors, np.concatenate(own), atol=1e-6)
    scores = encoder.model.similarity(
        encoder.model.encode_query(texts, prompt="query: "),
        encoder.model.encode_document(texts, prompt="passage: "),
        length_normalize=True,
    )
    np.testing.assert_allclose(max_sim(questions, passages, np.arange(2)), scores.numpy(), atol=1e-5)


def test_the_limit_of_a_model_of_many_vectors_is_that_of_its_passages(many):
    assert used(many).usable_tokens() == 32 - 2 - 2  # of 40: document_length, marks, "passage :"
    assert used(many, max_seq_length=20).usable_tokens() == 20 - 2 - 2


def test_it_is_trained_by_the_score_that_it_is_searched_by(many):
    model = load_model(many, "cpu")
    texts = ["w1 loop : stop", "early", "w2 w3 w4 w5 w6 w7"]
    sides = {}
    for task in ("query", "document"):
        features = model.preprocess(texts, prompt=None, task=task)
        whole = packed(model(dict(features), task=task))
        pieces = joined([packed(model(piece, task=task)) for piece in pieces_of(features, 2)])
        torch.testing.assert_close(pieces[..., -1], whole[..., -1])
        torch.testing.assert_close(pieces * pieces[..., -1:], whole * whole[..., -1:], atol=1e-5, rtol=1e-5)
        sides[task] = whole.detach()
    for width in (8, 3):
        trained = max_sims(sides["query"], sides["document"], width).numpy()
        np.testing.assert_allclose(trained, searched(sides["query"], sides["document"], width), atol=1e-5)


def searched(questions: torch.Tensor, passages: torch.Tensor, width: int) -> np.ndarray:
    def unpacked(rows: torch.Tensor) -> TokenVectors:
        kept = [torch.nn.functional.normalize(row[row[:, -1] > 0, :width], dim=-1).numpy() for row in rows]
        return TokenVectors(np.concatenate(kept), np.cumsum([0, *(len(row) for row in kept[:-1])]))

    return max_sim(unpacked(questions), unpacked(passages), np.arange(len(passages)))


@pytest.mark.parametrize("mark", ["[Q] ", ""])
def test_a_folder_of_pylate_s_is_a_model_of_many_vectors(many, tmp_path, mark):
    """Transformer and projection alone, its own name for the latter, its settings in one file: as on the hub."""
    import shutil

    folder = tmp_path / "model"
    shutil.copytree(many, folder)
    for left_out in ("2_MultiVectorMask", "3_Normalize"):
        shutil.rmtree(folder / left_out)
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 40, "do_lower_case": False}))
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Dense", "type": "pylate.models.Dense.Dense"},
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    changed(
        folder / "config_sentence_transformers.json",
        model_type="ColBERT", prompts={}, query_prefix=mark, document_prefix="[D] ", query_length=24,
        document_length=32, do_query_expansion=True, attend_to_expansion_tokens=False, skiplist_words=[":"],
    )  # fmt: skip
    assert check_folder("x", folder).kind == MULTI_VECTOR
    encoder = Encoder(folder, "x")
    assert (encoder.query_prompt, encoder.document_prompt) == (mark, "[D] ")
    found = token_vectors(encoder, encoder.model, ["w1 : loop"], queries=True)
    assert len(found.vectors) == 24
    save_base(encoder, tmp_path / "saved")
    again = Encoder(tmp_path / "saved", "x")
    np.testing.assert_allclose(
        token_vectors(again, again.model, ["w1 : loop"], queries=True).vectors, found.vectors, atol=1e-5
    )


def refusal(kind: str, mode: str = "windows", **settings) -> str:
    config = plain_config(
        training=TrainingConfig(name="x", **settings), retrieval=RetrievalConfig(name=mode, mode=mode)
    )
    with pytest.raises(ModelError) as refused:
        check_fit("somebody/model", kind, config)
    return str(refused.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"part": "lora"}, "no linear layers"), ({"frozen_share": 0.5}, "no layers to freeze"),
        ({"attention": "sdpa"}, "no attention"), ({"gradient_checkpointing": True}, "no layers whose activations"),
        ({"compile": True}, "no transformer to compile"), ({"mode": "late"}, "take retrieval=windows"),
    ],
)  # fmt: skip
def test_what_a_static_table_cannot_do_is_said_in_one_sentence(settings, words):
    message = refusal(STATIC, **settings)
    assert words in message
    assert message.startswith("Model somebody/model is a static table")
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mode": "windows"}, "add retrieval=late (it is windows)"), ({"negatives": 2}, "training.negatives"),
        ({"part": "adapter"}, "take another recipe"), ({"loss": "distillation"}, "folder of a cross-encoder"),
        ({"loss": "gist", "guide": "folder"}, "leave out training.guide"),
    ],
)  # fmt: skip
def test_what_a_model_of_many_vectors_cannot_do_is_said_in_one_sentence(settings, words):
    message = refusal(MULTI_VECTOR, **{"mode": "late", **settings})
    assert words in message
    assert message.startswith("Model somebody/model is a MultiVectorEncoder")
    assert len(message.splitlines()) == 1


def test_what_fits_is_let_through():
    check_fit("x", STATIC, plain_config())
    check_fit("x", MULTI_VECTOR, plain_config(retrieval=RetrievalConfig(name="late", mode="late")))
    check_fit("x", STATIC, plain_config(training=TrainingConfig(name="x", enabled=False, part="lora")))


def test_a_static_table_reorders_nothing_by_its_tokens():
    config = plain_config()
    config.evaluation.systems = ["base", "reranked"]
    config.evaluation.reranker = RerankerConfig(kind="late")
    with pytest.raises(ModelError, match="take a cross-encoder"):
        check_fit("x", STATIC, config)
