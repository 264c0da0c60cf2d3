"""Model folders as they should not be: each is refused in words, before any other work. None may run as a model."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from model_folders import (
    MODELS,
    Mutation,
    all_of,
    cut,
    emptied,
    filled,
    module,
    moved,
    remove,
    renamed,
    router,
    sharded,
    update,
    weights,
    write,
)  # fmt: skip

from embft.config import ModelConfig
from embft.errors import ModelError
from embft.models.source import resolve

HOSTILE_MODELS = 93
"""Folders in the table below; docs/reliability.md names the number."""

WORDS = ["why", "what", "loop", "stop", "early", "house", "tree", "river", "stone", "cloud", "green", "walk"]
DENSE = "2_Dense/model.safetensors"
IDENTITY = "torch.nn.modules.linear.Identity"
CASES: list[tuple[str, Mutation, str]] = [
    ("an empty folder", emptied, "holds no model"),
    # Broken descriptions.
    ("config.json is no JSON", write("config.json", "{"), r"damaged: .*config\.json is not JSON"),
    ("config.json is a list", write("config.json", []), r"config\.json should hold a JSON object"),
    ("config.json in UTF-16", write("config.json", '{"model_type": "bert"}'.encode("utf-16")), "is not JSON"),
    ("config.json of brackets", write("config.json", "[" * 100_000), "is not JSON"),
    ("config.json is a folder", all_of(remove("config.json"), write("config.json/x", "")), r"config\.json is (missing|not)"),
    ("config.json is missing", remove("config.json"), r"incomplete: .*config\.json is missing"),
    ("no model_type", update("config.json", model_type=...), "names no model_type"),
    ("model_type is a number", update("config.json", model_type=3), "names no model_type"),
    ("a model_type nobody knows", update("config.json", model_type="zebra"), "zebra"),
    ("an activation nobody knows", update("config.json", hidden_act="zebra"), "cannot be loaded: KeyError.*zebra"),
    ("modules.json is cut off", cut("modules.json", 40), r"modules\.json is not JSON"),
    ("modules.json is an object", write("modules.json", {}), "should be a list of modules"),
    ("modules.json is empty", write("modules.json", []), "should be a list of modules"),
    ("a module without a path", module(1, path=...), "needs a name, a path and a type"),
    ("a module that is text", write("modules.json", ["Transformer"]), "needs a name, a path and a type"),
    ("two modules of one name", module(1, name="0"), "have one name"),
    ("sentence-transformers' settings are no JSON", write("config_sentence_transformers.json", "?"), "is not JSON"),
    ("prompts are a list", update("config_sentence_transformers.json", prompts=["query: "]), "should be texts by name"),
    ("a prompt is a number", update("config_sentence_transformers.json", prompts={"query": 1}), "should be texts by name"),
    ("a default prompt that is not there", update("config_sentence_transformers.json", default_prompt_name="zebra"), "zebra"),
    ("a limit in words", write("sentence_bert_config.json", {"max_seq_length": "many"}), "must be a whole number"),
    ("a limit of 0", write("sentence_bert_config.json", {"max_seq_length": 0}), "must be a whole number"),
    # Out of the folder.
    ("an absolute path", module(1, path="/etc"), "outside of its folder"),
    ("a path upwards", module(1, path="../1_Pooling"), "outside of its folder"),
    ("a Windows path upwards", module(1, path="..\\1_Pooling"), "outside of its folder"),
    ("a drive", module(1, path="C:\\model"), "outside of its folder"),
    ("a tokenizer from elsewhere", update("sentence_bert_config.json", tokenizer_name_or_path="/tmp"), "outside of its folder"),
    ("weights from elsewhere", sharded({"weight_map": {"a": "../model-1.safetensors"}}), "outside of its folder"),
    ("a part from elsewhere", router(types={"../x": MODELS + "Dense"}), "outside of its folder"),
    # Code, and what can be code.
    ("code in config.json", update("config.json", auto_map={"AutoModel": "x.Y"}), "code from its repository"),
    ("code in tokenizer_config.json", update("tokenizer_config.json", auto_map={}), "code from its repository"),
    ("a module of its own", module(1, type="custom_pooling.Pooling"), "no code of a model's own"),
    ("a module out of Python", module(1, type="os.system"), "no code of a model's own"),
    ("a module nobody knows", module(1, type=MODELS + "Zebra"), "no code of a model's own"),
    ("a part of its own", router(types={"a": "evil.Dense"}), "no code of a model's own"),
    ("an activation of its own", update("2_Dense/config.json", activation_function="evil.Act"), "none of PyTorch's"),
    ("an activation that is none", update("2_Dense/config.json", activation_function="torch.load"), "none of PyTorch's"),
    ("pickled weights", moved("model.safetensors", "pytorch_model.bin"), r"found pytorch_model\.bin: pickled"),
    ("pickled weights in a module", moved(DENSE, "2_Dense/pytorch_model.bin"), r"2_Dense \(Dense\) \(found pytorch_model"),
    ("torch's own file", moved("model.safetensors", "model.pt"), r"found model\.pt: pickled"),
    ("pickled weights in a part", all_of(
        router(), write("2_Router/query_0_Dense/config.json", {}), write("2_Router/query_0_Dense/pytorch_model.bin", b"x"),
    ), "query_0_Dense.*pickled"),
    # Weights.
    ("weights of Keras", moved("model.safetensors", "tf_model.h5"), r"no safetensors weights.*found tf_model\.h5"),
    ("weights by another name", moved("model.safetensors", "adapted.safetensors"), r"found adapted\.safetensors, where"),
    ("a module without weights", remove(DENSE), "no safetensors weights for its module 2_Dense"),
    ("cut off weights", cut("model.safetensors", 5000), r"damaged: .*model\.safetensors cannot be read"),
    ("no bytes", write("model.safetensors", b""), "cannot be read"),
    ("a pointer of Git LFS", write("model.safetensors", b"version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"),
    ("no tensors", weights("model.safetensors", lambda tensors: {"x": tensors.popitem()[1]}), "files hold 1 tensors"),
    ("an index that is none", sharded("{"), "is no index of weights"),
    ("an index of a list", sharded([]), "is no index of weights"),
    ("a part of the weights is missing", sharded({"weight_map": {"a": "model-2.safetensors"}}), "model-2.safetensors is missing"),
    ("a renamed layer", weights("model.safetensors", renamed("layer.0.", "layr.0.")),
     r"missing: encoder\.layer\.0.*random.*layr"),
    ("renamed embeddings", weights("model.safetensors", renamed("word_embeddings", "words")), "missing: embeddings.word"),
    ("a prefix nobody knows", weights("model.safetensors", renamed("e", "zebra.e")), "Weights of .* are missing"),
    ("more layers than weights", update("config.json", num_hidden_layers=3), r"missing: encoder\.layer\.2"),
    ("fewer layers than weights", update("config.json", num_hidden_layers=1), r"makes less of the model.*layer\.1"),
    ("a million layers", update("config.json", num_hidden_layers=10**6), "says 1000000 layers"),
    ("another vocabulary", update("config.json", vocab_size=99), r"other shapes than config\.json says \(embeddings\.word"),
    ("another width", update("config.json", intermediate_size=99), "other shapes than config.json says"),
    ("heads that do not divide", update("config.json", num_attention_heads=3), "cannot be loaded"),
    ("weights that are no numbers", weights("model.safetensors", filled("encoder.layer.1.output.dense.weight", float("nan"))),
     "layer.1.output.dense.weight holds numbers that are not finite"),
    ("infinite weights in a module", weights(DENSE, filled("linear.weight", float("inf"))), "not finite"),
    ("numbers beyond fp32", all_of(
        weights(DENSE, filled("linear.weight", 3e38)), update("2_Dense/config.json", activation_function=IDENTITY),
    ), "vectors with numbers that are not finite"),
    ("zeros", weights(DENSE, filled("linear.weight", 0.0)), "the zero vector"),
    ("the same for all", weights("model.safetensors", lambda tensors: {key: tensor * 0 for key, tensor in tensors.items()}),
     "(the zero|the same) vector"),
    ("a renamed weight of a module", weights(DENSE, renamed("linear.", "dense.")), r"Missing key|linear\.weight"),
    ("a module of another width", weights(DENSE, lambda tensors: {"linear.weight": tensors["linear.weight"][:, :3].contiguous()}),
     "cannot be loaded"),
    ("a module that does not fit", all_of(
        update("2_Dense/config.json", in_features=9),
        weights(DENSE, lambda tensors: {"linear.weight": tensors["linear.weight"].new_ones(32, 9)}),
    ), "cannot embed a text"),
    ("a module without settings", remove("2_Dense/config.json"), r"2_Dense/config\.json is missing"),
    ("a pooling without its width", write("1_Pooling/config.json", {"pooling_mode": "mean"}), "cannot be loaded"),
    ("a pooling nobody knows", update("1_Pooling/config.json", pooling_mode="zebra"), "cannot be loaded.*zebra"),
    # Tokenizers.
    ("no tokenizer", remove("tokenizer.json"), "has no tokenizer"),
    ("a broken tokenizer", write("tokenizer.json", "{}"), "cannot be loaded"),
    ("a tokenizer that knows no word", lambda folder: tokenizer(folder, []), "cannot tell words apart"),
    ("another model's tokenizer", lambda folder: tokenizer(folder, [f"w{n}" for n in range(99)]), "do not belong together"),
    # Models of other kinds.
    ("a SparseEncoder", update("config_sentence_transformers.json", model_type="SparseEncoder"), "is a SparseEncoder"),
    ("a CrossEncoder", update("config_sentence_transformers.json", model_type="CrossEncoder"), "is a CrossEncoder"),
    ("a MultiVectorEncoder that pools", update("config_sentence_transformers.json", model_type="MultiVectorEncoder"),
     r"has a module of type .*Pooling' .* embft loads Dense"),
    ("a ColBERT of Stanford's", all_of(
        remove("modules.json", "config_sentence_transformers.json"), update("config.json", architectures=["HF_ColBERT"]),
    ), "ColBERT in Stanford's layout"),
    ("a SparseEncoder's module", module(1, type="sentence_transformers.sparse_encoder.models.SpladePooling"), "SparseEncoder"),
    ("a static table of a transformer's weights", module(0, type=MODELS + "StaticEmbedding"), "embeddings is looked for"),
    ("a static table without a tokenizer", all_of(
        module(0, type=MODELS + "StaticEmbedding"), remove("tokenizer.json"),
        weights("model.safetensors", renamed("embeddings.word_embeddings.weight", "embeddings")),
    ), "holds no tokenizer.json"),
    ("a static table in the middle", module(2, type=MODELS + "StaticEmbedding"), "StaticEmbedding behind its first module"),
    ("word vectors", module(0, type=MODELS + "WordEmbeddings"), "table of word vectors"),
    ("a model of images", module(0, type=MODELS + "CLIPModel"), "model of images"),
    ("no transformer", module(0, type=MODELS + "Normalize"), "begins with a Normalize"),
    ("a plain CrossEncoder", all_of(
        remove("modules.json", "config_sentence_transformers.json"),
        update("config.json", architectures=["BertForSequenceClassification"]),
    ), "is a BertForSequenceClassification"),
    ("an adapter", write("adapter_config.json", {"base_model_name_or_path": "x/y"}), "adapter of another model"),
    ("quantised weights", update("config.json", quantization_config={"bits": 4}), "quantised"),
    ("made for another task", update("sentence_bert_config.json", transformer_task="fill-mask"), "made for fill-mask"),
    ("a Router without its settings", all_of(router(), remove("2_Router/router_config.json")), "router_config.json is missing"),
    ("a Router of a list", router(types=[]), "should name types of modules"),
]  # fmt: skip


def tokenizer(folder: Path, words: list[str]) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    made = Tokenizer(models.WordLevel({word: n for n, word in enumerate([*special, *words])}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), special, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=64, **names).save_pretrained(folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A tiny BERT with pooling, a dense layer and normalised vectors: nothing is wrong with it."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Transformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("whole")
    tokenizer(root / "bert", WORDS)
    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=len(WORDS) + 4, max_position_embeddings=64, **shape)).save_pretrained(root / "bert")
    dense = Dense(16, 32, bias=False, activation_function=torch.nn.Identity())
    modules = [Transformer(str(root / "bert"), max_seq_length=64), Pooling(16), dense, Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(root / "model"), create_model_card=False)
    return root / "model"


def try_folder(folder: Path) -> None:
    """What a run does with ``model.path`` before any other work."""
    from embft.models.encoder import Encoder
    from embft.models.trial import try_model

    source = resolve(ModelConfig(name="x", path=str(folder)))
    try_model(Encoder(source.folder, source.fingerprint, name=source.name))


def test_the_whole_folder_is_taken(whole):
    try_folder(whole)


def test_the_count_of_the_docs_is_that_of_the_table():
    assert len(CASES) == HOSTILE_MODELS
    assert len({name for name, _, _ in CASES}) == HOSTILE_MODELS


@pytest.mark.parametrize(("change", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_hostile_folder_is_refused_in_words(whole, tmp_path, change, message):
    folder = tmp_path / "model"
    shutil.copytree(whole, folder)
    change(folder)
    with pytest.raises(ModelError, match=message) as caught:
        try_folder(folder)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700
