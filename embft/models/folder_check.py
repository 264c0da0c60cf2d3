"""What a model's folder holds, looked at before anything is loaded: is it an embedding model that embft can load?

Nothing here needs torch, so a wrong folder is refused in a moment. What only the loaded model can show is
`embft.models.trial`'s affair.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from embft.errors import ModelError
from embft.models.kinds import MULTI_VECTOR, STATIC, TRANSFORMER
from embft.models.weight_files import check_weights

MODULES = "modules.json"
_KNOWN = frozenset(
    "Transformer StaticEmbedding Pooling Normalize Dense LayerNorm Dropout CNN LSTM WeightedLayerPooling Router".split()
)
_OF_TOKENS = frozenset({"Transformer", "Dense", "LayerNorm", "Normalize", "MultiVectorMask"})
"""What a MultiVectorEncoder may consist of."""
_ELSEWHERE_NAMED = {"pylate.models.Dense.Dense": "sentence_transformers.models.Dense"}
"""Modules of PyLate, and the same of sentence-transformers."""
_KINDS = {"SentenceTransformer": TRANSFORMER, "MultiVectorEncoder": MULTI_VECTOR, "ColBERT": MULTI_VECTOR}
"""What config_sentence_transformers.json calls a model; PyLate says ColBERT."""
_WITH_WEIGHTS = frozenset({"Dense", "LayerNorm", "CNN", "LSTM", "WeightedLayerPooling"})
_OF_OTHER_KINDS = {
    "WordEmbeddings": "a table of word vectors (WordEmbeddings)",
    "BoW": "a bag of words (BoW)",
    "WordWeights": "a table of word vectors (WordWeights)",
    "CLIPModel": "a model of images (CLIPModel)",
    "SpladePooling": "a SparseEncoder (SpladePooling), whose vectors have one number per word of its vocabulary",
    "MLMTransformer": "a SparseEncoder (MLMTransformer), whose vectors have one number per word of its vocabulary",
    "SparseAutoEncoder": "a SparseEncoder (SparseAutoEncoder)",
    "SparseStaticEmbedding": "a SparseEncoder (SparseStaticEmbedding)",
    "IDF": "a SparseEncoder (IDF)",
    "LogitScore": "a CrossEncoder (LogitScore), which scores pairs of texts and has no vectors",
}
_TOKENIZERS = (
    "tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model",
    "spm.model", "source.spm",
)  # fmt: skip
_HEADS = ("ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering", "ForMultipleChoice")
_ELSEWHERE = ("tokenizer_name_or_path", "cache_dir", "cache_folder")
"""Settings by which a folder would have files loaded that are not in it."""


@dataclass(frozen=True)
class ModelFolder:
    """A folder as its own files describe it.

    Attributes:
        name: What a person calls the model.
        path: The folder.
        modules: Type (its last word) and subfolder of each module, those inside a Router included; empty for a plain
            transformers folder, which has no modules.json.
        transformer: The folder of the transformer itself, or of the table of a static model.
        kind: See `embft.models.kinds`.
    """

    name: str
    path: Path
    modules: tuple[tuple[str, str], ...]
    transformer: Path
    kind: str = TRANSFORMER

    @property
    def is_plain(self) -> bool:
        """Whether it does not say how token vectors become one vector."""
        return not self.modules and self.kind == TRANSFORMER


def check_folder(name: str, folder: Path) -> ModelFolder:
    """Reads the folder's descriptions.

    Args:
        name: What a person calls the model.
        folder: A sentence-transformers or transformers folder.

    Raises:
        ModelError: It is no embedding model of a kind that embft loads, or it is incomplete or damaged. One sentence each.
    """
    if not (folder / MODULES).is_file() and not (folder / "config.json").is_file():
        raise ModelError(
            f"{folder} holds no model: neither {MODULES} nor config.json is there. Give the folder that holds one of them."
        )
    kind = _kind(name, folder)
    modules = tuple(_modules(name, folder, kind)) if (folder / MODULES).is_file() else ()
    transformer = folder
    if modules:
        first, place = modules[0]
        transformer = folder / place
        if first == "StaticEmbedding" and kind == TRANSFORMER:
            kind = STATIC
        elif first != "Transformer":
            raise ModelError(
                f"Model {name} begins with a {first}, not with a transformer ({folder / MODULES}). Choose another model."
            )
    elif read_object(name, folder / "config.json").get("model_type") == "model2vec":
        kind = STATIC
    if any(module == "StaticEmbedding" for module, _ in modules[1:]):
        raise ModelError(
            f"Model {name} has a StaticEmbedding behind its first module ({folder / MODULES}). Choose another."
        )
    if kind == STATIC:
        _check_table(name, transformer)
    else:
        _check_transformer(name, transformer, plain=not modules)
    for module, place in modules:
        _check_module(name, folder / place, module)
    return ModelFolder(name, folder, modules, transformer, kind)


def read_object(name: str, file: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ModelError: The file holds something else.
    """
    content = _read(name, file)
    if not isinstance(content, dict):
        raise ModelError(f"Model {name} is damaged: {file} should hold a JSON object. Get the model's files again.")
    return content


def _read(name: str, file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"Model {name} is incomplete: {file} is missing. Get the model's files again.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"Model {name} is damaged: {file} is not JSON ({error}). Get the model's files again."
        ) from error


def _kind(name: str, folder: Path) -> str:
    """Refuses folders that sentence-transformers would turn into something else without asking."""
    file = folder / "config_sentence_transformers.json"
    if not file.is_file():
        return TRANSFORMER
    settings = read_object(name, file)
    kind = settings.get("model_type", "SentenceTransformer")
    if kind not in _KINDS:
        raise ModelError(
            f"Model {name} is a {kind}, not an embedding model with one vector per text. Choose a SentenceTransformer, or a "
            "MultiVectorEncoder for retrieval=late."
        )
    prompts = settings.get("prompts") or {}
    if not isinstance(prompts, dict) or not all(isinstance(text, str | None) for text in prompts.values()):
        raise ModelError(f"Model {name} is damaged: prompts in {file} should be texts by name. Mend the file.")
    default = settings.get("default_prompt_name")
    if default is not None and default not in prompts:
        raise ModelError(
            f"Model {name}: default_prompt_name {default!r} in {file} is none of its prompts ({', '.join(prompts)}). Mend it."
        )
    return _KINDS[kind]


def _modules(name: str, folder: Path, kind: str) -> Iterator[tuple[str, str]]:
    file = folder / MODULES
    listed = _read(name, file)
    if not isinstance(listed, list) or not listed:
        raise ModelError(f"Model {name} is damaged: {file} should be a list of modules. Get the model's files again.")
    for entry in listed:
        if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in ("name", "path", "type")):
            raise ModelError(
                f"Model {name} is damaged: each module in {file} needs a name, a path and a type. Get the model's files again."
            )
    if len({entry["name"] for entry in listed}) < len(listed):
        raise ModelError(f"Model {name} is damaged: two modules in {file} have one name. Get the model's files again.")
    known = _OF_TOKENS if kind == MULTI_VECTOR else _KNOWN
    for entry in listed:
        yield from _module(name, folder, (entry["type"], entry["path"]), file, known)


def _module(
    name: str, folder: Path, module: tuple[str, str], file: Path, known: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """One module, and those that it is made of."""
    type_, place = _ELSEWHERE_NAMED.get(module[0], module[0]), module[1]
    path = PurePosixPath(place.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in place:
        raise ModelError(
            f"Model {name} names files outside of its folder ({place!r} in {file}), which embft never loads. Copy them into the "
            "folder and name them by a relative path."
        )
    kind = type_.rpartition(".")[2]
    if type_.startswith("sentence_transformers.") and kind in _OF_OTHER_KINDS:
        raise ModelError(f"Model {name} is {_OF_OTHER_KINDS[kind]}. Choose a transformer.")
    if not type_.startswith("sentence_transformers.") or kind not in known:
        raise ModelError(
            f"Model {name} has a module of type {type_!r} ({file}): embft loads {', '.join(sorted(known))} of "
            "sentence-transformers, and runs no code of a model's own. Choose another model."
        )
    yield kind, place
    if kind == "Router":
        router = folder / place / "router_config.json"
        types = read_object(name, router).get("types")
        if not isinstance(types, dict) or not all(isinstance(type_, str) for type_ in types.values()):
            raise ModelError(f"Model {name} is damaged: {router} should name types of modules. Get its files again.")
        for part, part_type in types.items():
            yield from _module(name, folder, (part_type, f"{place}/{part}"), router, known)


def _check_transformer(name: str, folder: Path, *, plain: bool) -> None:
    if (folder / "adapter_config.json").is_file():
        raise ModelError(
            f"Model {name} is an adapter of another model ({folder / 'adapter_config.json'}), whose weights are not here. "
            "Merge it into its base model (peft: merge_and_unload, then save_pretrained) and give that folder."
        )
    config = read_object(name, folder / "config.json")
    for file in (folder / "config.json", folder / "tokenizer_config.json"):
        if file.is_file() and "auto_map" in read_object(name, file):
            raise ModelError(
                f"Model {name} ({config.get('model_type')}) wants to run code from its repository (auto_map in {file.name}), "
                "which embft never does. Choose a model that transformers carries itself."
            )
    if not isinstance(config.get("model_type"), str):
        raise ModelError(
            f"Model {name}: {folder / 'config.json'} names no model_type, so its architecture is unknown. "
            "Give the folder of a transformers model."
        )
    if "quantization_config" in config:
        raise ModelError(
            f"Model {name} has quantised weights, which cannot be trained. Choose the model it was made of."
        )
    names = config.get("architectures")
    heads = [head for head in (names if isinstance(names, list) else []) if str(head).endswith(_HEADS)]
    if "HF_ColBERT" in (names if isinstance(names, list) else []):
        raise ModelError(
            f"Model {name} is a ColBERT in Stanford's layout. Load it once with sentence_transformers.MultiVectorEncoder, save "
            "it (save_pretrained), and give that folder."
        )
    if plain and heads:
        raise ModelError(
            f"Model {name} is a {heads[0]} (a CrossEncoder or classifier, which scores texts and has no vectors of them). "
            "Choose an embedding model."
        )
    for settings in sorted(folder.glob("sentence_*_config.json")):
        _check_settings(name, settings)
    tensors = check_weights(name, folder)
    if not any((folder / file).is_file() for file in _TOKENIZERS):
        raise ModelError(
            f"Model {name} has no tokenizer ({folder} holds none of {', '.join(_TOKENIZERS[:4])}, ...). Get it from where the "
            "model comes from."
        )
    layers = config.get("num_hidden_layers")
    if isinstance(layers, int) and layers > tensors:
        raise ModelError(
            f"Model {name} does not fit its weights: {folder / 'config.json'} says {layers} layers, the files hold "
            f"{tensors} tensors. Get the model's files again."
        )


def _check_table(name: str, folder: Path) -> None:
    check_weights(name, folder, needed=("embedding.weight", "embeddings"))
    if not (folder / "tokenizer.json").is_file():
        raise ModelError(
            f"Model {name} has no tokenizer ({folder} holds no tokenizer.json). Get it from where the model comes from."
        )


def _check_settings(name: str, file: Path) -> None:
    settings = read_object(name, file)
    outside = [key for key in _ELSEWHERE if settings.get(key)]
    if outside:
        raise ModelError(
            f"Model {name} names files outside of its folder ({outside[0]} in {file}), which embft never loads. Copy them into "
            "the folder and take the setting out."
        )
    task = settings.get("transformer_task", "feature-extraction")
    if task != "feature-extraction":
        raise ModelError(f"Model {name} is made for {task} ({file}), not for embeddings. Choose an embedding model.")
    limit = settings.get("max_seq_length")
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 8):
        raise ModelError(
            f"Model {name}: max_seq_length in {file} is {limit!r}, it must be a whole number from 8. Mend it."
        )


def _check_module(name: str, folder: Path, kind: str) -> None:
    file = folder / "config.json"
    if kind in {"Pooling", "Dense", "LayerNorm"}:
        settings = read_object(name, file)
        activation = settings.get("activation_function", "torch.nn.modules.activation.Tanh")
        if kind == "Dense" and not str(activation).startswith("torch.nn.modules."):
            raise ModelError(
                f"Model {name} has a layer with the activation {activation!r} ({file}), which is none of PyTorch's. "
                "Choose another model."
            )
    if kind in _WITH_WEIGHTS:
        check_weights(name, folder, f"its module {folder.name} ({kind})")
