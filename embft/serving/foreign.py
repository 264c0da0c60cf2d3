"""Embeds texts with another library, in its environment, without embft: python foreign.py ASKED.json VECTORS.npy."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main(asked: str, answer: str) -> None:
    """Reads what is asked, writes float32 [n_texts, dim]."""
    import numpy as np

    request = json.loads(Path(asked).read_text(encoding="utf-8"))
    embed = {
        "sentence-transformers": sentence_transformers,
        "llama-index": llama_index,
        "langchain": langchain,
        "haystack": haystack,
        "fastembed": fastembed,
    }[request["library"]]
    vectors = embed(request["folder"], request["texts"], request["queries"], request["prompt"])
    np.save(answer, np.asarray(vectors, np.float32))


def sentence_transformers(folder: str, texts: list[str], queries: bool, prompt: str | None) -> Any:
    """``encode_query`` and ``encode_document`` where there are such, else ``encode`` with the folder's prompt by name."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(folder, device="cpu")
    if prompt is not None:
        return model.encode(texts, prompt=prompt)
    if hasattr(model, "encode_query"):
        return model.encode_query(texts) if queries else model.encode_document(texts)
    name = "query" if queries else "document"
    return model.encode(texts, prompt_name=name if name in (model.prompts or {}) else None)


def llama_index(folder: str, texts: list[str], queries: bool, prompt: str | None) -> Any:
    """HuggingFaceEmbedding; prompts are its own arguments."""
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    given = {} if prompt is None else {"query_instruction": prompt, "text_instruction": prompt}
    model = HuggingFaceEmbedding(folder, device="cpu", **given)
    return [model.get_query_embedding(text) for text in texts] if queries else model.get_text_embedding_batch(texts)


def langchain(folder: str, texts: list[str], queries: bool, prompt: str | None) -> Any:
    """HuggingFaceEmbeddings; prompts go into the arguments of ``encode``."""
    from langchain_huggingface import HuggingFaceEmbeddings

    given = {} if prompt is None else {"prompt": prompt}
    model = HuggingFaceEmbeddings(
        model_name=folder, model_kwargs={"device": "cpu"}, encode_kwargs=given, query_encode_kwargs=given
    )
    return [model.embed_query(text) for text in texts] if queries else model.embed_documents(texts)


def haystack(folder: str, texts: list[str], queries: bool, prompt: str | None) -> Any:
    """SentenceTransformersTextEmbedder; prompts are its prefix."""
    from haystack.components.embedders import SentenceTransformersTextEmbedder
    from haystack.utils import ComponentDevice

    model = SentenceTransformersTextEmbedder(
        model=folder, prefix=prompt or "", device=ComponentDevice.from_str("cpu"), progress_bar=False
    )
    model.warm_up()
    return [model.run(text)["embedding"] for text in texts]


def fastembed(folder: str, texts: list[str], queries: bool, prompt: str | None) -> Any:
    """A model of its own from the ONNX export: pooled and normalised in the graph."""
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    size = json.loads(Path(folder).parent.joinpath("search.json").read_text(encoding="utf-8"))["dimensions"]
    TextEmbedding.add_custom_model(
        model="served", pooling=PoolingType.DISABLED, normalization=False, sources=ModelSource(url=folder), dim=size,
        model_file="model.onnx",
    )  # fmt: skip
    model = TextEmbedding("served", specific_model_path=folder)
    return list(model.embed([(prompt or "") + text for text in texts]))


if __name__ == "__main__":
    main(*sys.argv[1:])
